"""`millwright score maintenance`: the model over the rows of a CSV file, one JSON line a row.

Columns: `kind`, the tags of that kind by name, its rated figures, and any others, which are
passed over. A row that cannot be judged gives a line that names what is wrong.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from agents.base.model import MODELS, load_model
from agents.maintenance.features import needed, row_features
from agents.maintenance.forest import Forest, likeliest
from app.command_parser import command_parser
from app.core.errors import FieldsError, InputError


def main(argv: list[str]) -> int:
    """Score a file."""
    parser = command_parser(
        "millwright score maintenance",
        "Run the model over the rows of a CSV file; one JSON line a row.\n\n"
        "Columns: kind, the tags of that kind by name and its rated figures; others are passed\n"
        "over. A row that cannot be judged gives a line that names what is wrong. The exit code\n"
        "is 1 if no row could be judged.",
        "millwright score maintenance --data rows.csv --out scored.jsonl",
    )
    parser.add_argument("--data", type=Path, required=True, help="CSV file")
    parser.add_argument("--out", type=Path, help="file to write instead of standard output")
    parser.add_argument("--model", type=Path, default=MODELS / "maintenance", help="model folder")
    parser.add_argument("--json", action="store_true", help="JSON out (it always is)")
    arguments = parser.parse_args(argv)
    forest = Forest(load_model(arguments.model))
    lines = list(_scored(arguments.data, forest))
    if not lines:
        raise InputError(f'Data file "{arguments.data.name}" has no rows')
    _write(arguments.out, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    if all("error" in line for line in lines):
        first = lines[0]["error"]
        raise InputError(
            f'none of {len(lines)} rows of "{arguments.data.name}" could be judged; '
            f"the first: {first}"
        )
    return 0


def _write(out: Path | None, payload: bytes) -> None:
    if out is None:
        sys.stdout.write(payload.decode())
        return
    draft = out.with_name(out.name + ".new")
    try:
        draft.write_bytes(payload)
        draft.replace(out)
    except OSError as error:
        raise InputError(f'--out: file "{out}" cannot be written: {error.strerror}') from error


def _scored(path: Path, forest: Forest) -> Iterator[dict[str, object]]:
    for number, row in enumerate(_rows(path), start=1):
        given = {name: row[name] for name in needed(row.get("kind") or "") if row.get(name)}
        try:
            kind, features = row_features(given)
            forest.check(kind, features)
        except FieldsError as error:
            yield {"row": number, "error": str(error), "details": error.details}
            continue
        probabilities = forest.predict(kind, features)
        mode = likeliest(kind, probabilities)
        is_stated = probabilities[mode] >= forest.thresholds[mode]
        yield {
            "row": number,
            "prediction": mode if is_stated else "normal",
            "probability": round(probabilities[mode], 4),
            "probabilities": {name: round(value, 4) for name, value in probabilities.items()},
        }


def _rows(path: Path) -> list[dict[str, str]]:
    """Read all rows.

    Raises:
        InputError: The file cannot be read or is no CSV text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, restkey="_surplus"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'Data file "{path.name}" cannot be read: {error}') from error

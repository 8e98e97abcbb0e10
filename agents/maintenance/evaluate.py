"""`millwright evaluate maintenance`: the shipped model on unseen plants, or the method on AI4I."""

import argparse
import shlex
import sys
from pathlib import Path

import msgspec

from agents.base.model import MODELS, load_model
from agents.maintenance.ai4i import evaluate_ai4i
from agents.maintenance.forest import Forest
from agents.maintenance.train import collect, measure
from app.command_parser import CommandParser, command_parser, positive_number, whole_number
from app.extras import TRAIN, need_extra


def main(argv: list[str]) -> int:
    """Print metrics as JSON."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.protocol == "ai4i" and arguments.data is None:
        parser.error("--protocol ai4i needs --data FILE")
    if arguments.data is None:
        result = _on_plants(arguments)
    elif arguments.protocol == "simulator" or arguments.model is not None:
        parser.error("--data is for --protocol ai4i, which trains a model of its own")
    else:
        need_extra(TRAIN, shlex.join(["millwright", "evaluate", "maintenance", *argv]))
        result = evaluate_ai4i(arguments.data)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result)).decode() + "\n")
    return 0


def _on_plants(arguments: argparse.Namespace) -> dict[str, object]:
    folder: Path = arguments.model or MODELS / "maintenance"
    thresholds = Forest(load_model(folder)).thresholds
    seeds = range(arguments.seed, arguments.seed + arguments.runs)
    runs = collect([(seed, seed % 2 == 1) for seed in seeds], arguments.hours, arguments.step)
    return {"protocol": "simulator", **measure(folder, runs, thresholds)}


def _parser() -> CommandParser:
    parser = command_parser(
        "millwright evaluate maintenance",
        "Print metrics as JSON: of the shipped model on simulated plants it has not seen, or of\n"
        "the same method on the public data set AI4I 2020 (needs the extra train).",
        "millwright evaluate maintenance",
        "uv run --extra train millwright evaluate maintenance --data ai4i2020.csv.gz",
    )
    parser.add_argument(
        "--protocol",
        choices=("simulator", "ai4i"),
        help="default: ai4i with --data, else simulator",
    )
    parser.add_argument("--data", type=Path, help="data file of the protocol ai4i, CSV or CSV.gz")
    parser.add_argument("--model", type=Path, help="model folder, the shipped one by default")
    parser.add_argument(
        "--runs", type=whole_number(1, 1000), default=8, help="simulated plants (default 8)"
    )
    parser.add_argument(
        "--hours", type=positive_number(1000), default=8.0, help="length of each (default 8)"
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0, 10**9),
        default=900_000,
        help="of the first plant (default 900000)",
    )
    parser.add_argument(
        "--step", type=positive_number(60), default=1.0, help="seconds between readings (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="JSON out (it always is)")
    return parser

"""`millwright docs`: writes docs/settings.md, docs/topics.md and settings.toml from the code."""

import sys
from collections.abc import Callable
from pathlib import Path

from app.cli.reference_settings import settings_page
from app.cli.reference_toml import shipped_settings
from app.cli.reference_topics import topics_page
from app.command_parser import command_parser

PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "topics.md": topics_page,
    "settings.toml": shipped_settings,
}
FOLDER = Path(__file__).parent.parent.parent / "docs"


def main(argv: list[str]) -> int:
    """Write the pages, or with --check say which are out of date."""
    parser = command_parser(
        "millwright docs",
        "Write docs/settings.md, docs/topics.md and settings.toml anew from the code.",
        "millwright docs --check",
    )
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder, docs/ by default")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 if out of date"
    )
    arguments = parser.parse_args(argv)
    folder: Path = arguments.to
    old = [name for name in PAGES if not _is_current(place_of(name, folder))]
    if arguments.check:
        if old:
            sys.stderr.write(f"millwright: out of date: {', '.join(old)}; run millwright docs\n")
        return int(bool(old))
    for name in old:
        file = place_of(name, folder)
        file.write_text(PAGES[name](), encoding="utf-8")
        sys.stdout.write(f"{file}\n")
    return 0


def place_of(name: str, folder: Path = FOLDER) -> Path:
    """Return where a page stands: in the folder, but settings.toml beside docs/."""
    return folder.parent / name if folder == FOLDER and name == "settings.toml" else folder / name


def _is_current(file: Path) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == PAGES[file.name]()

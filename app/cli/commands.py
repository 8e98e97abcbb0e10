"""`millwright commands list`: the commands that the running app was asked for."""

import sys
from urllib.parse import urlencode

import msgspec

from app.cli.app_client import ask_app
from app.cli.command import PATH, line
from app.cli.options import add_app_options, settings_of
from app.command_parser import command_parser, whole_number
from app.core.command import Command, CommandState

_MOST = 1000


def main(argv: list[str]) -> int:
    """Print one line a command, the newest first.

    Raises:
        MillwrightError: There is no app, or it refused; one line says why.
    """
    parser = command_parser(
        "millwright commands",
        "List the commands that the running app was asked for, the newest first.",
        "millwright commands list --state awaiting_approval,unknown",
    )
    parser.add_argument("verb", choices=["list"], metavar="list")
    parser.add_argument("--state", default="", help=f"some of {', '.join(CommandState)}")
    parser.add_argument("--tag", default="", help="path of a tag")
    parser.add_argument("--limit", type=whole_number(1, _MOST), default=50, help="default 50")
    add_app_options(parser)
    arguments = parser.parse_args(argv)
    wanted = {"state": arguments.state, "tag": arguments.tag, "limit": arguments.limit}
    query = urlencode(wanted, errors="replace")
    found = ask_app(settings_of(arguments), f"{PATH}?{query}", list[Command])
    text = "\n".join(line(command) for command in found) or "No commands"
    sys.stdout.write((msgspec.json.encode(found).decode() if arguments.json else text) + "\n")
    return 0

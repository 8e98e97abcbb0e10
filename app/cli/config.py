"""`millwright config show|check`: the settings in force, secrets hidden."""

import sys

import msgspec

from app.cli.options import add_settings_options, settings_of
from app.command_parser import command_parser


def main(argv: list[str]) -> int:
    """Print the settings in force as JSON, or say whether they are valid."""
    parser = command_parser(
        "millwright config",
        "Show the settings in force, secrets hidden, or check whether they are valid.",
        "millwright config show",
        "millwright config check --settings plant.toml",
    )
    parser.add_argument("action", metavar="show|check", choices=("show", "check"))
    parser.add_argument("--json", action="store_true", help="JSON out (show always is)")
    add_settings_options(parser)
    arguments = parser.parse_args(argv)
    settings = settings_of(arguments)
    if arguments.action == "show":
        text = msgspec.json.format(settings.model_dump_json(), indent=2)
    else:
        text = '{"valid":true}' if arguments.json else "The settings are valid"
    sys.stdout.write(f"{text}\n")
    return 0

"""`millwright health`: asks the running app for every component, its state and why."""

import sys

import msgspec

from app.cli.app_client import ask_app
from app.cli.options import add_app_options, settings_of
from app.command_parser import command_parser
from app.core.health import ComponentStatus, Health


class _Answer(msgspec.Struct):
    status: Health
    components: list[ComponentStatus]


def main(argv: list[str]) -> int:
    """Print one line a component; 1 if any failed or the app does not answer."""
    parser = command_parser(
        "millwright health",
        "Print every component of the running app, its state and why.\n"
        "The exit code is 1 if one of them failed or the app does not answer.",
        "millwright health",
        "millwright health --port 9000 --json",
    )
    add_app_options(parser)
    arguments = parser.parse_args(argv)
    answer = ask_app(settings_of(arguments), "/api/health", _Answer)
    components = answer.components
    text = msgspec.json.encode(answer).decode() if arguments.json else _table(components)
    sys.stdout.write(f"{text}\n")
    return 1 if any(component.state is Health.FAILED for component in components) else 0


def _table(components: list[ComponentStatus]) -> str:
    return "\n".join(_row(component).rstrip() for component in components)


def _row(component: ComponentStatus) -> str:
    remedy = f" - {component.remedy}" if component.remedy else ""
    return f"{component.name:24} {component.state:9} {component.reason}{remedy}"

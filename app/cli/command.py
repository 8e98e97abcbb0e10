"""`millwright command`: asks the running app to change a tag of the plant."""

import argparse
import asyncio
import sys

import msgspec

from app.cli.app_client import ask_app
from app.cli.options import add_app_options, settings_of
from app.clock import SystemClock
from app.command_parser import command_parser, finite_number, positive_number
from app.core.command import ENDED, Command, CommandState
from app.core.units import unit_words
from app.settings import Settings

PATH = "/api/commands"
_SOURCE = {"X-Actor-Source": "cli"}
_TAG = "riverside/building/hall/hvac-801/temperature_setpoint"
_POLL_S = 0.5
_LONGEST_WAIT_S = 86_400


def main(argv: list[str]) -> int:
    """Ask for a change and print how it stands; with --wait 1 if it does not end verified.

    Raises:
        MillwrightError: There is no app, or it refused; one line says why.
    """
    arguments = _parser().parse_args(argv)
    settings = settings_of(arguments)
    command = _ask(settings, arguments)
    if arguments.wait is not None:
        command = asyncio.run(_await_end(settings, command, arguments.wait))
    text = msgspec.json.encode(command).decode() if arguments.json else line(command)
    sys.stdout.write(f"{text}\n")
    return 0 if arguments.wait is None or command.state is CommandState.VERIFIED else 1


def line(command: Command) -> str:
    """Return a command as one line for a person."""
    reason = f": {command.reason}" if command.reason else ""
    value = f"{command.value:g} {unit_words(command.unit)}".rstrip()
    asked = f"{command.requested_at:%Y-%m-%d %H:%M:%S} UTC by {command.requested_by}"
    return f"{command.id}  {command.tag} = {value}  {command.state.value}{reason}  ({asked})"


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "millwright command",
        "Ask the running app to change a tag of the plant. It is checked, may need a person's\n"
        "approval, and is sent once.",
        f'millwright command {_TAG} 20 --why "hall is warm" --wait 30',
    )
    parser.add_argument("tag", metavar="TAG", help="path of the tag")
    parser.add_argument(
        "value", metavar="VALUE", type=finite_number, help="new value, in the tag's unit"
    )
    parser.add_argument("--why", required=True, help="reason, for the journal")
    parser.add_argument("--id", default="", help="the same id again is the same command")
    parser.add_argument(
        "--confirm", action="store_true", help="you agree, where one person's word is enough"
    )
    parser.add_argument(
        "--wait",
        metavar="S",
        type=positive_number(_LONGEST_WAIT_S),
        help="wait so many seconds for the end; exit code 1 if the plant does not show it",
    )
    add_app_options(parser)
    return parser


def _ask(settings: Settings, arguments: argparse.Namespace) -> Command:
    wish = {
        "tag": arguments.tag,
        "value": arguments.value,
        "why": arguments.why,
        "id": arguments.id,
        "confirmed": arguments.confirm,
    }
    return ask_app(settings, PATH, Command, body=wish, headers=_SOURCE)


async def _await_end(settings: Settings, command: Command, wait_s: float) -> Command:
    clock = SystemClock()
    deadline_s = clock.monotonic() + wait_s
    while command.state not in ENDED and clock.monotonic() < deadline_s:
        await clock.sleep(_POLL_S)
        command = ask_app(settings, f"{PATH}/{command.id}", Command)
    return command

"""The command line `millwright`; looks at the command before it imports anything heavy.

Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import importlib
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import NamedTuple, TextIO

from app.command_parser import USAGE_EXIT, one_line
from app.core.errors import MillwrightError, SettingsError
from app.interrupt import ends_at_once, forget


class Command(NamedTuple):
    """Where a command lives and what it does."""

    module: str
    does: str


COMMANDS = {
    "run": Command("app.cli.run", "the operator app with everything in it (the default)"),
    "agent": Command("agents.runner", "one agent in a process of its own"),
    "health": Command("app.cli.health", "every component, its state and why"),
    "publish": Command("app.cli.publish", "replay a CSV file to MQTT"),
    "audit": Command("app.cli.audit", "verify and read the record of who did what"),
    "command": Command("app.cli.command", "change a tag of the plant"),
    "commands": Command("app.cli.commands", "list the commands that were asked for"),
    "workflow": Command("app.cli.workflow", "list, run, watch, repair and lint workflows"),
    "scenario": Command("app.cli.scenario", "start and stop faults in the simulated plant"),
    "train": Command("app.cli.train", "train an agent's model"),
    "evaluate": Command("app.cli.evaluate", "metrics of an agent's model as JSON"),
    "score": Command("app.cli.score", "run an agent's model over a CSV file"),
    "bench": Command("app.cli.bench", "measure demo, history, live, mqtt or workflow here"),
    "config": Command("app.cli.config", "show or check the settings"),
    "docs": Command("app.cli.docs", "write the generated pages of docs/ anew from the code"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _take_any_sign(sys.stdout)
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help"}):
        arguments = ["run", *arguments]
    name, *rest = arguments
    if name in {"-h", "--help", "help"}:
        _say(_usage(), sys.stdout)
        return 0
    command = COMMANDS.get(name)
    if command is None:
        _refuse(f'"{name}" is no command; see millwright --help')
        return USAGE_EXIT
    try:
        with ends_at_once(name):
            run: Callable[[list[str]], int] = importlib.import_module(command.module).main
        return run(rest)
    except SettingsError as error:
        _refuse(str(error))
        return USAGE_EXIT
    except MillwrightError as error:
        _refuse(f"{error}; {error.hint}" if error.hint else str(error))
        return 1
    except KeyboardInterrupt:
        _say(f"millwright: {name} was interrupted", sys.stderr)
        return 1
    finally:
        forget()


def _usage() -> str:
    rows = "\n".join(f"  {name:10} {command.does}" for name, command in COMMANDS.items())
    more = "commands (millwright COMMAND --help for more)"
    codes = "exit codes: 0 done, 1 failed, 2 wrong usage"
    return f"usage: millwright [COMMAND] [options]\n\n{more}:\n{rows}\n\n{codes}"


def _take_any_sign(stream: TextIO) -> None:
    """Have "°C" not end a command whose output goes where there is no such sign."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _refuse(text: str) -> None:
    _say(f"millwright: {one_line(text)}", sys.stderr)


def _say(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())

"""The command line `millwright`; looks at the command before it imports anything heavy.

Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import importlib
import sys
from collections.abc import Callable
from typing import NamedTuple, TextIO

from app.core.errors import MillwrightError, SettingsError


class Command(NamedTuple):
    """Where a command lives and what it does."""

    module: str
    does: str


COMMANDS = {
    "run": Command("app.cli.run", "the operator app with everything in it (the default)"),
    "agent": Command("agents.runner", "one agent process: millwright agent NAME"),
    "health": Command("app.cli.health", "every component, its state and why"),
    "publish": Command("app.cli.publish", "replay a CSV file to MQTT"),
    "scenario": Command("app.cli.scenario", "start and stop faults in the simulated plant"),
    "train": Command("app.cli.train", "train an agent's model"),
    "evaluate": Command("app.cli.evaluate", "metrics of an agent's model as JSON"),
    "score": Command("app.cli.score", "run an agent's model over a CSV file"),
    "bench": Command("app.cli.bench", "measure mqtt, live or history on this machine"),
    "config": Command("app.cli.config", "show or check the settings"),
    "docs": Command("app.cli.docs", "write docs/settings.md and docs/topics.md anew"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in {"-h", "--help"}):
        arguments = ["run", *arguments]
    name, *rest = arguments
    if name in {"-h", "--help", "help"}:
        _say(_usage(), sys.stdout)
        return 0
    command = COMMANDS.get(name)
    if command is None:
        _say(f'millwright: "{name}" is no command; see millwright --help', sys.stderr)
        return 2
    run: Callable[[list[str]], int] = importlib.import_module(command.module).main
    try:
        return run(rest)
    except SettingsError as error:
        _say(f"millwright: {error}", sys.stderr)
        return 2
    except MillwrightError as error:
        _say(f"millwright: {error}" + (f"; {error.hint}" if error.hint else ""), sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1


def _usage() -> str:
    rows = "\n".join(f"  {name:10} {command.does}" for name, command in COMMANDS.items())
    return f"usage: millwright [COMMAND] [options]\n\ncommands (COMMAND --help for more):\n{rows}"


def _say(text: str, stream: TextIO) -> None:
    stream.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())

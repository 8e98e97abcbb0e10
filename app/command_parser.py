"""The parser of every command: one line for a wrong call, options with checked values."""

import argparse
import math
from collections.abc import Callable
from typing import NoReturn

from typing_extensions import override

USAGE_EXIT = 2


class CommandParser(argparse.ArgumentParser):
    """Says what is wrong and how to see the help in one line, and exits with 2."""

    @override
    def error(self, message: str) -> NoReturn:
        """Refuse the call."""
        self.exit(USAGE_EXIT, f"{self.prog}: {one_line(message)}; see {self.prog} --help\n")


def command_parser(prog: str, about: str, *examples: str) -> CommandParser:
    """Return the parser of a command: what it does, and calls to copy from its help."""
    lines = "".join(f"\n  {example}" for example in examples)
    return CommandParser(
        prog=prog,
        description=about,
        epilog=f"examples:{lines}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def verb_parser(
    call: str, add: Callable[..., CommandParser], name: str, about: str, example: str
) -> CommandParser:
    """Return the parser of a verb, such as "list" of "millwright audit".

    Args:
        call: The command, "millwright audit".
        add: Adds it to the command's parser.
        name: The verb.
        about: What it does, as a sentence's end.
        example: The rest of a call to copy, after the command.
    """
    return add(
        name,
        help=about,
        description=f"{about[:1].upper()}{about[1:]}.",
        epilog=f"examples:\n  {call} {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def one_line(text: str) -> str:
    """Return `text` with each run of blanks and line ends as one blank."""
    return " ".join(text.split())


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return the type of an option that is a whole number from `low` to `high`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f'"{text}" is no whole number from {low} to {high}')
        return value

    return parse


def positive_number(high: float) -> Callable[[str], float]:
    """Return the type of an option that is a number above 0, at most `high`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= high:
            raise argparse.ArgumentTypeError(f'"{text}" is no number above 0, at most {high:g}')
        return value

    return parse


def finite_number(text: str) -> float:
    """Return a text as a number; the type of an argument.

    Raises:
        argparse.ArgumentTypeError: It is none, or is infinite.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f'"{text[:80]}" is no finite number')
    return value

"""States in query strings."""

from enum import StrEnum
from typing import TypeVar

from app.core.errors import InputError

S = TypeVar("S", bound=StrEnum)


def named_states(kind: type[S], text: str) -> tuple[S, ...]:
    """Return the states that `text` names, separated by commas.

    Raises:
        InputError: One is no state of this kind.
    """
    try:
        return tuple(kind(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        known = ", ".join(kind)
        raise InputError(f"state: {error}", hint=f"States are {known}") from error

"""Reads computed fields of a step; the run and the dry run judge them alike."""

import re

import msgspec

from app.core.errors import InputError

_SHOWN = 120
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def as_number(name: str, value: object) -> float:
    """Return a field as a number; a text counts if it is one as it would stand in JSON.

    Raises:
        InputError: It is none, or too large for one.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_text = isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None
    if not is_number and not is_text:
        raise InputError(f'{name}: "{_words(value)}" is no number')
    try:
        return float(value)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  one of both
    except OverflowError as error:
        raise InputError(f"{name}: is a number above 1.8e308, which nothing can hold") from error


def as_message(payload: object) -> bytes:
    """Return what a publish step sends: a text as it is, anything else as JSON.

    Raises:
        InputError: It is no JSON, or no Unicode.
    """
    try:
        return payload.encode() if isinstance(payload, str) else msgspec.json.encode(payload)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"payload: cannot be sent as JSON: {error}") from error


def _words(value: object) -> str:
    try:
        return str(value)[:_SHOWN]
    except (ValueError, RecursionError):  # of a number within it that has thousands of digits
        return type(value).__name__

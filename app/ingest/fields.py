"""Finds the numbers in a decoded JSON message."""

import math
from collections.abc import Iterator, Mapping
from typing import cast

from app.core.errors import InputError

_DEPTH = 8
MOST_FIELDS = 1000


def flatten(message: Mapping[str, object]) -> dict[str, object]:
    """Join the keys of nested objects with "_"; lists stay as they are.

    Raises:
        InputError: More than 8 objects stand in each other, or there are over 1000 fields.
    """
    flat: dict[str, object] = {}
    for key, value in _walk("", message, 0):
        flat[_free(key, flat)] = value
        if len(flat) > MOST_FIELDS:
            raise InputError(f"The message has more than {MOST_FIELDS} fields")
    return flat


def number(value: object) -> float | None:
    """Return numbers, booleans as 0 and 1, and numeric text; None for anything else.

    Publishers that read CSV files send all as text, so "41.5" counts as 41.5; "nan" and "inf"
    do not.

    Raises:
        InputError: The number does not fit a double.
    """
    if isinstance(value, bool | int | float):
        return _double(value)
    if not isinstance(value, str) or not value or value[0] not in "+-.0123456789 ":
        return None
    try:
        found = float(value.replace("_", "x"))  # float("1_0") would be 10
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _double(value: float) -> float:
    try:
        found = float(value)
    except OverflowError as error:
        raise InputError(f"{str(value)[:30]}... does not fit a double") from error
    if not math.isfinite(found):
        raise InputError(f"{found} is no value")
    return found


def _walk(prefix: str, message: Mapping[str, object], depth: int) -> Iterator[tuple[str, object]]:
    if depth > _DEPTH:
        raise InputError(f"More than {_DEPTH} objects stand in each other")
    for key, value in message.items():
        name = f"{prefix}_{key}" if prefix else key
        if isinstance(value, dict):
            nested = cast("dict[str, object]", value)  # JSON objects have text keys
            yield from _walk(name, nested, depth + 1)
        else:
            yield name, value


def _free(key: str, taken: Mapping[str, object]) -> str:
    """Return the key, or with _2, _3 … if a flattened one has the same name."""
    if key not in taken:
        return key
    count = 2
    while f"{key}_{count}" in taken:
        count += 1
    return f"{key}_{count}"

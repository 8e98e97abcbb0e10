"""Checks what a run is started with against the workflow's typed inputs."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from app.core.equipment import split_path
from app.core.errors import FieldsError, InputError, TopicError
from app.core.topics import is_segment
from app.core.units import unit_words
from app.core.workflow import Input, InputKind, Workflow

TEXT_LENGTH = 10_000
"""Characters of one text."""

INPUT_BYTES = 262_144
"""Bytes of all inputs together as JSON."""


def checked_input(workflow: Workflow, given: Mapping[str, object]) -> dict[str, Any]:
    """Return the inputs of a run: what was given, defaults for the rest, None without one.

    Args:
        workflow: The definition.
        given: Values by name; None counts as not given.

    Raises:
        FieldsError: An input is unknown, missing, of the wrong type or out of its bounds; its
            details name each of them.
    """
    details = {
        name: f"is no input of this workflow; it has {_list(workflow.inputs)}"
        for name in given
        if name not in workflow.inputs
    }
    taken: dict[str, Any] = {}
    for name, field in workflow.inputs.items():
        value = given.get(name)
        taken[name] = field.default if value is None else value
        if taken[name] is None:
            if field.required:
                details[name] = "is required"
        elif wrong := misfit(field, taken[name]):
            details[name] = wrong
    if not details and _bytes(taken) > INPUT_BYTES:
        raise InputError(
            f"The inputs have more than {INPUT_BYTES} bytes; give a name or an address instead"
        )
    if details:
        words = "; ".join(f"{name or 'An empty name'} {why}" for name, why in details.items())
        raise FieldsError(f'Workflow "{workflow.name}" cannot start: {words}', details)
    return taken


def typed_input(workflow: Workflow, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return texts of a command line as values of the inputs' kinds; then `checked_input` judges.

    An empty text counts as not given. What does not read as its kind stays a text, so that the
    check names it.
    """
    return {
        name: _typed(workflow.inputs[name].kind, text) if name in workflow.inputs else text
        for name, text in texts.items()
        if text or name not in workflow.inputs
    }


def misfit(field: Input, value: object) -> str:
    """Tell why a value is none for an input, or "" if it fits."""
    return _JUDGES[field.kind](field, value)


def _text(_field: Input, value: object) -> str:
    if not isinstance(value, str):
        return f"must be text, not {_kind(value)}"
    return "" if len(value) <= TEXT_LENGTH else f"has over {TEXT_LENGTH} characters"


def _number(field: Input, value: object) -> str:
    if isinstance(value, str) and _is_infinite(value):  # a command line knows no other
        return "must be a finite number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, not {_kind(value)}"
    if _is_infinite(value):
        is_huge = isinstance(value, int)
        return "is too large: at most 1.8e308" if is_huge else "must be a finite number"
    unit = f" {unit_words(field.unit)}".rstrip()
    if field.low is not None and value < field.low:
        return f"must be at least {field.low:g}{unit}"
    if field.high is not None and value > field.high:
        return f"must be at most {field.high:g}{unit}"
    return ""


def _integer(field: Input, value: object) -> str:
    if isinstance(value, float) and not value.is_integer():
        return "must be a whole number"
    return _number(field, value)


def _boolean(_field: Input, value: object) -> str:
    return "" if isinstance(value, bool) else f"must be true or false, not {_kind(value)}"


def _choice(field: Input, value: object) -> str:
    return "" if value in field.choices else f"must be one of {_list(field.choices)}"


def _equipment(_field: Input, value: object) -> str:
    parts = value.split("/") if isinstance(value, str) else []
    is_path = len(parts) == 4 and all(is_segment(part) for part in parts)
    return "" if is_path else "must be the path of a unit, site/area/line/unit"


def _tag(_field: Input, value: object) -> str:
    try:
        split_path(value if isinstance(value, str) else "")
    except TopicError:
        return "must be the path of a tag, site/area/line/unit/tag"
    return ""


def _time(_field: Input, value: object) -> str:
    wrong = "must be a moment with its zone, such as 2026-01-31T06:00:00+01:00"
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        return wrong
    return wrong if at.tzinfo is None else ""


def _object(_field: Input, value: object) -> str:
    return "" if isinstance(value, dict) else f"must be an object, not {_kind(value)}"


_JUDGES: Mapping[InputKind, Callable[[Input, object], str]] = {
    InputKind.TEXT: _text,
    InputKind.NUMBER: _number,
    InputKind.INTEGER: _integer,
    InputKind.BOOLEAN: _boolean,
    InputKind.CHOICE: _choice,
    InputKind.EQUIPMENT: _equipment,
    InputKind.TAG: _tag,
    InputKind.TIME: _time,
    InputKind.OBJECT: _object,
}


def _typed(kind: InputKind, text: str) -> object:
    if kind in {InputKind.NUMBER, InputKind.INTEGER, InputKind.BOOLEAN, InputKind.OBJECT}:
        try:
            return msgspec.json.decode(text.strip().encode())
        except (msgspec.DecodeError, UnicodeEncodeError):
            return text
    return text


def _is_infinite(value: float | str) -> bool:
    """Tell whether a number, or what a text reads as, is infinite, none, or beyond a float."""
    try:
        return not math.isfinite(float(value))
    except OverflowError:
        return True
    except ValueError:
        return False


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "none"


def _bytes(values: dict[str, Any]) -> int:
    try:
        return len(msgspec.json.encode(values))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"The inputs are no JSON: {error}") from error

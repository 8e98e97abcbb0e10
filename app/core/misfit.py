"""What msgspec says of a value that does not fit its type, in words that name place and remedy."""

import re
from enum import Enum
from typing import Any, NamedTuple, cast

import msgspec

from app.core.near import near_miss

_AT = re.compile(r" - at `\$(.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_CHOICE = re.compile(r"Invalid enum value '?(.*?)'?$")


class Misfit(NamedTuple):
    """What does not fit.

    Attributes:
        where: Path of the field, such as `retry.attempts`; empty for the whole.
        words: What is wrong.
        hint: What to do; may be empty.
    """

    where: str
    words: str
    hint: str = ""


def misfit(message: str, where: str, kind: type) -> Misfit:
    """Return msgspec's complaint about a value of type `kind` that stands at `where`."""
    at = _AT.search(message)
    inner = (at[1] if at else "").lstrip(".")
    words = _AT.sub("", message)
    path = f"{where}.{inner}" if where and inner else where or inner
    if unknown := _UNKNOWN.fullmatch(words):
        return unknown_field(unknown[1], path, fields_of(kind, inner))
    if missing := _MISSING.fullmatch(words):
        return Misfit(path, f'"{missing[1]}" is missing')
    if choice := _CHOICE.fullmatch(words):
        known = _choices(kind, inner)
        hint = near_miss(choice[1], known) or (f"One of {', '.join(known)}" if known else "")
        return Misfit(path, f'"{choice[1][:80]}" is not known here', hint)
    return Misfit(path, words.replace("`", '"'))


def unknown_field(field: str, where: str, fields: list[str]) -> Misfit:
    """Return what is wrong with a field that is none of `fields`."""
    hint = near_miss(field, fields) or f"There is {', '.join(fields)}"
    place = f"{where}.{field}" if where else field
    return Misfit(place, f'There is no field "{field[:80]}" here', hint)


def fields_of(kind: type, inner: str) -> list[str]:
    """Return the fields of the struct at a path within a struct."""
    target = _type_at(kind, inner)
    return [field.encode_name for field in msgspec.structs.fields(target)] if target else []


def _type_at(kind: type, inner: str) -> Any:  # noqa: ANN401  a Struct type
    """Return the struct at a path within a struct, such as "retry" within a step."""
    found: Any = _struct_in(kind)
    for key in inner.split("."):
        for field in msgspec.structs.fields(found) if key and found else ():
            if field.encode_name == re.sub(r"\[.*", "", key):
                found = _struct_in(field.type) or found
    return found


def _struct_in(kind: Any) -> Any:  # noqa: ANN401  a type or a union
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    members: tuple[Any, ...] = getattr(cast(object, kind), "__args__", ())
    return next((found for each in members if (found := _struct_in(each))), None)


def _choices(kind: type, inner: str) -> list[str]:
    holder, _, name = inner.rpartition(".")
    struct = _type_at(kind, holder)
    fields = msgspec.structs.fields(struct) if struct else ()
    return [word for field in fields if field.encode_name == name for word in _words_of(field.type)]


def _words_of(kind: Any) -> list[str]:  # noqa: ANN401  a type, a union or a Literal
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(each.value) for each in kind]
    members: tuple[Any, ...] = getattr(cast(object, kind), "__args__", ())
    return [
        word for each in members for word in ([each] if isinstance(each, str) else _words_of(each))
    ]

"""The input of a task as a type, checked field by field."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from app.core.errors import FieldsError

T = TypeVar("T", bound=msgspec.Struct)


def parse(type_: type[T], given: Mapping[str, object]) -> T:
    """Return a task's input as its type.

    Raises:
        FieldsError: Names the fields that are missing, unknown or of another type.
    """
    fields = {field.name: field for field in msgspec.structs.fields(type_)}
    wrong = {name: "unknown" for name in given if name not in fields}
    wrong |= {
        name: "missing" for name, field in fields.items() if name not in given and field.required
    }
    for name in given.keys() & fields.keys():
        try:
            msgspec.convert(given[name], fields[name].type)
        except msgspec.ValidationError as error:
            wrong[name] = str(error)
    if wrong:
        named = "; ".join(f"{name}: {problem}" for name, problem in sorted(wrong.items()))
        raise FieldsError(named, wrong)
    return msgspec.convert(dict(given), type_)

"""The condition of a trigger in words, where it is simple enough to be said."""

import ast
from collections.abc import Callable

NameOf = Callable[[str], str]
"""Name of a unit by its path, empty for none."""

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "is",
    ast.NotEq: "is not",
    ast.Lt: "is below",
    ast.LtE: "is at most",
    ast.Gt: "is over",
    ast.GtE: "is at least",
    ast.In: "is one of",
    ast.NotIn: "is none of",
}
_MOST_PARTS = 3


def condition_words(text: str, name_of: NameOf) -> str:
    """Return "value is over 80" for `event.value > 80`; empty if only the text itself can say it.

    Args:
        text: An expression.
        name_of: The name of a unit by its path, empty for none.
    """
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    parts, joint = [parsed], ""
    if isinstance(parsed, ast.BoolOp):
        parts, joint = parsed.values, " and " if isinstance(parsed.op, ast.And) else " or "
    said = [_part(each, name_of) for each in parts]
    return joint.join(said) if all(said) and len(said) <= _MOST_PARTS else ""


def _part(part: ast.expr, name_of: NameOf) -> str:
    if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.Not):
        name = _name(part.operand)
        return f"{name} is not true" if name else ""
    if not isinstance(part, ast.Compare):
        name = _name(part)
        return f"{name} is true" if name else ""
    if len(part.ops) != 1:
        return ""
    name, value = _name(part.left), _value(part.comparators[0], name_of)
    verb = _COMPARED.get(type(part.ops[0]), "")
    return f"{name} {verb} {value}" if name and verb and value else ""


def _name(part: ast.expr) -> str:
    """Return "value" for `event.value` and "payload price" for `event.payload.price`."""
    pieces: list[str] = []
    while isinstance(part, ast.Attribute):
        pieces.insert(0, part.attr.replace("_", " "))
        part = part.value
    return " ".join(pieces) if isinstance(part, ast.Name) and part.id == "event" else ""


def _value(part: ast.expr, name_of: NameOf) -> str:
    if isinstance(part, ast.List | ast.Tuple) and part.elts:
        said = [_value(each, name_of) for each in part.elts]
        return ", ".join(said) if all(said) else ""
    if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
        value = _value(part.operand, name_of)
        return f"-{value}" if value else ""
    return _constant(part.value, name_of) if isinstance(part, ast.Constant) else ""


def _constant(value: object, name_of: NameOf) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}"
        case str():
            return name_of(value) or f"“{value}”"
        case _:
            return ""

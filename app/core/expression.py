"""Expressions in workflows: `${input.severity > 0.5}`; parsed and bounded, never `eval`.

An expression sees plain JSON values only: a dot reads a key of an object, so no method or
attribute of Python can be reached. app/core/bounded_eval.py bounds its time and memory: one
expression, or all those of one value together, end or are refused within about 50 ms.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from simpleeval import InvalidExpression

from app.core.bounded_eval import BoundedEvaluator
from app.core.errors import InputError
from app.core.eval_budget import Budget

LENGTH = 2000
"""Characters of one expression; a longer one belongs into an agent."""

_CHARACTERS = 3
"""Parsed for one unit of a budget; measured 0.5 us each."""

_HOLE = re.compile(r"\$\{((?:[^{}\"']|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*)\}")


def _default(value: object, other: object) -> object:
    return other if value is None else value


def _join(parts: Iterable[object], sign: str = ", ") -> str:
    return sign.join(str(part) for part in parts)


def _lower(text: object) -> str:
    return str(text).lower()


def _words(name: object) -> str:
    return str(name).replace("_", " ")


def _get(mapping: Mapping[str, object], key: str, other: object = None) -> object:
    return mapping.get(key, other)


def _head(path: object, segments: int) -> str:
    return "/".join(str(path).split("/")[:segments])


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "lower": _lower,
    "max": max,
    "min": min,
    "round": round,
    "str": str,
    "sum": sum,
    "default": _default,
    "join": _join,
    "get": _get,
    "unit_of": partial(_head, segments=4),
    "area_of": partial(_head, segments=2),
    "words": _words,
}
"""What an expression may call, beside the functions of plant values it is given."""

PLANT_FUNCTIONS = ("tag", "shown", "is_good")
"""Functions that read the plant at the moment a step begins."""


def evaluate(
    expression: str,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]] | None = None,
    budget: Budget | None = None,
) -> Any:  # noqa: ANN401  whatever the expression gives
    """Return the value of an expression.

    Args:
        expression: Without the `${` and `}`.
        names: JSON values by name.
        functions: Further functions, such as `tag`.
        budget: What it may cost, shared with other expressions; one of its own if there is none.

    Raises:
        InputError: It is wrong or cannot be computed; the message quotes it.
    """
    budget = budget or Budget()
    try:
        budget.spend(len(expression) // _CHARACTERS)
        tree = _parse(expression)
        evaluator = BoundedEvaluator(names, {**FUNCTIONS, **(functions or {})}, budget)
        found = evaluator.value(tree)
    except InputError:
        raise
    # whatever the operands may raise: a division by zero, a missing key, a wrong type
    except (InvalidExpression, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise InputError(f'Expression "{expression[:200]}" cannot be computed: {error}') from error
    except AttributeError as error:
        raise InputError(f'Expression "{expression[:200]}" is not understood') from error
    except RecursionError as error:
        raise InputError(
            f'Expression "{expression[:200]}" gives what is nested too deep'
        ) from error
    else:
        return found


def is_true(
    expression: str,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]] | None = None,
) -> bool:
    """Tell whether a condition holds; one that is empty does.

    Raises:
        InputError: It is wrong or cannot be computed.
    """
    text = bare(expression)
    return not text or bool(evaluate(text, names, functions))


def fill(
    value: object,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]] | None = None,
) -> Any:  # noqa: ANN401  whatever the expression gives
    """Return `value` with every `${…}` in it computed, all of them within one budget.

    A text that is one `${…}` alone becomes the value itself, of its own type; holes within a text
    become words in it. Lists and objects are filled element by element.

    Raises:
        InputError: An expression is wrong or cannot be computed.
    """
    return fill_by(value, lambda each, budget: evaluate(each, names, functions, budget))


def fill_by(value: object, found: Callable[[str, Budget], object]) -> Any:  # noqa: ANN401  whatever it gives
    """Return `value` as `fill` does, with what `found` gives for each expression.

    Args:
        value: A JSON value with `${…}` in its texts.
        found: Takes an expression and the budget that all of them share.
    """
    budget = Budget()

    def filled(part: object, path: str) -> object:
        match part:
            case str():
                return text(part, path)
            case list():
                items = enumerate(cast("list[object]", part))
                return [filled(each, f"{path}[{index}]") for index, each in items]
            case dict():
                pairs = cast("dict[str, object]", part)
                inner = f"{path}." if path else ""
                return {key: filled(each, f"{inner}{key}") for key, each in pairs.items()}
            case _:
                return part

    def text(part: str, path: str) -> object:
        try:
            return _fill_text(part, found, budget)
        except InputError as error:
            if not path or type(error) is not InputError:  # others mean the plant
                raise
            raise InputError(f"{path}: {error}", error.hint) from error

    return filled(value, "")


def expressions(value: object) -> Iterator[str]:
    """Yield every expression that stands in `value`, without `${` and `}`."""
    match value:
        case str():
            yield from (hole.strip() for hole in _HOLE.findall(value))
        case list():
            for each in cast("list[object]", value):
                yield from expressions(each)
        case dict():
            for each in cast("dict[str, object]", value).values():
                yield from expressions(each)
        case _:
            return


def bare(expression: str) -> str:
    """Return a condition without the `${` and `}` that may stand around it."""
    text = expression.strip()
    whole = _HOLE.fullmatch(text)
    return whole.group(1).strip() if whole else text


def check(expression: str) -> set[str]:
    """Return the names an expression uses.

    Raises:
        InputError: It is too long or no expression.
    """
    return {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)}


def called(expression: str) -> set[str]:
    """Return the names of the functions an expression calls; it must have passed `check`."""
    tree = ast.parse(expression.strip(), mode="eval")
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {func.id for func in calls if isinstance(func, ast.Name)}


def steps_used(expression: str) -> set[str]:
    """Return the steps that an expression reads: `steps.lookup.output` names "lookup"."""
    tree = ast.parse(expression.strip(), mode="eval")
    used: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="steps"), attr=name):
                used.add(name)
            case ast.Subscript(value=ast.Name(id="steps"), slice=ast.Constant(value=str() as name)):
                used.add(name)
            case _:
                pass
    return used


def bound_names(expression: str) -> set[str]:
    """Return the names that a comprehension in the expression makes itself."""
    tree = ast.parse(expression.strip(), mode="eval")
    targets = (node.target for node in ast.walk(tree) if isinstance(node, ast.comprehension))
    return {
        node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
    }


def _parse(expression: str) -> ast.Expression:
    if len(expression) > LENGTH:
        raise InputError(f"Expression has {len(expression)} characters; at most {LENGTH}")
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f'Expression "{expression[:200]}" is not understood: {why}') from error
    if "\\" in expression:
        _refuse_half_characters(tree, expression)
    return tree


def _refuse_half_characters(tree: ast.Expression, expression: str) -> None:
    """Refuse half of a surrogate pair; neither a message nor the store of runs can hold it.

    It can only be written here: JSON and TOML, hence inputs and outputs, have none.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node.value.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f'Expression "{expression[:200]}" holds half a character: {error.reason}'
                ) from error


def _fill_text(text: str, found: Callable[[str, Budget], object], budget: Budget) -> object:
    def value(hole: re.Match[str]) -> object:
        return found(hole.group(1).strip(), budget)

    whole = _HOLE.fullmatch(text.strip())
    if whole:
        return value(whole)
    return _HOLE.sub(lambda hole: _word(value(hole), budget), text)


def _word(value: object, budget: Budget) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    try:
        budget.spend(budget.weigh(value))
    except InvalidExpression as error:
        raise InputError(f"A text of many expressions cannot be computed: {error}") from error
    return str(value)

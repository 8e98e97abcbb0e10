"""Judges the expressions of a definition before anything runs."""

import ast
from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple, cast

from app.core.errors import InputError
from app.core.expression import (
    FUNCTIONS,
    PLANT_FUNCTIONS,
    bare,
    bound_names,
    called,
    check,
    expressions,
    steps_used,
)
from app.core.near import near_miss
from app.core.workflow_entry import Problem

OUTCOME = frozenset({"state", "output", "error", "round", "agent"})
"""What an expression may ask of a step."""

HOLES = 200
"""Expressions in one text at most."""

_STRANGE: Mapping[type[ast.AST], str] = {
    ast.Lambda: "A function of your own",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.NamedExpr: '":="',
    ast.Starred: '"*" before a list',
    ast.SetComp: "A set",
    ast.MatMult: '"@"',
    ast.LShift: '"<<"',
    ast.RShift: '">>"',
    ast.JoinedStr: "A text that begins with f",
}
"""What Python parses and app/core/bounded_eval.py does not compute."""

_KNOWN_FUNCTIONS = frozenset(FUNCTIONS) | set(PLANT_FUNCTIONS)


class Scope(NamedTuple):
    """What an expression may speak of.

    Attributes:
        names: Names it may use, such as "input".
        inputs: Inputs of the workflow.
        steps: Steps whose outcome is known there.
        all_steps: Steps of the workflow.
    """

    names: Set[str]
    inputs: Set[str]
    steps: Set[str]
    all_steps: Set[str]

    def plus(self, *names: str) -> "Scope":
        """Return the scope with further names."""
        return self._replace(names=self.names | set(names))

    def knowing(self, steps: Set[str]) -> "Scope":
        """Return the scope with further steps whose outcome is known."""
        return self._replace(steps=self.steps | steps)


def check_condition(text: str, scope: Scope, where: str) -> Iterator[Problem]:
    """Yield what is wrong with a condition, with or without `${}` around it."""
    if text.strip():
        yield from _check_one(bare(text), scope, where)


def check_value(value: object, scope: Scope, where: str) -> Iterator[Problem]:
    """Yield what is wrong with the expressions anywhere in a value."""
    match value:
        case str():
            yield from _check_text(value, scope, where)
        case list():
            items = cast(list[object], value)  # a TOML list
            for index, each in enumerate(items):
                yield from check_value(each, scope, f"{where}[{index}]")
        case dict():
            pairs = cast(dict[str, object], value)  # a TOML table
            for key, each in pairs.items():
                yield from check_value(each, scope, f"{where}.{key}")
        case _:
            return


def has_hole(value: object) -> bool:
    """Tell whether a value is a text with an expression, whose type is known in the run only."""
    return isinstance(value, str) and "${" in value


def _check_text(text: str, scope: Scope, where: str) -> Iterator[Problem]:
    if text.count("${") > HOLES:
        yield Problem(0, where, f"The text has over {HOLES} expressions", "Split it")
        return
    found = list(expressions(text))
    if text.count("${") > len(found) + sum(each.count("${") for each in found):
        yield Problem(0, where, 'A "${" is not closed', "Write } behind the expression")
    for each in found:
        yield from _check_one(each, scope, where)


def _check_one(expression: str, scope: Scope, where: str) -> Iterator[Problem]:
    try:
        names = check(expression)
        unknown = names - bound_names(expression) - scope.names - _KNOWN_FUNCTIONS
        functions = called(expression) - _KNOWN_FUNCTIONS
        steps = steps_used(expression)
        tree = ast.parse(expression.strip(), mode="eval")
    except InputError as error:
        yield Problem(0, where, str(error), "Write an expression, such as input.severity > 0.5")
        return
    except RecursionError:
        yield Problem(0, where, "The expression is nested too deeply", "Let an agent do it")
        return
    for name in sorted(functions):
        yield Problem(0, where, f'There is no function "{name}"', _choose(name, _KNOWN_FUNCTIONS))
    for name in sorted(unknown - functions):
        yield Problem(0, where, f'"{name}" is not known here', _choose(name, scope.names))
    for name in sorted(_keys_of(tree, "input") - scope.inputs):
        if "input" in scope.names:
            yield Problem(0, where, f'There is no input "{name}"', _choose(name, scope.inputs))
    if "steps" in scope.names:
        yield from _check_steps(steps, scope, where)
        for key in sorted(_keys_of_steps(tree) - OUTCOME):
            yield Problem(0, where, f'A step has no "{key}"', _choose(key, OUTCOME))
    yield from _check_nodes(tree, where)


def _check_steps(used: Set[str], scope: Scope, where: str) -> Iterator[Problem]:
    for name in sorted(used - scope.steps):
        if name in scope.all_steps:
            yield Problem(
                0,
                where,
                f'Step "{name}" need not have ended by then',
                f'Add "{name}" to needs, or to those of a step before',
            )
        else:
            yield Problem(0, where, f'There is no step "{name}"', _choose(name, scope.all_steps))


def _check_nodes(tree: ast.AST, where: str) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
            yield Problem(
                0, where, "An expression calls functions by their name only", 'Write get(x, "key")'
            )
        if words := _STRANGE.get(type(node)):
            yield Problem(0, where, f"{words} is not allowed in an expression")


def _keys_of(tree: ast.AST, holder: str) -> set[str]:
    keys: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=key) if name == holder:
                keys.add(key)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)) if (
                name == holder
            ):
                keys.add(key)
            case _:
                pass
    return keys


def _keys_of_steps(tree: ast.AST) -> set[str]:
    """Return the "output" of each `steps.lookup.output`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute | ast.Subscript)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "steps"
    }


def _choose(name: str, known: Set[str]) -> str:
    return near_miss(name, known) or f"There is {', '.join(sorted(known)) or 'none'}"

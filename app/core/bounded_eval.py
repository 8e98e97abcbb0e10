"""Evaluates one expression of a workflow: bounded in time and memory, nothing of Python in reach.

simpleeval reads the syntax tree; what it leaves unbounded is bounded here: formatting, powers,
shifts, and values that hold one big value many times over.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# simpleeval annotates nothing; what comes from it is given its type where it is taken

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from simpleeval import DEFAULT_OPERATORS, EvalWithCompoundTypes, InvalidExpression
from typing_extensions import override

BITS = 64
"""Of a whole number: what JSON of other programs can hold."""

WEIGHT = 200_000
"""Elements of one value, those within its elements counted, too; 64 characters are one."""

WORK = 1_000_000
"""Weight of all that one expression makes on its way."""

_CHARACTERS = 64
_DIGITS = 20
_MADE = (ast.BinOp, ast.Call, ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.List, ast.Tuple)


class BoundedEvaluator(EvalWithCompoundTypes):
    """Reads keys by a dot, and nothing else behind it."""

    def __init__(
        self, names: Mapping[str, object], functions: Mapping[str, Callable[..., object]]
    ) -> None:
        operators: dict[Any, Any] = dict(DEFAULT_OPERATORS)
        operators[ast.Is], operators[ast.IsNot] = operator.is_, operator.is_not
        operators[ast.Pow], operators[ast.Mod] = _power, _remainder
        operators[ast.LShift] = operators[ast.RShift] = _no_shift
        own = {"str": self._text, "sum": _sum, "join": self._join, "round": _round}
        super().__init__(operators, {**functions, **own}, dict(names))
        nodes: Any = self.nodes
        nodes[ast.Attribute] = self._read_key
        nodes.pop(ast.JoinedStr, None)
        nodes.pop(ast.FormattedValue, None)
        self._weights: dict[int, tuple[object, int]] = {}
        self._work = 0

    def value(self, expression: str) -> Any:  # noqa: ANN401  whatever it gives
        """Return the value of an expression.

        Raises:
            InvalidExpression: It is none, or would take too long or become too big.
        """
        return self.eval(expression)

    @override
    def _eval(self, node: ast.AST) -> object:
        value: Any = super()._eval(node)
        weight = self._weigh(value)
        self._work += weight if isinstance(node, _MADE) else 1
        if isinstance(node, ast.Compare | ast.Call):  # which look through what they are given
            given = node.comparators if isinstance(node, ast.Compare) else node.args
            self._work += sum(self._known(self._eval_again(each)) for each in given)
        if weight > WEIGHT or self._work > WORK:
            raise InvalidExpression("it takes too long or becomes too big")
        return value

    @override
    def _check_disallowed_items(self, item: object) -> None:
        """Look at nothing: `_weigh` refuses what is no JSON value, and each part only once."""

    def _eval_again(self, node: ast.AST) -> object:
        """Return what a name stands for; anything else has been counted when it was made."""
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        value: Any = super()._eval(node)
        return value

    def _known(self, value: object) -> int:
        return self._weights.get(id(value), (None, 1))[1]

    def _weigh(self, value: object) -> int:
        match value:
            case bool() | None:
                return 1
            case float():
                if not math.isfinite(value):
                    raise InvalidExpression("it is infinite or no number")
                return 1
            case int():
                if value.bit_length() > BITS:
                    raise InvalidExpression(f"a number needs more than {BITS} bits")
                return 1
            case complex():
                raise InvalidExpression("the root of a negative number is no number here")
            case str():
                return 1 + len(value) // _CHARACTERS
            case dict():
                pairs = cast("dict[object, object]", value)
                return self._weigh_all(value, [*pairs.keys(), *pairs.values()])
            case list() | tuple() | set():
                return self._weigh_all(value, cast("list[object]", value))
            case _:
                raise InvalidExpression("it gives a function and no value")

    def _weigh_all(self, holder: object, parts: Iterable[object]) -> int:
        known = self._weights.get(id(holder))
        if known is None or known[0] is not holder:
            # kept with its weight, so that no other object takes its id meanwhile
            known = (holder, 1 + sum(self._weigh(part) for part in parts))
            self._weights[id(holder)] = known
        return known[1]

    def _read_key(self, node: ast.Attribute) -> object:
        holder = self._eval(node.value)
        if not isinstance(holder, Mapping):
            raise InvalidExpression(f'"{node.attr}" is asked of something that is no object')
        known = cast("Mapping[str, object]", holder)
        if node.attr not in known:
            there = ", ".join(sorted(map(str, known))[:12]) or "nothing"
            raise InvalidExpression(f'"{node.attr}" is not there; there is {there}')
        return known[node.attr]

    def _text(self, value: object = "") -> str:
        self._check(value)
        return str(value)

    def _join(self, parts: Any, sign: object = ", ") -> str:  # noqa: ANN401  a JSON value
        texts = [self._text(part) for part in parts]
        if sum(map(len, texts)) + len(texts) * len(str(sign)) > WEIGHT * _CHARACTERS:
            raise InvalidExpression("the text becomes too long")
        return str(sign).join(texts)

    def _check(self, value: object) -> None:
        if self._weigh(value) > WEIGHT:
            raise InvalidExpression("the text becomes too long")


def _power(base: Any, exponent: Any) -> object:  # noqa: ANN401  a JSON value
    if isinstance(base, int) and isinstance(exponent, int):
        if base.bit_length() * max(exponent, 0) > 2 * BITS and base not in {-1, 0, 1}:
            raise InvalidExpression(f"a number needs more than {BITS} bits")
        if abs(exponent) > WORK:
            raise InvalidExpression("the exponent is too great")
    found: object = base**exponent
    return found


def _remainder(left: Any, right: Any) -> object:  # noqa: ANN401  a JSON value
    if isinstance(left, str | bytes):
        raise InvalidExpression("a text has no remainder; use join or ${…} within a text")
    found: object = left % right
    return found


def _round(number: Any, digits: Any = None) -> object:  # noqa: ANN401  a JSON value
    if digits is not None and abs(digits) > _DIGITS:
        raise InvalidExpression(f"round takes at most {_DIGITS} digits")
    found: object = round(number, digits)
    return found


def _no_shift(_: object, __: object) -> object:
    raise InvalidExpression("<< and >> are not offered")


def _sum(values: Any) -> object:  # noqa: ANN401  a JSON value
    numbers = list(values)
    if not all(isinstance(each, int | float) for each in numbers):
        raise InvalidExpression("sum takes numbers only")
    return sum(numbers)

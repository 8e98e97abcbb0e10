"""Evaluates one expression of a workflow: bounded in time and memory, nothing of Python in reach.

simpleeval reads the syntax tree; what it leaves unbounded is bounded here. Each node costs one unit
of a budget, and what an operation looks through, copies or writes out is paid before it begins.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# simpleeval annotates nothing; what comes from it is given its type where it is taken

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any, cast

from simpleeval import (
    DEFAULT_OPERATORS,
    EvalWithCompoundTypes,
    FeatureNotAvailable,
    InvalidExpression,
)
from typing_extensions import override

from app.core.eval_budget import BITS, Budget, plain_weight, size

_CONTAINERS = (list, tuple, set, dict)
_DIGITS = 20
_NUMBER_LENGTH = 400
_POWER = 1_000_000
_NEEDLE = 128
_HAYSTACK = 32_768
"""Above 30 000 characters CPython searches in linear time (Objects/stringlib/fastsearch.h)."""

_FREE = frozenset({"bool", "default", "get", "len"})
_COMPARED = 16
"""Elements compared for one unit; measured 8 to 56 ns each."""
_SUMMED = 8
_QUICK = frozenset({"max", "min", "sum"})


class BoundedEvaluator(EvalWithCompoundTypes):
    """Reads keys by a dot, and nothing else behind it; its lists are those of JSON."""

    def __init__(
        self,
        names: Mapping[str, object],
        functions: Mapping[str, Callable[..., object]],
        budget: Budget,
    ) -> None:
        operators: dict[Any, Any] = dict(DEFAULT_OPERATORS)
        operators[ast.Is], operators[ast.IsNot] = operator.is_, operator.is_not
        operators[ast.Pow], operators[ast.Mod] = _power, _remainder
        operators[ast.LShift] = operators[ast.RShift] = _no_shift
        super().__init__(operators, {}, dict(names))
        self._signs = operators
        own: dict[str, Callable[..., object]] = {
            "str": self._text,
            "join": self._join,
            "sum": _sum,
            "round": _round,
            "int": _int,
            "float": _float,
        }
        self.functions: dict[str, Callable[..., object]] = {**functions, **own}
        nodes: Any = self.nodes
        nodes[ast.Attribute] = self._read_key
        # a tuple could be a key, and many of them with one hash make a slow object
        nodes[ast.Tuple] = self._eval_list
        for strange in (ast.JoinedStr, ast.FormattedValue, ast.Slice):
            nodes.pop(strange, None)
        self._handlers = nodes
        self._budget = budget
        self._bound: dict[str, object] = {}

    def value(self, tree: ast.Expression) -> Any:  # noqa: ANN401  whatever it gives
        """Return the value of an expression.

        Raises:
            InvalidExpression: It is none, or would take too long or become too big.
        """
        found = self._eval(tree.body)
        self._budget.give(found)
        return found

    @override
    def _eval(self, node: ast.AST) -> object:
        self._budget.spend(1)
        handler: Any = self._handlers.get(type(node))
        if handler is None:
            raise FeatureNotAvailable(f"{type(node).__name__} is not offered")
        value: object = handler(node)
        if not isinstance(value, _CONTAINERS):
            plain_weight(value)
        return value

    @override
    def _eval_name(self, node: ast.Name) -> object:
        for known in (self._bound, cast("dict[str, object]", self.names)):
            if node.id in known:
                return known[node.id]
        raise InvalidExpression(f'"{node.id}" is not known')

    @override
    def _eval_binop(self, node: ast.BinOp) -> object:
        left: Any = self._eval(node.left)
        right: Any = self._eval(node.right)
        self._budget.spend(size(left) + size(right))
        for holder, times in ((left, right), (right, left)):
            if isinstance(node.op, ast.Mult) and isinstance(times, int):
                self._budget.spend(size(holder) * max(times, 0))
        found: object = self._signs[type(node.op)](left, right)
        self._budget.spend(size(found))
        return found

    @override
    def _eval_compare(self, node: ast.Compare) -> object:
        left, found = self._eval(node.left), cast("object", True)
        for sign, each in zip(node.ops, node.comparators, strict=True):
            right = self._eval(each)
            self._budget.spend(self._comparing(sign, left, right))
            found = self._signs[type(sign)](left, right)
            if not found:
                break
            left = right
        return found

    def _comparing(self, sign: ast.cmpop, left: object, right: object) -> int:
        is_search = isinstance(sign, ast.In | ast.NotIn)
        match left, right:
            case str(), str() if is_search:
                return _searching(left, right)
            case _, list() | tuple() if is_search:
                return self._budget.weigh(right) // _COMPARED
            case (str(), str()) | (list(), list()) | (dict(), dict()) | (set(), set()):
                both = self._budget.weigh(left), self._budget.weigh(right)
                return min(both) // _COMPARED
            case _:
                return 0

    @override
    def _eval_call(self, node: ast.Call) -> object:
        if not isinstance(node.func, ast.Name):
            raise FeatureNotAvailable("Methods of values cannot be called; use a function")
        name = node.func.id
        if name not in self.functions:
            raise FeatureNotAvailable(f'There is no function "{name}"')
        given = [self._eval(each) for each in node.args]
        named = {str(each.arg): self._eval(each.value) for each in node.keywords}
        if name not in _FREE:
            per_unit = _SUMMED if name in _QUICK else 1
            for each in (*given, *named.values()):
                characters = len(each) if isinstance(each, str) and name in _QUICK else 0
                self._budget.spend(max(self._budget.weigh(each), characters) // per_unit)
        return self.functions[name](*given, **named)

    @override
    def _eval_list(self, node: ast.List | ast.Tuple) -> list[object]:
        return [self._eval(each) for each in node.elts]

    @override
    def _eval_dict(self, node: ast.Dict) -> dict[object, object]:
        made: dict[object, object] = {}
        for key, each in zip(node.keys, node.values, strict=True):
            value = self._eval(each)
            if key is not None:
                made[self._eval(key)] = value
            elif isinstance(value, dict):
                self._budget.spend(size(value))
                made.update(cast("dict[object, object]", value))
            else:
                raise InvalidExpression('"**" takes an object')
        return made

    @override
    def _eval_comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp
    ) -> dict[Any, Any] | list[Any]:
        made: list[object] = []
        pairs: dict[str, object] = {}
        outer, self._bound = self._bound, dict(self._bound)
        try:
            self._generate(node, 0, made, pairs)
        finally:
            self._bound = outer
        return pairs if isinstance(node, ast.DictComp) else made

    def _generate(
        self,
        node: ast.ListComp | ast.GeneratorExp | ast.DictComp,
        depth: int,
        made: list[object],
        pairs: dict[str, object],
    ) -> None:
        if depth < len(node.generators):
            part = node.generators[depth]
            source: Any = self._eval(part.iter)
            for each in source:  # each costs at least the node that is read for it
                self._bind(part.target, each)
                if all(self._eval(condition) for condition in part.ifs):
                    self._generate(node, depth + 1, made, pairs)
        elif isinstance(node, ast.DictComp):
            key = self._eval(node.key)
            if not isinstance(key, str):  # whole numbers can be chosen to hash badly
                raise InvalidExpression("the keys of an object made by for are texts; use str()")
            pairs[key] = self._eval(node.value)
        else:
            made.append(self._eval(node.elt))

    def _bind(self, target: ast.expr, value: Any) -> None:  # noqa: ANN401  a JSON value
        match target:
            case ast.Name(id=name):
                self._bound[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for each, part in zip(targets, value, strict=True):
                    self._bind(each, part)
            case _:
                raise FeatureNotAvailable(f"{type(target).__name__} is not offered behind for")

    @override
    def _eval_subscript(self, node: ast.Subscript) -> object:
        if isinstance(node.slice, ast.Slice):
            raise FeatureNotAvailable("a part [from:to] is not offered")
        return super()._eval_subscript(node)

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
        return str(value)

    def _join(self, parts: Any, sign: object = ", ") -> str:  # noqa: ANN401  a JSON value
        self._budget.spend(len(parts))  # the characters of a text, too
        texts = [str(part) for part in parts]
        characters = sum(map(len, texts)) + len(texts) * len(str(sign))
        self._budget.spend(characters // 256)
        return str(sign).join(texts)


def _searching(needle: str, text: str) -> int:
    """Return the units that looking for a text in a text costs at worst; measured 0.7 ms."""
    quadratic = min(len(text), _HAYSTACK) * min(len(needle), _NEEDLE) // 1024
    return quadratic + len(text) // 128


def _power(base: Any, exponent: Any) -> object:  # noqa: ANN401  a JSON value
    if isinstance(base, int) and isinstance(exponent, int):
        if base.bit_length() * max(exponent, 0) > 2 * BITS and base not in {-1, 0, 1}:
            raise InvalidExpression(f"a number needs more than {BITS} bits")
        if abs(exponent) > _POWER:
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


def _int(value: Any = 0) -> int:  # noqa: ANN401  a JSON value
    return int(_number_text(value))


def _float(value: Any = 0.0) -> float:  # noqa: ANN401  a JSON value
    return float(_number_text(value))


def _number_text(value: Any) -> Any:  # noqa: ANN401  a JSON value
    if isinstance(value, str) and len(value) > _NUMBER_LENGTH:
        raise InvalidExpression(f"a text of {len(value)} characters is no number")
    return value


def _no_shift(_: object, __: object) -> object:
    raise InvalidExpression("<< and >> are not offered")


def _sum(values: Any) -> object:  # noqa: ANN401  a JSON value
    numbers = list(values)
    if not all(isinstance(each, int | float) for each in numbers):
        raise InvalidExpression("sum takes numbers only")
    return sum(numbers)

"""Counts what expressions cost, so that they end or are refused within about 50 ms."""

import math
from collections.abc import Collection
from typing import Any, cast

from simpleeval import InvalidExpression

UNITS = 40_000
"""What the expressions of one value may cost together. A unit is what reading one node of a
syntax tree takes, 0.8 to 1.2 us on a server of 2023 (tests/unit/core/test_eval_cost.py)."""

WEIGHT = 200_000
"""Elements of what they give together, counted deep; 64 characters are one."""

BITS = 64
"""Of a whole number: what JSON of other programs can hold."""

_CHARACTERS = 64
_WALKED = 3
"""Elements looked at for one unit; measured 0.3 to 0.5 us each."""


class Budget:
    """What the expressions of one value, such as all inputs of a step, may still cost."""

    def __init__(self, units: int = UNITS) -> None:
        self._left = units
        self._room = WEIGHT
        # each container with its weight; it is held, so that no other takes its id meanwhile
        self._weights: dict[int, tuple[object, int]] = {}

    def spend(self, units: int) -> None:
        """Take units off.

        Raises:
            InvalidExpression: Too few are left.
        """
        self._left -= units
        if self._left < 0:
            raise InvalidExpression("it takes too long or becomes too big; let an agent do it")

    def give(self, value: object) -> None:
        """Count a value that an expression gives.

        Raises:
            InvalidExpression: It is no JSON value, or all together become too big.
        """
        self._room -= self.weigh(value)
        if self._room < 0:
            raise InvalidExpression("it takes too long or becomes too big; let an agent do it")

    def weigh(self, value: object) -> int:
        """Return the elements of a value, deep; what is weighed for the first time costs.

        Raises:
            InvalidExpression: It is no JSON value, or looking at it takes too long.
        """
        if not isinstance(value, list | tuple | set | dict):
            return plain_weight(value)
        known = self._weights.get(id(cast("object", value)))
        return known[1] if known else self._walk(cast("Collection[object]", value))

    def _walk(self, holder: Collection[object]) -> int:
        parts, held = list(holder), cast("object", holder)
        if isinstance(holder, dict):
            parts += cast("dict[object, object]", holder).values()
        self.spend(1 + len(parts) // _WALKED)
        weight = 1
        for part in parts:
            if isinstance(part, str):
                weight += 1 + len(part) // _CHARACTERS
            else:
                weight += self.weigh(part)
        self._weights[id(held)] = held, weight
        return weight


def plain_weight(value: object) -> int:
    """Return the weight of a value that holds no others.

    Raises:
        InvalidExpression: It is no JSON value.
    """
    if isinstance(value, str):
        return 1 + len(value) // _CHARACTERS
    if isinstance(value, int):
        if value.bit_length() > BITS:
            raise InvalidExpression(f"a number needs more than {BITS} bits")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidExpression("it is infinite or no number")
    elif isinstance(value, complex):
        raise InvalidExpression("the root of a negative number is no number here")
    elif value is not None:
        raise InvalidExpression("it gives a function and no value")
    return 1


def size(value: Any) -> int:  # noqa: ANN401  a JSON value
    """Return the units that copying or merging a value costs, its elements not copied."""
    match value:
        case str():
            return len(value) // 256
        case list() | tuple():
            return len(cast("list[object]", value)) // 64
        case dict() | set():
            return len(cast("dict[object, object]", value)) // 16
        case _:
            return 0

"""What expressions may cost: whatever is written and given, they end or are refused soon."""

import gc
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from app.core.errors import InputError
from app.core.expression import LENGTH, evaluate, fill

SOON_S = 0.3
"""The bound is 50 ms of CPU time; the rest is for slower and loaded machines."""

LONG = list(range(9999))
NAMES: dict[str, object] = {
    "long": LONG,
    "twin": list(range(9999)),
    "floats": [each + 0.12345 for each in range(9999)],
    "rows": [{"a": each, "b": str(each), "c": [each, 0.5]} for each in range(3000)],
    "same": [{"a": each, "b": str(each), "c": [each, 0.5]} for each in range(3000)],
    "text": "a" * 29_999,
    "needle": "a" * 49 + "b" + "a" * 49,
    "odd": "\x01é'" * 30_000,
    "slashes": "a/" * 50_000,
    "deep": [[[[[[[each]]]]]] for each in range(1000)],
    "object": {str(each): each for each in range(9999)},
    "other": {str(each): each for each in range(9999)},
    "digits": "0" * 4000 + "1",
}


@pytest.fixture(autouse=True)
def _own_time() -> Iterator[None]:
    """Collect no garbage of the tests before: in a process of thousands it takes a second."""
    gc.disable()
    yield
    gc.enable()


def _cpu_s(expression: str, names: Mapping[str, object] = NAMES) -> float:
    began_s = time.thread_time()
    try:
        value: Any = evaluate(expression, names)
    except InputError:
        return time.thread_time() - began_s
    took_s = time.thread_time() - began_s
    assert len(msgspec.json.encode(value)) < 20_000_000
    return took_s


@pytest.mark.parametrize(
    "expression",
    [
        "[" + "+".join(["x"] * 40) + " for x in long]",
        "[[x, x, x, x] == [x, x, x, x] for x in long]",
        "[{'a': x, 'b': [x, 1, 2, 3]} == {'a': x, 'b': [x, 1, 2, 3]} for x in long]",
        "[{'a': long} == {'a': twin} for x in long]",
        "[[long] == [twin] for x in long]",
        "[{'a': rows} != {'a': same} for x in long]",
        "[(long if x else twin) == (twin if x else long) for x in long]",
        "[[rows, rows] < [same, same] for x in long]",
        "[rows == same for x in long]",
        "[object == other for x in long]",
        "[{**object} for x in long]",
        "[object | other for x in long]",
        "[{'a': 1} in rows for x in long]",
        "[-1 in long for x in long]",
        "[[[[[[[[1]]]]]]] in deep for x in long]",
        "[long + twin for x in long]",
        "[long * 10 for x in long]",
        "[text + text for x in long]",
        "['ab' * 50000 for x in long]",
        "[needle in text for x in long]",
        "[1 for x in rows if max(floats) > 0]",
        "[min(rows, same) for x in long]",
        "[max('a' * 100000) for x in long]",
        "[sum(floats) for x in long]",
        "[str(floats) for x in long]",
        "[str(odd) for x in long]",
        "[lower(odd) for x in long]",
        "[unit_of(slashes) for x in long]",
        "[join(floats) for x in long]",
        "[join(slashes) for x in long]",
        "join([join(text, text) for x in long], text)",
        "[int(digits) for x in long]",
        "[float(digits) for x in long]",
        "[len(str([x] * 1000)) for x in long]",
        "{(a, b, c, d, e, f, g, h, i, j, k, l, m): 0"
        + "".join(f" for {each} in [-1, -2]" for each in "abcdefghijklm")
        + "}",
        "str([[b, b] for b in [[a, a] for a in [[c, c] for c in [rows, rows]]]])",
    ],
)
def test_nothing_holds_the_app_up(expression: str):
    assert _cpu_s(expression) < SOON_S


@pytest.mark.parametrize("seed", range(40))
def test_nothing_that_is_made_up_holds_the_app_up(seed: int):
    maker = _Maker(random.Random(seed))  # noqa: S311  no secret

    slowest = max((_cpu_s(each), each) for each in (maker.expression() for _ in range(25)))

    assert slowest[0] < SOON_S, slowest[1]


def test_the_expressions_of_one_step_share_one_bound():
    one = "${len(str(floats))}"
    began_s = time.thread_time()
    with pytest.raises(InputError, match="too long"):
        fill({"a": [one] * 500, "b": f"{one} " * 500}, NAMES)
    assert time.thread_time() - began_s < SOON_S


def test_what_the_expressions_of_one_step_give_together_is_bounded():
    with pytest.raises(InputError, match="too big"):
        fill(["${rows}"] * 1000, NAMES)


def test_a_big_value_in_a_text_counts_each_time():
    began_s = time.thread_time()
    with pytest.raises(InputError, match="too long"):
        fill("${rows} " * 500, NAMES)
    assert time.thread_time() - began_s < SOON_S


def test_a_step_of_many_small_expressions_is_within_the_bound():
    filled = fill([f"at ${{object['{each}'] * 2.5}}" for each in range(500)], NAMES)

    assert filled[-1] == "at 1247.5"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[x + 1 for x in long][9998]", 9999),
        ("len([x for x in rows if x.a > 5])", 2994),
        ("max(floats) - min(floats)", 9998.0),
        ("len(join(long))", 58_882),
        ("'zz' in text", False),
        ("rows == same", True),
        ("get({str(x.a): x.b for x in rows}, '7')", "7"),
        ("[a + b for (a, b) in [x.c for x in rows]][2]", 2.5),
        ("(1, 2) == [1, 2]", True),
    ],
)
def test_what_a_workflow_may_well_ask_of_a_long_list_is_answered(expression: str, value: object):
    assert evaluate(expression, NAMES) == value


def test_a_part_of_a_list_is_refused_in_words():
    with pytest.raises(InputError, match=r"part \[from:to\] is not offered"):
        evaluate("long[0:3]", NAMES)


def test_keys_that_could_hash_badly_are_refused():
    with pytest.raises(InputError, match="use str"):
        evaluate("{x: 1 for x in long}", NAMES)


class _Maker:
    """Makes up expressions that compare, build, repeat and look through, one in another."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._bound = 0

    def expression(self) -> str:
        """Return an expression of at most LENGTH characters."""
        self._bound = 0
        made = self._any(self._dice.randint(2, 6), [])
        return made if len(made) <= LENGTH else self.expression()

    def _any(self, depth: int, bound: list[str]) -> str:
        if depth == 0:
            return self._dice.choice(
                [*NAMES, *bound, *bound, *bound, "1", "-2", "0.5", "'a'", "[1]"]
            )
        shape = self._dice.choice(_SHAPES)
        if "{for}" not in shape:
            return shape.format(*(self._any(depth - 1, bound) for _ in range(shape.count("{}"))))
        self._bound += 1
        name = f"v{self._bound}"
        source = self._any(depth - 1, bound)
        within = [*bound, name]
        parts = [self._any(depth - 1, within) for _ in range(shape.count("{}"))]
        return shape.format(*parts, **{"for": f"for {name} in {source}"})


_SHAPES = [
    "[{} {for}]",
    "[{} {for}]",
    "[{} {for} if {}]",
    "{{str({}): {} {for}}}",
    "({} == {})",
    "({} < {})",
    "({} in {})",
    "[{}, {}]",
    "{{'a': {}, 'b': {}}}",
    "{{**{}, 'b': {}}}",
    "({} + {})",
    "({} * 1000)",
    "({} | {})",
    "({} if {} else {})",
    "max({})",
    "min({}, {})",
    "sum({})",
    "len({})",
    "str({})",
    "join({})",
    "join({}, {})",
    "lower({})",
    "unit_of({})",
    "int({})",
    "float({})",
    "get({}, {})",
    "default({}, {})",
]

"""Where the steps of a workflow stand in its picture."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.graph_layout import layout
from app.core.workflow import ActionKind, Step, Workflow


def workflow_of(needs: Mapping[str, Sequence[str]], **on_error: str) -> Workflow:
    return Workflow(
        name="demo",
        steps=tuple(
            Step(
                id=name,
                do=ActionKind.WAIT,
                needs=tuple(those),
                on_error=on_error.get(name, "fail"),
            )
            for name, those in needs.items()
        ),
    )


@pytest.mark.parametrize(
    ("needs", "places"),
    [
        ({}, {}),
        ({"a": []}, {"a": (0, 0)}),
        ({"a": [], "b": ["a"], "c": ["b"]}, {"a": (0, 0), "b": (1, 0), "c": (2, 0)}),
        (
            {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]},
            {"a": (0, 0), "b": (1, 0), "c": (1, 1), "d": (2, 0)},
        ),
        (
            {"a": [], "b": ["a"], "c": ["a", "b"]},
            {"a": (0, 0), "b": (1, 0), "c": (2, 0)},
        ),
        (
            {"a": [], "b": [], "c": ["b"], "d": ["a"]},
            {"a": (0, 0), "b": (0, 1), "d": (1, 0), "c": (1, 1)},
        ),
    ],
)
def test_steps_stand_left_to_right(
    needs: Mapping[str, Sequence[str]], places: dict[str, tuple[int, int]]
):
    assert layout(workflow_of(needs)) == places


def test_an_error_handler_stands_right_of_its_step():
    found = layout(workflow_of({"tidy": [], "work": []}, work="goto:tidy"))

    assert found["tidy"][0] > found["work"][0]


def test_steps_in_a_circle_are_placed_all_the_same():
    assert set(layout(workflow_of({"a": ["b"], "b": ["a"], "c": ["c"]}))) == {"a", "b", "c"}


@given(st.lists(st.sets(st.integers(0, 14)), min_size=1, max_size=15))
def test_no_two_steps_stand_in_one_place_and_edges_lead_right(sets: list[set[int]]):
    needs = {
        f"s{index}": [f"s{each}" for each in sorted(some) if each < index]
        for index, some in enumerate(sets)
    }
    found = layout(workflow_of(needs))

    assert len(set(found.values())) == len(needs)
    assert all(found[need][0] < found[name][0] for name in needs for need in needs[name])
    assert min(row for _, row in found.values()) == 0

"""Where the steps of a workflow stand in its picture."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.graph_layout import TALLEST, Lane, Side, is_lowest, lane, layout
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


def fan(width: int) -> dict[str, list[str]]:
    """One step, `width` steps that need it, and one that needs them all."""
    middle = [f"m{index}" for index in range(width)]
    return {"first": [], **{name: ["first"] for name in middle}, "last": middle}


@given(st.integers(TALLEST + 1, 400))
def test_a_wide_layer_is_folded_into_a_block_no_taller_than_wide(width: int):
    cells = layout(workflow_of(fan(width)))
    rows = {row for _, row in cells.values()}
    columns = {column for name, (column, _) in cells.items() if name[0] == "m"}

    assert len(rows) <= max(TALLEST, len(columns) + 1)
    assert len(set(cells.values())) == width + 2
    assert all(0 < column < cells["last"][0] for column in columns)


def test_a_layer_that_just_fits_stands_in_one_column():
    cells = layout(workflow_of(fan(TALLEST)))

    assert {column for column, _ in cells.values()} == {0, 1, 2}


def test_a_folded_layer_stands_around_what_leads_to_it():
    cells = layout(workflow_of(fan(30)))
    rows = [row for name, (_, row) in cells.items() if name[0] == "m"]

    assert min(rows) < cells["first"][1] < max(rows)
    assert min(rows) < cells["last"][1] < max(rows)


@given(st.lists(st.sets(st.integers(0, 39), max_size=4), min_size=1, max_size=40))
def test_a_lane_along_a_row_meets_no_step(sets: list[set[int]]):
    needs = {
        f"s{index}": [f"s{each}" for each in sorted(some) if each < index]
        for index, some in enumerate(sets)
    }
    cells = layout(workflow_of(needs))
    met = [
        (source, target)
        for target, those in needs.items()
        for source in those
        if (found := lane(cells, source, target)) and found.side is Side.ALONG
        for column in range(cells[source][0] + 1, cells[target][0])
        if (column, found.row) in set(cells.values())
    ]

    assert met == []


BLOCKED = {"a": (0, 0), "b": (1, 0), "c": (1, 1), "d": (2, 1)}


def test_where_both_rows_are_taken_an_edge_runs_between_rows():
    assert lane(BLOCKED, "a", "d") == Lane(1, Side.ABOVE)
    assert lane(BLOCKED, "a", "d", is_merging=True) == Lane(0, Side.BELOW)


def test_neighbours_need_no_lane():
    assert lane(BLOCKED, "a", "b") is None


def test_a_step_with_another_below_it_is_not_the_lowest():
    assert not is_lowest(BLOCKED, "b")
    assert is_lowest(BLOCKED, "c")

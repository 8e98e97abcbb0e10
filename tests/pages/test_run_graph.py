"""How the edges of a run's picture run: never over a plate."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.run import StepRun, StepState
from app.core.workflow import ActionKind, Jump, Step, Workflow
from pages.widgets.workflow.graph import HEIGHT, WIDTH, Graph, graph_parts, place_steps

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SAMPLES = 24
_COMMAND = re.compile(r"([MCHVv])([^MCHVv]*)")
_PATH = re.compile(r'<path class="mw-edge mw-edge-loop"[^>]* d="([^"]*)"')

Point = tuple[float, float]


def flow(sets: list[set[int]], *jumps: tuple[int, int]) -> Workflow:
    """Steps s0, s1, … by what they need of those before, and jumps back."""
    back = {source: Jump(f"s{target}", max=3) for source, target in jumps}
    return Workflow(
        name="demo",
        steps=tuple(
            Step(
                id=f"s{index}",
                do=ActionKind.WAIT,
                needs=tuple(f"s{each}" for each in sorted(some) if each < index),
                goto=back.get(index),
            )
            for index, some in enumerate(sets)
        ),
    )


def points(curve: str) -> Iterator[Point]:
    """Return points on an SVG path of moves, cubic curves, and level and upright lines."""
    at = (0.0, 0.0)
    for letter, text in _COMMAND.findall(curve):
        numbers = [float(each) for each in text.split()]
        end = _end(letter, numbers, at)
        bends = numbers[:4] if letter == "C" else [*at, *end]
        for part in range(SAMPLES + 1):
            yield _between(at, bends, end, part / SAMPLES)
        at = end


def _end(letter: str, numbers: list[float], at: Point) -> Point:
    match letter:
        case "H":
            return numbers[0], at[1]
        case "V":
            return at[0], numbers[0]
        case "v":
            return at[0], at[1] + numbers[0]
        case _:
            return numbers[-2], numbers[-1]


def _between(start: Point, bends: list[float], end: Point, part: float) -> Point:
    rest = 1 - part
    weights = (rest**3, 3 * rest * rest * part, 3 * rest * part * part, part**3)
    xs = (start[0], bends[0], bends[2], end[0])
    ys = (start[1], bends[1], bends[3], end[1])
    return (
        sum(w * x for w, x in zip(weights, xs, strict=True)),
        sum(w * y for w, y in zip(weights, ys, strict=True)),
    )


def crossed(graph: Graph, curve: str) -> set[str]:
    """Return the steps whose plates a curve runs over."""
    on = list(points(curve))[SAMPLES + 1 :]  # the first is the move to the start
    return {
        name
        for name, spot in graph.spots.items()
        for x, y in on
        if spot.x + 1 < x < spot.x + WIDTH - 1 and spot.y + 1 < y < spot.y + HEIGHT - 1
    }


SETS = st.lists(st.sets(st.integers(0, 29), max_size=4), min_size=1, max_size=30)


@settings(deadline=None)
@given(SETS)
@example([set(), *[{0} for _ in range(30)], set(range(1, 31))])
@example([set(), *[{0} for _ in range(9)], *[{each} for each in range(1, 10)]])
def test_no_edge_runs_over_a_plate(sets: list[set[int]]):
    graph = place_steps(flow(sets))
    over = {ends: crossed(graph, curve) for ends, curve in graph.curves.items()}
    assert {ends: found for ends, found in over.items() if found} == {}


@settings(deadline=None)
@given(SETS, st.integers(0, 29), st.integers(0, 29))
def test_no_loop_back_runs_over_a_plate(sets: list[set[int]], source: int, target: int):
    graph = place_steps(flow(sets, (source % len(sets), target % len(sets))))
    edges = graph_parts(graph, {}, "s0", NOW)["edges"]
    (curve,) = _PATH.findall(edges)
    assert not crossed(graph, curve)


def test_every_curve_stays_inside_the_picture():
    graph = place_steps(flow([set(), *[{0} for _ in range(30)], set(range(1, 31))]))
    found = [point for curve in graph.curves.values() for point in points(curve)]
    assert all(0 <= x <= graph.width and 0 <= y <= graph.height for x, y in found)


def test_an_error_that_leads_back_is_drawn_and_runs_over_no_plate():
    steps = (
        Step("s0", ActionKind.WAIT),
        Step("s1", ActionKind.WAIT, needs=("s0",), on_error="goto:s0"),
    )
    graph = place_steps(Workflow(name="demo", steps=steps))
    edges = graph_parts(graph, {}, "s0", NOW)["edges"]
    (curve,) = _PATH.findall(edges)
    assert "after an error" in edges
    assert not crossed(graph, curve)


@pytest.mark.parametrize(
    ("state", "ended_at", "shown"),
    [
        (StepState.DONE, NOW, ">0 ms</span> · round 7<"),
        (StepState.PENDING, None, ">round 7<"),
        (StepState.SKIPPED, NOW, ">round 7<"),
    ],
)
def test_a_figure_that_is_missing_leaves_no_dot(
    state: StepState, ended_at: datetime | None, shown: str
):
    begun = NOW if state is StepState.DONE else None
    step = StepRun("s0", round=7, state=state, started_at=begun, ended_at=ended_at)
    plate = graph_parts(place_steps(flow([set()])), {"s0": step}, "s0", NOW)["node-s0"]
    assert shown in plate

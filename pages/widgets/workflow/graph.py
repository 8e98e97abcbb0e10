"""The run graph: plates from left to right, joined by what needs what."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, assert_never

from app.core.graph_layout import Lane, Side, is_lowest, lane, layout
from app.core.run import SETTLED, StepRun, StepState
from app.core.step_order import sources
from app.core.workflow import ActionKind, Step, Workflow
from app.supervisor.restart import agent_title
from pages.markup import Html, join, tag
from pages.widgets.workflow.marks import STEP_LOOKS, glyph
from pages.widgets.workflow.words import count_words, is_for_person, sentence, ticking

WIDTH, HEIGHT = 184, 84
"""Size of a plate, px."""

_GAP_X, _GAP_Y, _PAD, _LOOP = 44, 20, 12, 34
_TRACK = 6
"""Between a plate and an edge that runs beside it, px."""

ACTIONS: Mapping[ActionKind, str] = {
    ActionKind.TASK: "task",
    ActionKind.PUBLISH: "message",
    ActionKind.NOTIFY: "notification",
    ActionKind.HTTP: "HTTP call",
    ActionKind.WAIT: "wait",
    ActionKind.APPROVE: "decision",
    ActionKind.COMMAND: "command",
    ActionKind.WORKFLOW: "workflow",
}
_GONE_BY = frozenset({StepState.DONE, StepState.FAILED})


class Spot(NamedTuple):
    """Upper left corner of a plate, px."""

    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Where everything stands; made once a page.

    Attributes:
        workflow: The definition.
        cells: Column and row by step.
        spots: Plates by step.
        curves: How each edge runs, as SVG, by the steps at its ends.
        width: Of the drawing, px.
        height: Of the drawing, px.
    """

    workflow: Workflow
    cells: Mapping[str, tuple[int, int]]
    spots: Mapping[str, Spot]
    curves: Mapping[tuple[str, str], str]
    loops: Mapping[tuple[str, str], str]
    width: int
    height: int


def place_steps(workflow: Workflow) -> Graph:
    """Return the drawing's plan."""
    cells = layout(workflow)
    spots = {name: _spot(column, row) for name, (column, row) in cells.items()}
    width = max((spot.x for spot in spots.values()), default=0) + WIDTH + _PAD
    height = max((spot.y for spot in spots.values()), default=0) + HEIGHT + _PAD
    curves = _curves(workflow, cells, spots)
    loops = _loops(workflow, curves)
    return Graph(workflow, cells, spots, curves, loops, width, height + _LOOP * bool(loops))


def _spot(column: int, row: int) -> Spot:
    return Spot(_PAD + column * (WIDTH + _GAP_X), _PAD + row * (HEIGHT + _GAP_Y))


def latest(steps: Iterable[StepRun]) -> dict[str, StepRun]:
    """Return the last round of each step."""
    rounds: dict[str, StepRun] = {}
    for each in steps:
        if each.step not in rounds or each.round >= rounds[each.step].round:
            rounds[each.step] = each
    return rounds


def node_key(step: str) -> str:
    """Return the key of a plate."""
    return f"node-{step}"


def has_begun(done: StepRun) -> bool:
    """Tell whether anything was done; what a failure elsewhere cancelled may have no attempt."""
    return bool(done.attempts) or done.state is not StepState.CANCELLED


def step_look(done: StepRun) -> tuple[str, str]:
    """Return shape and word of a step; one that waits for a decision shows a hand."""
    shape, word = STEP_LOOKS[done.state]
    if done.compensation not in {"", "done"}:
        return "failed", "not taken back"
    if done.waiting_for:
        shape = "person" if is_for_person(done.waiting_for) else "waiting"
        word = f"waits for {done.waiting_for.partition(':')[0]}"
    elif done.state is StepState.CANCELLED and not has_begun(done):
        word = "not begun"
    elif done.compensation and done.state is StepState.DONE:
        shape, word = "off", "done, taken back"
    elif done.carried:
        word = "done in an earlier run"
    return shape, word


def graph_html(graph: Graph, parts: Mapping[str, Html]) -> Html:
    """Return the whole drawing, of the parts that `graph_parts` made."""
    size = f"width:{graph.width}px;height:{graph.height}px"
    inside = tag("div", list(parts.values()), class_="mw-graph", style=size)
    return tag("div", inside, class_="mw-graph-scroll", role="group", aria_label="Steps of the run")


def graph_parts(
    graph: Graph, rounds: Mapping[str, StepRun], chosen: str, now: datetime
) -> dict[str, Html]:
    """Return edges and plates by key."""
    done = {step.id: rounds.get(step.id, StepRun(step.id)) for step in graph.workflow.steps}
    parts = {"edges": _edges(graph, done)}
    for step in graph.workflow.steps:
        parts[node_key(step.id)] = _plate(graph, step, done[step.id], chosen == step.id, now)
    return parts


def _plate(graph: Graph, step: Step, done: StepRun, is_chosen: bool, now: datetime) -> Html:
    spot = graph.spots[step.id]
    shape, word = step_look(done)
    short = "asks a person" if shape == "person" else word  # the plate has little room
    title = step.title or sentence(step.id)
    moving = Html('<svg class="mw-node-frame" aria-hidden="true"><rect/></svg>')
    return tag(
        "button",
        moving if done.state is StepState.RUNNING else None,
        tag("span", glyph(shape), tag("b", title), class_="mw-node-title"),
        tag("span", _who(step, done), class_="mw-node-who"),
        tag("span", tag("i", short), _figures(done, now), class_="mw-node-state"),
        type="button",
        class_=f"mw-node mw-node-{shape}",
        style=f"left:{spot.x}px;top:{spot.y}px",
        title=f"{title}: {word}",
        aria_pressed=str(is_chosen).lower(),
        data_patch=node_key(step.id),
        data_step=step.id,
    )


def _who(step: Step, done: StepRun) -> str:
    name = done.agent.partition("/")[0]
    if name and step.do is ActionKind.APPROVE:
        return f"decided by {done.agent}"
    if not name or name == "app":
        wanted = step.with_.get("capability") or step.with_.get("name") or ""
        return f"{ACTIONS[step.do]} {sentence(str(wanted)).lower()}".rstrip()
    return agent_title(name)


def _figures(done: StepRun, now: datetime) -> Html | None:
    more = [f"round {done.round}"] if done.round > 1 else []
    if done.attempts > 1:
        more.append(count_words(done.attempts, "try", "tries"))
    was_done = done.state is not StepState.SKIPPED and has_begun(done)
    time = None
    if done.started_at and was_done:
        time = ticking(done.started_at, done.ended_at, now)
    if not more and time is None:
        return None
    words = " · ".join(more)
    return tag("span", time, " · " if time and words else None, words, class_="mw-node-figures")


def _edges(graph: Graph, done: Mapping[str, StepRun]) -> Html:
    lines: list[Html] = []
    for (each, name), curve in graph.curves.items():
        is_handler = graph.workflow.step(each).handler == name
        classes = _edge_class(done[each], done[name], is_handler)
        lines.append(Html(f'<path class="{classes}" marker-end="url(#mw-arrow)" d="{curve}"/>'))
    lines += [_loop(graph, *pair, words) for pair, words in graph.loops.items()]
    head = (
        '<defs><marker id="mw-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" '
        'markerHeight="11" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0.5 7 4 0 7.5z"/></marker></defs>'
    )
    return Html(
        f'<svg class="mw-edges" data-patch="edges" width="{graph.width}" height="{graph.height}" '
        f'aria-hidden="true">{head}{join(lines)}</svg>'
    )


def _edge_class(source: StepRun, target: StepRun, is_handler: bool) -> str:
    classes = "mw-edge mw-edge-error" if is_handler else "mw-edge"
    if target.state in {StepState.RUNNING, StepState.WAITING} and source.state in SETTLED:
        return (
            f"{classes} mw-edge-live"
            if target.state is StepState.RUNNING
            else f"{classes} mw-edge-done"
        )
    return f"{classes} mw-edge-done" if target.state in _GONE_BY else classes


def _curves(
    workflow: Workflow, cells: Mapping[str, tuple[int, int]], spots: Mapping[str, Spot]
) -> dict[tuple[str, str], str]:
    before = sources(workflow)
    leaving = Counter(each for those in before.values() for each in those)
    curves: dict[tuple[str, str], str] = {}
    for target, those in before.items():
        for source in those:
            is_merging = len(those) > leaving[source]
            found = lane(cells, source, target, is_merging=is_merging)
            height = None if found is None else _lane_height(found)
            curves[source, target] = _curve(spots[source], spots[target], height)
    return curves


def _lane_height(found: Lane) -> int:
    """Return the height at which an edge passes columns without crossing a plate, px."""
    top = _spot(0, found.row).y
    match found.side:
        case Side.ALONG:
            return top + HEIGHT // 2
        case Side.ABOVE:
            return top - _TRACK
        case Side.BELOW:
            return top + HEIGHT + _TRACK
        case _:
            assert_never(found.side)


def _curve(start: Spot, end: Spot, lane_y: int | None) -> str:
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x - 1, end.y + HEIGHT // 2
    bend = _GAP_X // 2
    curve = f"M{x1} {y1}"
    if lane_y is not None and lane_y != y1:
        curve += f"C{x1 + bend} {y1} {x1 + bend} {lane_y} {x1 + _GAP_X} {lane_y}"
    if lane_y is not None:
        curve += f"H{x2 - _GAP_X}"
        y1, x1 = lane_y, x2 - _GAP_X
    return f"{curve}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _loops(workflow: Workflow, curves: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Return what leads back to an earlier step, with the words that stand at it."""
    steps = {step.id: step for step in workflow.steps}
    loops = {
        (step.id, step.handler): "after an error"
        for step in workflow.steps
        if step.handler in steps and (step.id, step.handler) not in curves
    }
    return loops | {
        (step.id, step.goto.step): f"up to {step.goto.max} times"
        for step in workflow.steps
        if step.goto and step.goto.step in steps
    }


def _loop(graph: Graph, source: str, target: str, said: str) -> Html:
    start, end = graph.spots[source], graph.spots[target]
    x1, x2 = start.x + WIDTH * 2 // 3, end.x + WIDTH // 3
    floor = graph.height - 12
    down = f"M{x1} {start.y + HEIGHT}"
    if is_lowest(graph.cells, source):
        down += f"C{x1} {floor} {x1} {floor} {x1 - 16} {floor}"
    else:  # beside the plates below
        x1 = start.x + WIDTH + _TRACK
        down += f"v{_GAP_Y // 2}H{x1}V{floor}"
    up = f"C{x2} {floor} {x2} {floor} {x2} {end.y + HEIGHT + 2}"
    if not is_lowest(graph.cells, target):
        up = f"H{end.x - _TRACK}V{end.y + HEIGHT + _GAP_Y // 2}H{x2}v{2 - _GAP_Y // 2}"
    words = f'<text x="{(x1 + x2) // 2}" y="{floor - 4}">{said}</text>'
    return Html(
        f'<path class="mw-edge mw-edge-loop" marker-end="url(#mw-arrow)" '
        f'd="{down}H{x2 + 16}{up}"/>{words}'
    )

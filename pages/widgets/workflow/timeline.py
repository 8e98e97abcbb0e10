"""When each step ran, to scale: one line a step, one bar a round."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.core.run import StepRun, StepState, WorkflowRun
from app.core.workflow import Workflow
from pages.markup import Html, tag
from pages.widgets.workflow.graph import has_begun
from pages.widgets.workflow.marks import STEP_LOOKS
from pages.widgets.workflow.words import duration_words, seconds_of, sentence, ticking, when_words

KEY = "timeline"


def timeline(
    workflow: Workflow, run: WorkflowRun, steps: Sequence[StepRun], zone: str, now: datetime
) -> Html:
    """Return the lines of all steps that began; the browser lets open bars grow.

    Args:
        workflow: The definition.
        run: The run.
        steps: All rounds of all steps.
        zone: The plant's time zone.
        now: UTC.
    """
    begun = [e for e in steps if e.started_at and e.state is not StepState.SKIPPED and has_begun(e)]
    span_s = max(seconds_of(run, now), 0.1)
    ids = sorted({each.step for each in begun}, key=lambda name: _first(begun, name))
    titles = {step.id: step.title or sentence(step.id) for step in workflow.steps}
    lines = [
        _line(titles.get(name, name), name, run, [e for e in begun if e.step == name], now)
        for name in ids
    ]
    if not lines:
        return tag("p", "No step has begun.", class_="mw-hint", data_patch=KEY)
    axis = tag(
        "div",
        tag("span", when_words(run.started_at, zone, now)),
        tag("span", ticking(run.started_at, run.ended_at, now)),
        class_="mw-time-axis",
    )
    return tag(
        "div",
        axis,
        lines,
        class_="mw-times",
        style=f"--span:{span_s:.3f}",
        data_patch=KEY,
        data_start=None if run.ended_at else int(run.started_at.timestamp() * 1000),
    )


def _first(steps: Iterable[StepRun], name: str) -> float:
    return min(e.started_at.timestamp() for e in steps if e.step == name and e.started_at)


def _line(
    title: str, name: str, run: WorkflowRun, rounds: Sequence[StepRun], now: datetime
) -> Html:
    return tag(
        "div",
        tag("span", title, class_="mw-time-name", title=title),
        tag("div", [_bar(run, each, now) for each in rounds], class_="mw-time-track"),
        class_="mw-time",
        data_step=name,
    )


def _bar(run: WorkflowRun, each: StepRun, now: datetime) -> Html | None:
    if each.started_at is None:
        return None
    end = each.ended_at or run.ended_at or now
    start_s = max(0.0, (each.started_at - run.started_at).total_seconds())
    end_s = max(start_s, (end - run.started_at).total_seconds())
    shape, word = STEP_LOOKS[each.state]
    is_open = each.ended_at is None and run.ended_at is None
    words = f"{word}, {duration_words(end_s - start_s)}"
    return tag(
        "i",
        class_=f"mw-time-bar mw-time-{shape}",
        style=f"--from:{start_s:.3f};--to:{end_s:.3f}",
        title=f"Round {each.round}: {words}" if each.round > 1 else words,
        data_open=is_open,
    )

"""Everything of one step: what went in, what came out, why it failed, what happened."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.run import OVER, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Step
from app.supervisor.restart import agent_title
from pages.markup import Html, tag
from pages.widgets.workflow.graph import ACTIONS, has_begun, step_look
from pages.widgets.workflow.json_view import json_view
from pages.widgets.workflow.marks import glyph, marked
from pages.widgets.workflow.words import (
    plant_times,
    run_link,
    sentence,
    ticking,
    waits_words,
    when_words,
)

KEY = "step"
LOG_LINES = 500


@dataclass(frozen=True, slots=True)
class Sight:
    """What a panel is shown with.

    Attributes:
        zone: The plant's time zone.
        now: UTC.
        linked: Turns paths of units in a text into links.
    """

    zone: str
    now: datetime
    linked: Callable[[str], Html]


def step_panel(
    run: WorkflowRun, step: Step, rounds: Sequence[StepRun], shown: StepRun, sight: Sight
) -> Html:
    """Return the panel.

    Args:
        run: The run.
        step: The step's definition.
        rounds: All its rounds.
        shown: The round that is shown.
        sight: Zone, time, links.
    """
    linked = sight.linked
    can_retry = run.state in OVER and not run.is_dry and shown.state is not StepState.PENDING
    retry = tag(
        "button",
        "Retry from here",
        type="button",
        class_="mw-button mw-small",
        data_act="retry-from",
        data_id=step.id,
    )
    title = tag("h2", step.title or sentence(step.id))
    return tag(
        "section",
        tag("div", title, retry if can_retry else None, class_="mw-card-title"),
        _state(shown, sight),
        _rounds(rounds, shown) if len(rounds) > 1 else None,
        _facts(step, shown, sight),
        tag("p", linked(shown.error), class_="mw-step-error") if shown.error else None,
        json_view("Input", shown.input),
        json_view("Output", shown.output),
        _log(shown, sight),
        class_="mw-card mw-step",
        data_patch=KEY,
        data_shows=f"{step.id} {shown.round}",
    )


def _state(shown: StepRun, sight: Sight) -> Html:
    shape, word = step_look(shown)
    if not shown.waiting_for:
        return marked((shape, word))
    waits = waits_words(plant_times(shown.waiting_for, sight.zone, sight.now), sight.linked)
    return tag("span", glyph(shape), tag("span", waits), class_=f"mw-work-state mw-is-{shape}")


def _rounds(rounds: Sequence[StepRun], shown: StepRun) -> Html:
    chips = [
        tag(
            "button",
            f"{each.round}",
            type="button",
            class_="mw-chip",
            aria_pressed=str(each.round == shown.round).lower(),
            data_step=each.step,
            data_round=each.round,
        )
        for each in rounds
    ]
    return tag("div", tag("span", "Round", class_="mw-hint"), chips, class_="mw-row")


def _facts(step: Step, done: StepRun, sight: Sight) -> Html:
    zone, now = sight.zone, sight.now
    pairs: list[tuple[str, object]] = [("Does", ACTIONS[step.do]), ("Id", tag("code", step.id))]
    if done.agent and step.do is ActionKind.APPROVE:
        pairs.append(("Decided by", done.agent))
    elif done.agent and done.agent != "app":
        name, _, instance = done.agent.partition("/")
        link = tag("a", agent_title(name), href="/agents", class_="mw-link")
        pairs.append(("Agent", [link, f" {instance}"]))
    if done.attempts:
        pairs.append(("Tries", f"{done.attempts} of {step.retry.attempts}"))
    if done.started_at and has_begun(done):
        pairs.append(("Began", when_words(done.started_at, zone, now)))
        word = "Took" if done.ended_at else "Takes so far"
        pairs.append((word, ticking(done.started_at, done.ended_at, now)))
    child = _child(done) if step.do is ActionKind.WORKFLOW else ""
    if child:
        pairs.append(("Run", run_link(child)))
    if done.compensation:
        why_not = done.compensation.removeprefix("not taken back: ")
        is_not = why_not != done.compensation
        pairs.append(("Not taken back" if is_not else "Taken back", sight.linked(why_not)))
    rows = [[tag("dt", words), tag("dd", value)] for words, value in pairs]
    return tag("dl", rows, class_="mw-facts")


def _child(done: StepRun) -> str:
    match done.output:
        case {"run": str() as run}:
            return run
        case _:
            return ""


def _log(done: StepRun, sight: Sight) -> Html | None:
    if not done.log:
        return None
    zone, now, linked = sight.zone, sight.now, sight.linked
    lines = done.log[-LOG_LINES:]
    rows = [
        tag(
            "li",
            tag("time", when_words(line.at, zone, now)),
            tag("span", linked(plant_times(line.text, zone, line.at))),
        )
        for line in lines
    ]
    cut = len(done.log) - len(lines)
    note = tag("p", f"{cut} earlier lines are not shown", class_="mw-hint") if cut else None
    return tag("div", tag("h3", "Log"), note, tag("ol", rows, class_="mw-step-log"))

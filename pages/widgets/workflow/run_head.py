"""The head of a run: state, why, what can be done, and where it comes from."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import cast

from app.core.run import RunState, WorkflowRun
from app.core.workflow import Workflow
from pages.markup import Html, join, tag
from pages.widgets.links import unit_link
from pages.widgets.workflow.json_view import json_view
from pages.widgets.workflow.marks import run_mark
from pages.widgets.workflow.words import (
    is_over,
    key_link,
    linked_reason,
    plant_times,
    run_link,
    sentence,
    short,
    started_by_words,
    step_titles,
    ticking,
    waits_words,
    when_words,
    with_step_title,
)

HEAD, FACTS = "head", "facts"
Linked = Callable[[str], Html]


def run_head(
    run: WorkflowRun,
    definition: Workflow,
    zone: str,
    now: datetime,
    linked: Linked,
    *,
    is_for_person: bool,
) -> Html:
    """Return state, since when, why, and the buttons that may be used now."""
    since = when_words(run.ended_at or run.started_at, zone, now)
    word = "at" if run.ended_at else "since"
    reason = None
    if run.reason and not is_for_person:  # a decision stands right below
        look = "mw-run-reason mw-bad" if run.state is RunState.FAILED else "mw-run-reason"
        said = plant_times(with_step_title(run.reason, step_titles(definition)), zone, now)
        waits = run.state is RunState.WAITING
        words = waits_words(said, linked) if waits else linked_reason(said, linked)
        reason = tag("p", words, class_=look)
    seen = tag("p", f"Seen to: {run.reviewed}", class_="mw-hint") if run.reviewed else None
    return tag(
        "div",
        run_mark(run.state, is_for_person=is_for_person),
        tag(
            "span",
            f"{word} {since} · took " if run.ended_at else f"{word} {since} · ",
            ticking(run.started_at, run.ended_at, now),
            class_="mw-hint",
        ),
        tag("div", _buttons(run), class_="mw-run-buttons"),
        reason,
        seen,
        class_="mw-run-head",
        data_patch=HEAD,
    )


def _buttons(run: WorkflowRun) -> list[Html]:
    acts: list[tuple[str, str]] = []
    if not is_over(run):
        acts.append(("Cancel run", "cancel"))
    elif not run.is_dry:
        acts.append(("Retry", "retry"))
        if run.state is RunState.FAILED and not run.reviewed and not run.retried_by:
            acts.append(("Seen to", "review"))
    return [
        tag("button", words, type="button", class_="mw-button", data_act=do, data_id=run.id)
        for words, do in acts
    ]


def run_facts(
    run: WorkflowRun,
    current: str,
    linked: Linked,
    name_of: Callable[[str], str],
    children: Sequence[WorkflowRun],
) -> Html:
    """Return where the run comes from, with links.

    Args:
        run: The run.
        current: Version of the definition as it is now, empty if there is none.
        linked: Turns paths of units in a text into links.
        name_of: The name of a unit by its path, empty for none.
        children: Runs that its steps started.
    """
    pairs: list[tuple[str, object]] = [("Started by", _started(run, linked))]
    if run.key:
        pairs.append(("For", key_link(run.key, name_of)))
    pairs.append(("Definition", _definition(run, current)))
    if run.parent:
        step = run.parent.partition(":")[2]
        pairs.append(
            ("Part of", [run_link(run.parent), f", step {sentence(step)}" if step else ""])
        )
    if children:
        links = [[run_link(each.id, sentence(each.workflow)), " "] for each in children]
        pairs.append(("Started", links))
    if run.retry_of:
        pairs.append(("Retry of", run_link(run.retry_of)))
    if run.retried_by:
        pairs.append(("Retried by", run_link(run.retried_by)))
    pairs.append(("Run", tag("code", run.id)))
    rows = [tag("div", tag("dt", words), tag("dd", value)) for words, value in pairs]
    inside = [json_view("Inputs", run.input or None), json_view("Event", run.started_by.event)]
    more = tag(
        "details",
        tag("summary", "Inputs and event", class_="mw-link"),
        inside,
        class_="mw-run-more",
    )
    has_more = bool(run.input) or run.started_by.event is not None
    return tag(
        "div",
        tag("dl", rows, class_="mw-run-facts"),
        more if has_more else None,
        data_patch=FACTS,
    )


def _definition(run: WorkflowRun, current: str) -> Html:
    link = tag("a", run.workflow, href=f"/workflows?find={run.workflow}", class_="mw-link")
    words = "" if current in {"", run.version} else ", an older version than the present one"
    return join([link, " ", tag("code", short(run.version), title=run.version), words])


def _started(run: WorkflowRun, linked: Linked) -> Html:
    by = run.started_by
    pieces: list[object] = [started_by_words(by)]
    source = _source(by.event)
    if source is not None:
        pieces += [": ", source]
    if by.why:
        pieces += [", ", linked(by.why)]
    return join(pieces)


def _source(event: object) -> Html | None:
    """Return a link to the alarm, the unit or the topic that an event speaks of."""
    if not isinstance(event, Mapping):
        return None
    told = cast("Mapping[str, object]", event)  # it came as JSON: keys are texts
    inner = told.get("finding")
    finding = cast("Mapping[str, object]", inner) if isinstance(inner, Mapping) else told
    message = finding.get("message") or finding.get("condition") or ""
    identity, equipment, topic = told.get("id"), finding.get("equipment"), told.get("topic")
    if isinstance(identity, str) and "state" in told:
        return tag("a", message or "alarm", href=f"/alarms#{identity}", class_="mw-link")
    if isinstance(equipment, str) and equipment:
        return unit_link(equipment, str(message) or equipment)
    return tag("code", topic) if isinstance(topic, str) else None

"""One cause in the action plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.alarm import Alarm, AlarmState
from app.core.plan import PlanItem
from app.core.run import WorkflowRun
from pages.icons import PRIORITY_WORDS, priority_symbol
from pages.markup import Html, join, tag
from pages.widgets.alarm_line import state_words
from pages.widgets.links import unit_link
from pages.widgets.words import alarm_words
from pages.widgets.workflow.marks import run_mark
from pages.widgets.workflow.words import (
    count_words,
    is_for_person,
    sentence,
    ticking,
    when_words,
)

UNITS_SHOWN = 8
_OWED = frozenset({AlarmState.UNACK, AlarmState.RTN_UNACK})
_TOLD_ELSEWHERE = "first at "


@dataclass(frozen=True, slots=True)
class PlanSight:
    """What items are shown with.

    Attributes:
        alarms: Those that stand, by id.
        name_of: The name of a unit by its path, empty for none.
        titles: Titles of the workflows that can be started, by name.
        runs: Open runs by workflow and key.
        zone: The plant's time zone.
        now: UTC.
    """

    alarms: Mapping[str, Alarm]
    name_of: Callable[[str], str]
    titles: Mapping[str, str]
    runs: Mapping[tuple[str, str], WorkflowRun]
    zone: str
    now: datetime


def item_key(item: PlanItem) -> str:
    """Return the key of an item; its cause stays while its rank changes."""
    return f"item-{item.cause}"


def run_key_of(item: PlanItem) -> str:
    """Return by what runs of the proposed workflow are counted: its tag or unit."""
    given = item.proposed_input
    return str(given.get("tag") or given.get("equipment") or "")


def plan_item(item: PlanItem, sight: PlanSight) -> Html:
    """Return the plate."""
    cause = sight.alarms.get(item.cause)
    is_owed = cause is not None and cause.state in _OWED
    return tag(
        "section",
        tag(
            "div",
            tag("b", item.rank, class_="mw-item-rank"),
            priority_symbol(item.priority, blinking=is_owed),
            tag("span", PRIORITY_WORDS[item.priority], class_="mw-item-word"),
            class_=f"mw-item-urgency mw-p{int(item.priority)}",
        ),
        tag("div", tag("h2", item.title), _actions(item.actions), _facts(item, sight)),
        tag("div", _start(item, sight), class_="mw-item-side"),
        class_="mw-item",
        data_patch=item_key(item),
        aria_label=f"{item.rank}: {item.title}",
    )


def _actions(actions: Sequence[str]) -> Html:
    if not actions:
        return tag("p", "No response is written for these alarms.", class_="mw-hint")
    return tag("ul", [tag("li", each) for each in actions], class_="mw-item-actions")


def _facts(item: PlanItem, sight: PlanSight) -> Html:
    why = "; ".join(each for each in item.reason.split("; ") if _TOLD_ELSEWHERE not in each)
    facts: list[tuple[str, object]] = [
        ("Came first", [_alarm(item.cause, sight), " · ", _since(item, sight)]),
        ("On", _units(item.equipment, sight)),
    ]
    if item.affected:
        facts.append(("May suffer", _units(item.affected, sight)))
    facts.append(("Ranks here", why))
    lines = [[tag("dt", words), tag("dd", value)] for words, value in facts]
    return join([tag("dl", lines, class_="mw-facts"), _behind(item, sight)])


def _since(item: PlanItem, sight: PlanSight) -> Html:
    at = when_words(item.since, sight.zone, sight.now)
    return tag(
        "span", f"since {at} · ", ticking(item.since, None, sight.now), class_="mw-hint mw-whole"
    )


def _units(paths: Sequence[str], sight: PlanSight) -> Html:
    links = [_unit(path, sight) for path in paths[:UNITS_SHOWN]]
    rest = len(paths) - UNITS_SHOWN
    pieces = [[", " if index else "", link] for index, link in enumerate(links)]
    return join([*pieces, f" and {rest} more" if rest > 0 else ""])


def _unit(path: str, sight: PlanSight) -> object:
    name = sight.name_of(path)
    # what alarms of the app itself are about has no page of a unit
    return unit_link(path, name) if name else sentence(path.rpartition("/")[2])


def _behind(item: PlanItem, sight: PlanSight) -> Html | None:
    others = [each for each in item.alarms if each != item.cause]
    if not others:
        return None
    rows = [tag("li", _alarm(each, sight)) for each in others]
    words = count_words(len(others), "more alarm") + " behind it"
    return tag("details", tag("summary", words), tag("ul", rows), class_="mw-item-alarms")


def _alarm(alarm_id: str, sight: PlanSight) -> Html:
    alarm = sight.alarms.get(alarm_id)
    if alarm is None:
        return tag("span", "an alarm that is over", class_="mw-hint")
    finding = alarm.finding
    path = "/".join(finding.equipment.split("/")[:4])
    words = alarm_words(sight.name_of(path), finding.message or sentence(finding.condition))
    link = tag("a", words, href=f"/alarms#{alarm.id}", class_="mw-link")
    return join([link, " · ", tag("span", state_words(alarm.state), class_="mw-hint")])


def _start(item: PlanItem, sight: PlanSight) -> list[Html]:
    name = item.proposed_workflow
    if not name:
        return [tag("span", "No workflow is made for this.", class_="mw-hint")]
    title = sight.titles.get(name)
    run = sight.runs.get((name, run_key_of(item)))
    if run is not None:
        return [
            tag("a", "Open the run", href=f"/runs/{run.id}", class_="mw-button"),
            tag("span", title or sentence(name), class_="mw-hint"),
            run_mark(run.state, is_for_person=is_for_person(run.reason)),
        ]
    if title is None:
        return [tag("span", f"The workflow “{name}” is missing or broken.", class_="mw-hint")]
    return [
        tag(
            "button",
            f"Start: {title}",
            type="button",
            class_="mw-button mw-primary",
            data_act="start",
            data_id=item.cause,
        )
    ]

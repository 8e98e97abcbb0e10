"""Workflows and runs in plain sentences."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from app.core.actor import SYSTEM
from app.core.alarm import Priority
from app.core.clock import in_zone
from app.core.equipment import unit_of
from app.core.run import OVER, StartedBy, WorkflowRun
from app.core.workflow import Concurrency, RunMode, Trigger, TriggerKind, Workflow
from pages.markup import Html, join, tag
from pages.widgets.links import unit_link
from pages.widgets.words import age_words, is_agent, stated_by
from pages.widgets.workflow.condition import NameOf, condition_words

_SHORT = 8
_UTC = re.compile(r"\b(\d\d):(\d\d):(\d\d) UTC\b")
_RUN = re.compile(r"\brun ([0-9a-f]{16}(?:[0-9a-f]{4})?)\b")  # longer where an event began it
_TAKING = re.compile(r"^taking ([a-z0-9_-]+) back: ")
_LEFT = re.compile(r"\b(Not taken back: )([a-z0-9_-]+(?:, [a-z0-9_-]+)*)$")
_UNIT_SEGMENTS = 4


def title_of(workflow: Workflow) -> str:
    """Return what an operator calls a workflow."""
    return workflow.title or sentence(workflow.name)


def sentence(name: str) -> str:
    """Return a name as words: "notify_lead" is "Notify lead"."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def short(version: str) -> str:
    """Return the head of a content hash."""
    return version[:_SHORT]


def trigger_words(trigger: Trigger, name_of: NameOf) -> Html:
    """Return when a trigger starts a run, as part of a sentence."""
    where = _where(trigger.equipment, name_of)
    match trigger.on:
        case TriggerKind.MQTT:
            words = f"when a message arrives on {trigger.topic}"
        case TriggerKind.FINDING:
            what = _condition(trigger.condition, "anything")
            words = f"when {_finder(trigger.agent)} {what}{_urgent(trigger)} {where}"
        case TriggerKind.ALARM:
            about = _condition(trigger.condition, "")
            words = (
                f"when an alarm{f' {about}' if about else ''}{_urgent(trigger)} is raised {where}"
            )
        case TriggerKind.SCHEDULE:
            words = _schedule(trigger)
        case TriggerKind.WORKFLOW:
            ends = " or ".join(trigger.states)
            words = f"when workflow {sentence(trigger.workflow).lower()} ends as {ends}"
        case _:
            assert_never(trigger.on)
    return join([words, *_condition_tail(trigger, name_of)])


def _condition_tail(trigger: Trigger, name_of: NameOf) -> list[object]:
    parts: list[object] = []
    if trigger.when:
        said = condition_words(trigger.when, name_of)
        parts += [", if ", said or tag("code", trigger.when)]
    if trigger.debounce_s:
        parts.append(f", once it is quiet for {age_words(trigger.debounce_s)}")
    if trigger.cooldown_s:
        parts.append(f", at most once in {age_words(trigger.cooldown_s)}")
    return parts


def _schedule(trigger: Trigger) -> str:
    if trigger.shift:
        return f"at the {trigger.shift} of each shift"
    fields = trigger.cron.split()
    match fields:
        case [minute, hour, "*", "*", "*"] if minute.isdigit() and hour.isdigit():
            return f"each day at {int(hour):02d}:{int(minute):02d}"
        case [minute, "*", "*", "*", "*"] if minute.isdigit():
            return f"each hour at minute {int(minute)}"
        case [minute, "*", "*", "*", "*"] if minute.startswith("*/"):
            return f"each {minute[2:]} min"
        case _:
            return f"by the clock ({trigger.cron})"


def _urgent(trigger: Trigger) -> str:
    least = Priority.LOW
    if trigger.priority >= least:
        return ""
    return f" of priority {trigger.priority}{' or more urgent' if trigger.priority > 1 else ''}"


def _finder(pattern: str) -> str:
    if pattern in {"", "*"}:
        return "an agent finds"
    if "*" in pattern or "?" in pattern:
        return f"an agent {pattern} finds"
    words = stated_by(pattern)
    lowered = f"{words[0].lower()}{words[1:]}"
    if is_agent(pattern):
        return f"the {lowered} finds"
    return "the alarm limits find" if pattern == "limits" else f"{words} finds"


def _condition(pattern: str, nothing: str) -> str:
    return nothing if pattern in {"", "*"} else f"“{_plain(pattern)}”"


def _plain(pattern: str) -> str:
    return pattern.replace("_", " ").replace("*", "…")


def _where(pattern: str, name_of: NameOf) -> str:
    if not pattern.strip("*/"):
        return "on any tag" if pattern.count("/") == _UNIT_SEGMENTS else "on any unit"
    return f"on {name_of(pattern) or pattern}"


def mode_words(runs: Concurrency) -> str:
    """Return what a further start means, as a sentence."""
    each = (
        " of the same unit" if "equipment" in runs.key else " of the same key" if runs.key else ""
    )
    match runs.mode:
        case RunMode.SINGLE:
            return f"One run{each} at a time; a further start is refused."
        case RunMode.RESTART:
            return f"One run{each} at a time; a further start cancels it and begins anew."
        case RunMode.QUEUED:
            return f"One run{each} at a time; further starts wait their turn."
        case RunMode.PARALLEL:
            return f"Up to {runs.max} runs{each} side by side; further starts wait."
        case _:
            assert_never(runs.mode)


def seconds_of(run: WorkflowRun, now: datetime) -> float:
    """Return how long a run has taken until its end or until now, s."""
    return max(0.0, ((run.ended_at or now) - run.started_at).total_seconds())


def is_for_person(waiting_for: str) -> bool:
    """Tell whether a run or step waits for somebody's decision, from what it says of it."""
    return waiting_for.startswith("a person")


def waits_words(waiting_for: str, linked: Callable[[str], Html]) -> Html:
    """Return what a run or step waits for; for an agent, with the way to start it."""
    said = linked_reason(f"Waits for {waiting_for}", linked)
    if not waiting_for.startswith("an agent ") and not waiting_for.startswith("agent "):
        return said
    agents = tag("a", "Agents", href="/agents", class_="mw-link")
    return join([said, ". It goes on by itself once one runs: see ", agents])


def duration_words(seconds: float) -> str:
    """Return how long something took: "40 ms", "0.4 s", "45 s", "12 min"."""
    if seconds < 0.1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else age_words(seconds)


def ticking(since: datetime, ended: datetime | None, now: datetime) -> Html:
    """Return a duration that the browser counts on while there is no end."""
    words = duration_words(max(0.0, ((ended or now) - since).total_seconds()))
    at = None if ended else int(since.timestamp() * 1000)
    return tag("span", words, class_="mw-num-plain", data_since=at)


def when_words(time: datetime, zone: str, now: datetime) -> str:
    """Return a time of day, with the date if it is another day's."""
    local, today = in_zone(time, ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local:%d %b %H:%M}"


def started_by_words(by: StartedBy) -> str:
    """Return who or what started a run, in a few words."""
    is_nobody = by.name == SYSTEM.name
    words = {
        "click": by.name,
        "http": f"{by.name} by HTTP",
        "cli": f"{by.name} by command line",
        "mqtt": "an MQTT message",
        "finding": "a finding",
        "alarm": "an alarm",
        "schedule": "the clock",
        "workflow": "another workflow" if is_nobody else f"another workflow, for {by.name}",
        "retry": f"{by.name}, as a retry",
    }
    return words.get(by.kind, by.kind)


def key_link(key: str, name_of: NameOf) -> Html | None:
    """Return the key of a run; the path of a unit leads to its page."""
    if not key:
        return None
    path = unit_of(key)
    name = name_of(path)
    return unit_link(path, name) if name else tag("span", key, class_="mw-hint")


def run_link(run_id: str, words: str = "") -> Html:
    """Return a link to a run; `run:step` leads to the run."""
    run = run_id.partition(":")[0]
    return tag("a", words or run, href=f"/runs/{run}", class_="mw-link")


def is_over(run: WorkflowRun) -> bool:
    """Tell whether a run has ended."""
    return run.state in OVER


def count_words(count: int, one: str, many: str = "") -> str:
    """Return "1 run" or "3 runs"."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def plant_times(text: str, zone: str, now: datetime) -> str:
    """Return a text in which times of day in UTC are the plant's own."""

    def local(found: re.Match[str]) -> str:
        hour, minute, second = map(int, found.groups())
        at = now.astimezone(UTC).replace(hour=hour, minute=minute, second=second)
        return f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"

    return _UTC.sub(local, text)


def with_runs(text: str, linked: Callable[[str], Html]) -> Html:
    """Return a text in which runs and units are links to their pages."""
    pieces = _RUN.split(text)  # texts at even places, ids between them
    return join(
        ["run ", run_link(piece)] if place % 2 else linked(piece)
        for place, piece in enumerate(pieces)
    )


def step_titles(definition: Workflow) -> dict[str, str]:
    """Return what an operator calls each step, by its id."""
    return {step.id: step.title or sentence(step.id) for step in definition.steps}


def with_step_title(reason: str, titles: Mapping[str, str]) -> str:
    """Return a reason that calls steps by their titles, not by their ids."""
    said = _TAKING.sub(lambda found: f'taking "{titles.get(found[1], found[1])}" back: ', reason)
    step, colon, rest = said.partition(": ")
    if colon and step in titles:
        said = f"{titles[step]}{colon}{rest}"
    return _LEFT.sub(lambda found: f"{found[1]}{_titled(found[2], titles)}", said)


def _titled(steps: str, titles: Mapping[str, str]) -> str:
    return ", ".join(titles.get(step, step) for step in steps.split(", "))


def linked_reason(text: str, linked: Callable[[str], Html]) -> Html:
    """Return why a run stands where it stands, one line a line of the text."""
    lines = [with_runs(line, linked) for line in text.splitlines()]
    return join([lines[0], *[[tag("br"), line] for line in lines[1:]]]) if lines else Html("")

"""Judges what starts a workflow by itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

import msgspec
from croniter import CroniterBadDateError, croniter

from app.core.errors import TopicError
from app.core.expression_check import Scope, check_condition, check_value, has_hole
from app.core.given_check import check_given
from app.core.near import near_miss
from app.core.run import OVER
from app.core.step_check import within
from app.core.topic_filter import check_filter, overlap
from app.core.workflow import ActionKind, Trigger, TriggerKind, Workflow
from app.core.workflow_entry import Problem, Severity
from app.core.workflow_names import is_name

SHIFT_ENDS = ("start", "end")

_CRON_HINT = 'Write minute, hour, day, month, weekday: "30 6 * * mon-fri"'
_RANDOM = re.compile(r"(?<![a-z])[hr](?![a-z])", re.IGNORECASE)
"""croniter's signs for a time that it draws anew at each look, or makes from a hash."""
_CALENDAR_FROM = datetime(2024, 1, 1)  # noqa: DTZ001  a cron line speaks of the clock on the wall
_CALENDAR_YEARS = 28
"""After so many years the weekdays fall on the same dates again, 29 February too, until 2099."""

_HOUR_S = 3600.0
_WEEK_S = 7 * 86_400.0
_COMMON = frozenset({"on", "when", "input", "key", "debounce_s", "cooldown_s"})
_OF_A_FINDING = frozenset({"agent", "condition", "equipment", "priority"})
FIELDS: Mapping[TriggerKind, frozenset[str]] = {
    TriggerKind.MQTT: frozenset({"topic"}),
    TriggerKind.FINDING: _OF_A_FINDING,
    TriggerKind.ALARM: _OF_A_FINDING,
    TriggerKind.SCHEDULE: frozenset({"cron", "shift"}),
    TriggerKind.WORKFLOW: frozenset({"workflow", "states"}),
}
"""Fields of a trigger by what it listens to, beside those that all have."""


def check_trigger(workflow: Workflow, trigger: Trigger, where: str) -> Iterator[Problem]:
    """Yield what is wrong with one trigger."""
    yield from _check_belonging(trigger, where)
    yield from _JUDGES[trigger.on](workflow, trigger, where)
    yield from _check_expressions(trigger, where)
    yield from check_given(workflow, trigger.input, f"{where}.input", "trigger")
    yield from within(trigger.debounce_s, 0, _HOUR_S, f"{where}.debounce_s")
    yield from within(trigger.cooldown_s, 0, _WEEK_S, f"{where}.cooldown_s")


def _check_belonging(trigger: Trigger, where: str) -> Iterator[Problem]:
    plain = Trigger(on=trigger.on)
    may = _COMMON | FIELDS[trigger.on]
    for field in msgspec.structs.fields(Trigger):
        is_set = getattr(trigger, field.name) != getattr(plain, field.name)
        if is_set and field.name not in may:
            yield Problem(
                0,
                f"{where}.{field.name}",
                f'"{field.name}" does not belong to a trigger on "{trigger.on}"',
                f"It takes {', '.join(sorted(FIELDS[trigger.on]))}",
            )


def _check_expressions(trigger: Trigger, where: str) -> Iterator[Problem]:
    scope = Scope(frozenset({"event"}), frozenset(), frozenset(), frozenset())
    yield from check_condition(trigger.when, scope, f"{where}.when")
    yield from check_value(trigger.input, scope, f"{where}.input")
    yield from check_value(trigger.key, scope, f"{where}.key")


def _check_mqtt(workflow: Workflow, trigger: Trigger, where: str) -> Iterator[Problem]:
    try:
        check_filter(trigger.topic)
    except TopicError as error:
        yield Problem(0, f"{where}.topic", f"The topic filter is not allowed: {error}")
        return
    own = [
        str(step.with_.get("topic", ""))
        for step in workflow.steps
        if step.do is ActionKind.PUBLISH and not has_hole(step.with_.get("topic"))
    ]
    if any(topic and overlap(trigger.topic, topic) for topic in own):
        yield from _circle(trigger, f"{where}.topic", "its own message starts it again")
    elif overlap(trigger.topic, "millwright/runs/+"):
        yield from _circle(trigger, f"{where}.topic", "the messages about its run start it again")


def _check_finding(_workflow: Workflow, trigger: Trigger, where: str) -> Iterator[Problem]:
    yield from within(trigger.priority, 1, 4, f"{where}.priority")


def _check_schedule(_workflow: Workflow, trigger: Trigger, where: str) -> Iterator[Problem]:
    if bool(trigger.cron.strip()) == bool(trigger.shift):
        yield Problem(0, where, 'A schedule needs either "cron" or "shift"')
    if trigger.shift and trigger.shift not in SHIFT_ENDS:
        hint = near_miss(trigger.shift, SHIFT_ENDS)
        yield Problem(0, f"{where}.shift", 'shift must be "start" or "end"', hint)
    if trigger.cron.strip():
        yield from _check_cron(trigger.cron, f"{where}.cron")


def _check_cron(line: str, where: str) -> Iterator[Problem]:
    shown = line[:80]
    if not _is_cron(line):
        yield Problem(0, where, f'"{shown}" is no cron line', _CRON_HINT)
    elif _RANDOM.search(line):
        yield Problem(0, where, f'"{shown}" names no fixed time: R and H are chance', _CRON_HINT)
    elif not _ever_comes(line):
        hint = "Take a day that the month has; L is the last one of every month"
        yield Problem(0, where, f'"{shown}" never comes: its months have no such day', hint)


def _is_cron(text: str) -> bool:
    return len(text) <= 200 and len(text.split()) == 5 and croniter.is_valid(text, hash_id=b"h")


def _ever_comes(line: str) -> bool:
    times = croniter(line, _CALENDAR_FROM, max_years_between_matches=_CALENDAR_YEARS)
    try:
        times.get_next()
    except CroniterBadDateError:
        return False
    return True


def _check_workflow(workflow: Workflow, trigger: Trigger, where: str) -> Iterator[Problem]:
    if not is_name(trigger.workflow):
        yield Problem(0, f"{where}.workflow", f'"{trigger.workflow}" is no name of a workflow')
    elif trigger.workflow == workflow.name:
        yield from _circle(trigger, f"{where}.workflow", "its own end starts it again")
    if not trigger.states:
        yield Problem(0, f"{where}.states", "states is empty: the trigger never works")
    for index, state in enumerate(trigger.states):
        if state not in list(OVER):
            hint = near_miss(state, OVER) or f"It is {', '.join(sorted(OVER))}"
            yield Problem(0, f"{where}.states[{index}]", f'"{state}" is no end of a run', hint)


def _circle(trigger: Trigger, where: str, why: str) -> Iterator[Problem]:
    if trigger.when.strip() or trigger.cooldown_s:
        return
    yield Problem(
        0,
        where,
        f"The workflow may run in a circle without end: {why}",
        "Give the trigger a when or a cooldown_s",
        Severity.WARNING,
    )


_JUDGES: Mapping[TriggerKind, Callable[[Workflow, Trigger, str], Iterator[Problem]]] = {
    TriggerKind.MQTT: _check_mqtt,
    TriggerKind.FINDING: _check_finding,
    TriggerKind.ALARM: _check_finding,
    TriggerKind.SCHEDULE: _check_schedule,
    TriggerKind.WORKFLOW: _check_workflow,
}

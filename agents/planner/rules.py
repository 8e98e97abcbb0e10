"""From open alarms and findings to a ranked plan; pure, no language model."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import msgspec

from agents.planner.grouping import groups, is_loss, key_of
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.alarm_machine import HIDDEN_STATES
from app.core.clock import in_zone
from app.core.equipment import Equipment, EquipmentKind, unit_of
from app.core.plan import ActionPlan, PlanItem

NOTE = "Made by rules; no language model has worded it"
MOST_ITEMS = 50  # a person reads the first five; the rest bounds the message
MOST_LISTED = 200  # alarms, units and affected units of one item
_MOST_ACTIONS = 5
_MOST_SAID = 200  # characters of a message in a title
_SENSOR = frozenset({"bad_quality", "sensor_bias", "stuck", "drift", "frozen"})
_MACHINE_AGENTS = frozenset({"vibration", "maintenance"})
_ASIDE = frozenset({EquipmentKind.NETWORK, EquipmentKind.ENERGY_METER, EquipmentKind.SCHEDULE})
_SENTENCE = re.compile(r".+?[.;:!?](?= |$)|.+$")


class Flood(NamedTuple):
    """When there are too many alarms at once: so many new ones in so many seconds."""

    alarms: int
    window_s: float


class Situation(NamedTuple):
    """All that the rules look at.

    Attributes:
        alarms: Every alarm that is not normal.
        findings: Conditions that are present.
        units: Declared units by path.
        now: UTC.
        zone: Clock of the plant, by which its people read times.
    """

    alarms: Sequence[Alarm]
    findings: Sequence[Finding]
    units: Mapping[str, Equipment]
    now: datetime
    zone: tzinfo


def make_plan(situation: Situation, flood: Flood) -> ActionPlan:
    """Return the plan; every open alarm that is not hidden stands in exactly one item."""
    shown = [alarm for alarm in situation.alarms if alarm.state not in HIDDEN_STATES]
    shown = [alarm for alarm in shown if alarm.state is not AlarmState.NORMAL]
    is_flood = _is_flood(shown, flood, situation.now)
    grouped = groups(shown, situation.units)
    items = [_item(group, situation) for group in grouped]
    ranked = sorted(
        zip(items, grouped, strict=True), key=lambda each: _urgency(*each, is_flood=is_flood)
    )
    hidden = sum(alarm.state in HIDDEN_STATES for alarm in situation.alarms)
    return ActionPlan(
        made_at=situation.now,
        model="",
        items=tuple(
            msgspec.structs.replace(item, rank=rank)
            for rank, (item, _) in enumerate(ranked, start=1)
        ),
        hidden=hidden,
        flood=is_flood,
        note=NOTE,
    )


def bounded(plan: ActionPlan) -> ActionPlan:
    """Return the plan as it fits into a message; what is left out is counted in the note."""
    items = tuple(
        msgspec.structs.replace(
            item,
            alarms=item.alarms[:MOST_LISTED],
            equipment=item.equipment[:MOST_LISTED],
            affected=item.affected[:MOST_LISTED],
        )
        for item in plan.items[:MOST_ITEMS]
    )
    left_out = len(plan.items) - len(items)
    notes = [plan.note]
    if left_out:
        notes.append(f"{left_out} further causes are left out")
    if any(len(item.alarms) > MOST_LISTED for item in plan.items):
        notes.append(f"Of an item at most {MOST_LISTED} alarms are listed")
    return msgspec.structs.replace(plan, items=items, note=". ".join(notes))


def _is_flood(alarms: Iterable[Alarm], flood: Flood, now: datetime) -> bool:
    window = timedelta(seconds=flood.window_s)
    return sum(alarm.active and now - alarm.raised_at <= window for alarm in alarms) >= flood.alarms


def _urgency(item: PlanItem, group: Sequence[Alarm], *, is_flood: bool) -> tuple[object, ...]:
    """Return what to sort by, the most urgent first.

    Present before returned, then priority, then what nobody has acknowledged. In a flood the
    cause of most alarms comes first, else the one that reaches most units; then the oldest.
    """
    is_present = any(alarm.active for alarm in group)
    is_owed = any(alarm.state is not AlarmState.ACK for alarm in group)
    reach = len(item.equipment) + len(item.affected)
    consequence = (len(group), reach) if is_flood else (reach, len(group))
    return (
        not is_present,
        item.priority,
        not is_owed,
        *(-each for each in consequence),
        item.since,
        item.cause,
    )


def _item(group: Sequence[Alarm], situation: Situation) -> PlanItem:
    first = group[0]
    equipment = tuple(dict.fromkeys(unit_of(alarm.finding.equipment) for alarm in group))
    affected = _affected(equipment, situation.units)
    workflow, given = _proposal(group, equipment, situation)
    return PlanItem(
        rank=0,
        priority=_worst(group),
        title=_title(group, equipment, situation.units),
        cause=first.id,
        alarms=tuple(alarm.id for alarm in group),
        equipment=equipment,
        affected=affected,
        since=first.raised_at,
        reason=_reason(group, equipment, affected, situation.zone),
        proposed_workflow=workflow,
        proposed_input=given,
        actions=_actions(group),
    )


def _affected(equipment: Sequence[str], units: Mapping[str, Equipment]) -> tuple[str, ...]:
    lines = {path.rpartition("/")[0] for path in equipment}
    return tuple(
        path
        for path, unit in sorted(units.items())
        if path.rpartition("/")[0] in lines and path not in equipment and unit.kind not in _ASIDE
    )


def _title(group: Sequence[Alarm], equipment: Sequence[str], units: Mapping[str, Equipment]) -> str:
    first = group[0].finding
    if len(equipment) > 1 and is_loss(group, units):
        return f"No usable values from {len(equipment)} units: one common cause is likely"
    path = unit_of(first.equipment)
    unit = units.get(path)
    name = unit.name if unit else path.rpartition("/")[2].replace("_", " ")
    said = (first.message or first.condition.replace("_", " "))[:_MOST_SAID]
    title = said if name in said else f"{name}: {said}"
    others = len(group) - 1
    more = "1 more alarm" if others == 1 else f"{others} more alarms"
    return f"{title} ({more})" if others else title


def _reason(
    group: Sequence[Alarm], equipment: Sequence[str], affected: Sequence[str], zone: tzinfo
) -> str:
    is_present = any(alarm.active for alarm in group)
    owed = sum(alarm.state is not AlarmState.ACK for alarm in group)
    parts = [
        _worst(group).name.capitalize() if is_present else "Returned to normal, not yet reset",
        _count(len(group), "alarm") + (f" on {_count(len(equipment), 'unit')}"),
        f"{owed} not acknowledged" if owed else "all acknowledged",
        f"{_count(len(affected), 'further unit')} on the same line" if affected else "",
        f"first at {in_zone(group[0].raised_at, zone):%Y-%m-%d %H:%M:%S}",
    ]
    return "; ".join(part for part in parts if part)


def _worst(group: Sequence[Alarm]) -> Priority:
    """Return the worst priority of what is present, or of all if nothing is any more."""
    present = [alarm for alarm in group if alarm.active]
    return min(key_of(alarm).priority for alarm in present or group)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _proposal(
    group: Sequence[Alarm], equipment: Sequence[str], situation: Situation
) -> tuple[str, dict[str, str | int]]:
    """Return the workflow for the first condition of the group that one is made for."""
    if is_loss(group, situation.units):
        return "", {}  # one sensor after the other would be the wrong end to begin at
    units = set(equipment)
    stated = sorted(
        (each for each in situation.findings if unit_of(each.equipment) in units),
        key=lambda each: (each.found_at, each.key),
    )
    for finding in (*(alarm.finding for alarm in group), *stated):
        if finding.condition in _SENSOR and len(finding.equipment.split("/")) == 5:
            given: dict[str, str | int] = {"tag": finding.equipment, **_words(finding)}
            return "sensor_fault_triage", given
        if finding.agent in _MACHINE_AGENTS and finding.condition not in _SENSOR:
            given = {"equipment": unit_of(finding.equipment), **_words(finding)}
            given |= {"agent": finding.agent, "priority": int(_worst(group))}
            return "industrial_troubleshooting", given
    return "", {}


def _words(finding: Finding) -> dict[str, str]:
    words = {"message": finding.message, "response": finding.response}
    return {"condition": finding.condition, **{key: text for key, text in words.items() if text}}


def _actions(group: Sequence[Alarm]) -> tuple[str, ...]:
    sentences = (_SENTENCE.match(alarm.finding.response.strip()) for alarm in group)
    found = dict.fromkeys(each.group().rstrip(";:") for each in sentences if each)
    return tuple(found)[:_MOST_ACTIONS]

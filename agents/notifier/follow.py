"""Which alarms to tell of, and when to tell the next in line; pure."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

import msgspec

from agents.notifier.decide import HOUR
from agents.notifier.routes import Route
from app.core.alarm import Alarm, AlarmState, Priority
from app.core.clock import in_zone
from app.core.delivery import Notification


class Followed(msgspec.Struct, frozen=True):
    """What was told of one alarm that nobody has acknowledged yet.

    Attributes:
        raised_at: When it was raised, as told, UTC.
        priority: The worst priority told.
        told: When which route was tried, UTC.
    """

    raised_at: datetime
    priority: Priority
    told: dict[str, datetime] = {}


class Escalation(NamedTuple):
    """An alarm that waited too long on one route and goes to another."""

    alarm: str
    route: str
    to: str


def is_waiting(alarm: Alarm) -> bool:
    """Tell whether the alarm is present and nobody has acknowledged or hidden it."""
    return alarm.active and alarm.state is AlarmState.UNACK


def is_settled(alarm: Alarm) -> bool:
    """Tell whether somebody has acknowledged it, so that it need not be followed any more."""
    return alarm.state in {AlarmState.ACK, AlarmState.NORMAL}


def is_news(alarm: Alarm, followed: Followed | None) -> bool:
    """Tell whether people should be told: a new raise, or a worse priority of a known one."""
    if not is_waiting(alarm):
        return False
    if followed is None or priority_of(alarm) < followed.priority:
        return True
    # A chattering alarm is raised again and again; its escalation must not begin anew each time.
    return alarm.raised_at > followed.raised_at and not alarm.chattering


def told(alarm: Alarm, followed: Followed | None, routes: Mapping[str, datetime]) -> Followed:
    """Return what is known of an alarm after some routes were tried.

    The first try on a route counts, also over raises within an hour: an alarm that comes and goes
    and that nobody acknowledges must not put its own escalation off.
    """
    is_same = followed is not None and alarm.raised_at - followed.raised_at < HOUR
    before = followed.told if followed and is_same else {}
    return Followed(alarm.raised_at, priority_of(alarm), {**routes, **before})


def escalations(
    alarms: Mapping[str, Alarm],
    followed: Mapping[str, Followed],
    routes: Mapping[str, Route],
    now: datetime,
) -> list[Escalation]:
    """Return what is due: alarms still waiting, on routes that escalate, each pair once."""
    due: list[Escalation] = []
    for alarm_id, known in followed.items():
        alarm = alarms.get(alarm_id)
        if alarm is None or not is_waiting(alarm):
            continue
        for name, at in known.told.items():
            route = routes.get(name)
            if route is None or not route.settings.escalate_to:
                continue
            to = route.settings.escalate_to
            waited_s = (now - at).total_seconds()
            if waited_s >= route.settings.escalate_after_s and to not in known.told:
                due.append(Escalation(alarm_id, name, to))
    return due


def priority_of(alarm: Alarm) -> Priority:
    """Return the alarm's priority."""
    return alarm.finding.priority or Priority.LOW


def about(alarm: Alarm, zone: tzinfo, waited_s: float = 0.0) -> Notification:
    """Return what to say of an alarm, or that it still waits after `waited_s`.

    Args:
        alarm: The alarm.
        zone: Clock of the plant, by which its people read times.
        waited_s: How long nobody has acknowledged it; 0 for the first time.
    """
    finding, priority = alarm.finding, priority_of(alarm)
    unit = "/".join(finding.equipment.split("/")[2:]) or finding.equipment
    said = finding.message or finding.condition.replace("_", " ")
    late = f"Not acknowledged for {waited_s / 60:.0f} min. " if waited_s else ""
    since = in_zone(alarm.raised_at, zone)
    return Notification(
        title=f"{priority.name.capitalize()}: {said}"[:200],
        message=f"{late}{unit}, since {since:%H:%M}. {finding.response}".strip()[:1000],
        priority=priority,
        key=f"alarm {alarm.id}",
        equipment=finding.equipment,
        alarm=alarm.id,
    )

"""What the banner shows of all alarms."""

from collections.abc import Iterable

from app.core.alarm import AlarmSummary, Priority
from app.core.alarm_machine import HIDDEN_STATES
from app.core.alarm_record import AlarmRecord


def summarise(records: Iterable[AlarmRecord], *, flood: bool, refused: int) -> AlarmSummary:
    """Count alarms by priority and find the worst unacknowledged one, the newest among equals."""
    counts, waiting, hidden = [0, 0, 0, 0], [0, 0, 0, 0], 0
    worst: AlarmRecord | None = None
    for record in records:
        alarm = record.alarm
        if alarm.state in HIDDEN_STATES:
            hidden += 1
            continue
        level = int(alarm.finding.priority or Priority.LOW) - 1
        counts[level] += alarm.active
        if record.owes:
            waiting[level] += 1
            if worst is None or _urgency(record) > _urgency(worst):
                worst = record
    return AlarmSummary(
        counts=(counts[0], counts[1], counts[2], counts[3]),
        unacknowledged=(waiting[0], waiting[1], waiting[2], waiting[3]),
        worst=worst.alarm if worst else None,
        flood=flood,
        hidden=hidden,
        refused=refused,
    )


def _urgency(record: AlarmRecord) -> tuple[int, float]:
    alarm = record.alarm
    return -int(alarm.finding.priority or Priority.LOW), alarm.raised_at.timestamp()

"""What the banner shows of all alarms, kept up to date as each alarm changes."""

import heapq
from typing import NamedTuple

from app.core.alarm import AlarmSummary, Priority
from app.core.alarm_machine import HIDDEN_STATES
from app.core.alarm_record import AlarmRecord

_LEVELS = len(Priority)
_STALE = 100
"""Places in a queue that no longer hold, beyond as many as do, before it is made anew."""


class _Place(NamedTuple):
    """Where an alarm waits for its acknowledgement; the newest comes first."""

    before_s: float
    key: str
    level: int


class Tally:
    """Counts of the alarms by priority, and the queues of those that wait.

    A change costs the same whether ten alarms stand or ten thousand.
    """

    def __init__(self) -> None:
        self._counts = [0] * _LEVELS
        self._unacknowledged = [0] * _LEVELS
        self._hidden = 0
        self._places: dict[str, _Place] = {}
        self._queues: list[list[_Place]] = [[] for _ in range(_LEVELS)]

    def change(self, before: AlarmRecord | None, after: AlarmRecord) -> None:
        """Take one alarm as it now is; `before` is what was taken of it last."""
        if before is not None:
            self._count(before, -1)
        self._count(after, 1)
        self._move(after.alarm.id, _place(after))

    def worst(self) -> str | None:
        """Return the id of the newest waiting alarm of the worst priority that waits."""
        for queue in self._queues:
            while queue and self._places.get(queue[0].key) != queue[0]:
                heapq.heappop(queue)
            if queue:
                return queue[0].key
        return None

    def summary(self, worst: AlarmRecord | None, *, flood: bool, refused: int) -> AlarmSummary:
        """Return the counts; `worst` is the alarm that `worst()` names."""
        counts, waiting = self._counts, self._unacknowledged
        return AlarmSummary(
            counts=(counts[0], counts[1], counts[2], counts[3]),
            unacknowledged=(waiting[0], waiting[1], waiting[2], waiting[3]),
            worst=worst.alarm if worst else None,
            flood=flood,
            hidden=self._hidden,
            refused=refused,
        )

    def _count(self, record: AlarmRecord, by: int) -> None:
        alarm, level = record.alarm, _level(record)
        if alarm.state in HIDDEN_STATES:
            self._hidden += by
        else:
            self._counts[level] += by * alarm.active
            self._unacknowledged[level] += by * record.owes

    def _move(self, key: str, place: _Place | None) -> None:
        if place is None:
            self._places.pop(key, None)
        elif self._places.get(key) != place:
            self._places[key] = place
            queue = self._queues[place.level]
            heapq.heappush(queue, place)
            if len(queue) > 2 * self._unacknowledged[place.level] + _STALE:
                queue[:] = {each for each in queue if self._places.get(each.key) == each}
                heapq.heapify(queue)


def _place(record: AlarmRecord) -> _Place | None:
    alarm = record.alarm
    if not record.owes or alarm.state in HIDDEN_STATES:
        return None
    return _Place(-alarm.raised_at.timestamp(), alarm.id, _level(record))


def _level(record: AlarmRecord) -> int:
    return int(record.alarm.finding.priority or Priority.LOW) - 1

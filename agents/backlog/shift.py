"""What a shift left behind: orders and the alarms that were heard of; pure."""

from collections import OrderedDict
from datetime import UTC, datetime, tzinfo

import msgspec

from app.core.alarm import Alarm
from app.core.shift import ShiftSummary

MOST_ALARMS = 5000  # raises remembered; a shift in a flood has some hundred
MOST_AGE_S = 48 * 3600.0


class Raised(msgspec.Struct, frozen=True):
    """One raise of one alarm.

    Attributes:
        alarm: Its id.
        at: When it was raised, UTC.
        priority: 1 critical to 4 low.
        equipment: Path of the unit or tag.
        message: What the operator read.
    """

    alarm: str
    at: datetime
    priority: int
    equipment: str
    message: str


class Raises:
    """The raises of the last two days, each once, the oldest go first."""

    def __init__(self, raises: list[Raised]) -> None:
        self._raises = OrderedDict(((each.alarm, each.at), each) for each in raises)

    def take(self, alarm: Alarm, now: datetime) -> None:
        """Remember a raise that is not known yet and not too old."""
        if (now - alarm.raised_at).total_seconds() > MOST_AGE_S:
            return
        finding = alarm.finding
        priority = int(finding.priority) if finding.priority else 4
        raised = Raised(
            alarm.id, alarm.raised_at, priority, finding.equipment, finding.message[:300]
        )
        self._raises.setdefault((raised.alarm, raised.at), raised)
        self._trim(now)

    def all(self) -> list[Raised]:
        """Return all of them, as they came in."""
        return list(self._raises.values())

    def between(self, start: datetime, end: datetime) -> list[Raised]:
        """Return those from `start` until before `end`, the oldest first."""
        found = (each for each in self._raises.values() if start <= each.at < end)
        return sorted(found, key=lambda each: (each.at, each.alarm))

    def _trim(self, now: datetime) -> None:
        while self._raises:
            oldest = next(iter(self._raises.values()))
            is_old = (now - oldest.at).total_seconds() > MOST_AGE_S
            if not is_old and len(self._raises) <= MOST_ALARMS:
                return
            self._raises.popitem(last=False)


def summary(
    start: datetime,
    end: datetime,
    orders: tuple[int, int, int],
    raises: list[Raised],
    heard_since: datetime,
    *,
    zone: tzinfo,
) -> ShiftSummary:
    """Sum up a shift.

    Args:
        start: Its beginning, UTC.
        end: Its end, UTC.
        orders: How many were opened and closed in it, and are open now.
        raises: Those in the shift.
        heard_since: Since when alarms were heard, UTC.
        zone: Clock of the plant, by which its people read times.
    """
    units: dict[str, int] = {}
    for each in raises:
        units[each.equipment] = units.get(each.equipment, 0) + 1
    worst = sorted(units.items(), key=lambda item: (-item[1], item[0]))[:5]
    counts = [sum(each.priority == level for each in raises) for level in (1, 2, 3, 4)]
    began = f"{heard_since.astimezone(zone):%H:%M}, when the agent began to listen"
    missed = f"Alarms that came and went before {began}, are not counted"
    return ShiftSummary(
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        orders_opened=orders[0],
        orders_closed=orders[1],
        orders_open=orders[2],
        alarms=len(raises),
        alarms_by_priority=tuple(counts),
        worst=dict(worst),
        heard_since=heard_since,
        note=missed if heard_since > start else "",
    )

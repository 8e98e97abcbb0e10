"""When the plant works: shifts, breaks, changeovers, weekends, tariff, and the air in the halls."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SHIFTS = ((6, "early", 1.0), (14, "late", 0.92), (22, "night", 0.75))
_CHANGEOVER_MINUTES = 10
_BREAK_AFTER_HOURS = 4
_BREAK_MINUTES = 30
_WEEKEND_LOAD = 0.55


@dataclass(frozen=True, slots=True)
class Shift:
    """The production calendar at one moment.

    Attributes:
        name: "early", "late" or "night".
        load: Production planned, 1 is a full weekday shift.
        is_break: The crew is at its break; machines with hands on them pause.
        is_changeover: One crew hands over to the next.
        is_weekend: Saturday or Sunday.
        is_peak_tariff: Electricity costs the day rate (weekdays 06:00 to 22:00).
    """

    name: str
    load: float
    is_break: bool
    is_changeover: bool
    is_weekend: bool
    is_peak_tariff: bool

    @property
    def is_working(self) -> bool:
        """Machines that need hands produce."""
        return not (self.is_break or self.is_changeover)


def shift_at(local: datetime) -> Shift:
    """Return the production calendar at a wall-clock time of the plant."""
    start, name, load = _slot(local.hour)
    minutes = ((local.hour - start) % 24) * 60 + local.minute
    break_from = _BREAK_AFTER_HOURS * 60
    weekend = local.weekday() >= 5
    return Shift(
        name=name,
        load=load * _WEEKEND_LOAD if weekend else load,
        is_break=break_from <= minutes < break_from + _BREAK_MINUTES,
        is_changeover=minutes < _CHANGEOVER_MINUTES,
        is_weekend=weekend,
        is_peak_tariff=not weekend and 6 <= local.hour < 22,
    )


def shift_began(local: datetime) -> datetime:
    """Return when the shift of a wall-clock time of the plant began, in the same zone."""
    start, _, _ = _slot(local.hour)
    day = local if local.hour >= start else local - timedelta(days=1)
    return day.replace(hour=start, minute=0, second=0, microsecond=0)


def hall_temperature(local: datetime) -> float:
    """Return the air temperature in the halls, Cel: warmest at 15:00 and in July.

    A heated, uncooled hall follows the weather damped: 4 K over the day, 4 K over the year.
    """
    hour = local.hour + local.minute / 60 + local.second / 3600
    day = local.timetuple().tm_yday
    return (
        21.0
        + 4.0 * math.cos(2 * math.pi * (hour - 15) / 24)
        + 4.0 * math.cos(2 * math.pi * (day - 200) / 365)
    )


class Calendar:
    """Looks the shift up once a minute and the hall temperature once every ten seconds.

    The shift of a moment is that of the minute it lies in.
    """

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._minute = -1
        self._tenth = -1
        self._shift = Shift("early", 1.0, False, False, False, False)
        self._began = datetime.min.replace(tzinfo=UTC)
        self._air = 21.0

    def at(self, moment: datetime) -> tuple[Shift, float]:
        """Return the shift and the hall temperature at a moment (aware, any zone)."""
        tenth = int(moment.timestamp()) // 10
        if tenth != self._tenth:
            self._tenth = tenth
            local = moment.astimezone(self._zone)
            self._air = hall_temperature(local)
            if tenth // 6 != self._minute:
                self._minute = tenth // 6
                self._shift = shift_at(local)
                self._began = shift_began(local).astimezone(UTC)
        return self._shift, self._air

    def shift_began(self, moment: datetime) -> datetime:
        """Return when the shift of a moment (aware, any zone) began, UTC."""
        self.at(moment)
        return self._began

    def rest_of_shift(self, moment: datetime) -> Iterator[Shift]:
        """Yield the calendar of each minute from a moment to the end of its shift."""
        local = moment.astimezone(self._zone)
        began = shift_began(local)
        while shift_began(local) == began:
            yield shift_at(local)
            moment += timedelta(minutes=1)
            local = moment.astimezone(self._zone)


def _slot(hour: int) -> tuple[int, str, float]:
    """Return first hour, name and planned load of the shift an hour of the day lies in."""
    found = _SHIFTS[-1]
    for slot in _SHIFTS:
        if hour >= slot[0]:
            found = slot
    return found

"""Alarm performance as ISA-18.2-2016 clause 16 and EEMUA 191 measure it, from the journal.

Pure: the figures follow from journal lines, the present alarms and the range asked for.
"Announced" means that an alarm became unacknowledged where an operator sees it; what happens
to a hidden alarm is no load on the operator and is not counted.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from app.alarms.kpi_tally import TEN_MINUTES, Tally
from app.core.alarm import Alarm, AlarmState, JournalEntry
from app.core.alarm_machine import HIDDEN_STATES
from app.settings import AlarmSettings

TOP = 10

RATE_GOAL = 1.0
"""Announced alarms in ten minutes an operator can handle (EEMUA 191, ISA-18.2 table 5)."""
FLOOD_GOAL = 0.01
"""Share of time in flood (ISA-18.2 clause 16, "less than 1 %")."""
PEAK_GOAL = 10
"""Announced alarms in the worst ten minutes (EEMUA 191)."""
STALE_GOAL = 5
"""Stale alarms on any day (ISA-18.2 clause 16, "less than 5")."""
PRIORITY_GOALS = (0.01, 0.05, 0.15, 0.80)
"""Critical, high, medium, low. The goal for three levels is 5/15/80; the standard's fourth and
highest level takes less than 1 % on top of these (ISA-18.2 clause 16, note on four levels)."""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One figure with its goal.

    Attributes:
        name: Path segment.
        title: As the page shows it.
        value: In `unit`.
        unit: Of value.
        goal: The goal in words.
        is_met: The goal is met.
    """

    name: str
    title: str
    value: float
    unit: str
    goal: str
    is_met: bool


class Frequent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the alarms that came most often: how often, and its share of all (0 to 1)."""

    alarm_id: str
    equipment: str
    message: str
    priority: int
    count: int
    share: float


class Chattering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alarm that chattered: the most transitions within the window, and when."""

    alarm_id: str
    equipment: str
    message: str
    transitions: int
    at: datetime


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One priority: how many were announced, their share and the goal's share (0 to 1)."""

    priority: int
    count: int
    share: float
    goal: float


class Bar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Announced alarms by priority from `start` on, critical first."""

    start: datetime
    counts: tuple[int, int, int, int]


class AlarmKpi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Alarm performance of one range of time.

    Attributes:
        start: First moment, UTC.
        end: Moment after the last, UTC.
        announced: Alarms announced in the range.
        per_10_min: Average.
        per_hour: Average; one operator watches the plant.
        peak_per_10_min: Most in one step of ten minutes counted from `start`.
        flood_share: Share of time in flood, 0 to 1.
        floods: Number of floods.
        standing: Active alarms that are not hidden, now.
        shelved: Shelved alarms, now.
        hidden: Shelved, suppressed by design or out of service, now.
        unacknowledged_for_s: Age of the oldest alarm that still waits for acknowledgement, s.
        acknowledge_median_s: Time from announcement to acknowledgement, s; None without any.
        acknowledge_p95_s: Likewise, 95th percentile.
        figures: The figures that have goals.
        levels: Distribution over priorities.
        bars: Announced alarms over time.
        bar_s: Width of a bar, s.
        top: The most frequent alarms.
        chattering: Alarms that chattered in the range.
        stale: Alarms active for longer than `stale_hours`, now.
    """

    start: datetime
    end: datetime
    announced: int
    per_10_min: float
    per_hour: float
    peak_per_10_min: int
    flood_share: float
    floods: int
    standing: int
    shelved: int
    hidden: int
    unacknowledged_for_s: float | None
    acknowledge_median_s: float | None
    acknowledge_p95_s: float | None
    figures: tuple[Figure, ...]
    levels: tuple[Level, ...]
    bars: tuple[Bar, ...]
    bar_s: float
    top: tuple[Frequent, ...]
    chattering: tuple[Chattering, ...]
    stale: tuple[Alarm, ...]


def compute_kpi(
    entries: Iterable[JournalEntry],
    alarms: Sequence[Alarm],
    start: datetime,
    end: datetime,
    settings: AlarmSettings,
) -> AlarmKpi:
    """Compute all figures, reading the lines once and keeping none but the last of each alarm.

    `entries`: in order of time, the oldest first; those of one flood window before `start` tell
    a flood that goes on.
    `alarms`: the present ones.

    Raises:
        InputError: The range holds more different alarms or acknowledgements than are kept.
    """
    tally = Tally(start, end, settings)
    for entry in entries:
        tally.add(entry)
    tens = max((end - start) / TEN_MINUTES, 1e-9)
    flood_share, floods = tally.floods.result()
    delays_s = sorted(tally.delays_s)
    visible = [alarm for alarm in alarms if alarm.state not in HIDDEN_STATES]
    stale_before = end - timedelta(hours=settings.stale_hours)
    stale = tuple(alarm for alarm in visible if alarm.active and alarm.raised_at < stale_before)
    chattering, peak = _chattering(tally), tally.steps.peak
    waiting_s = [(end - alarm.raised_at).total_seconds() for alarm in visible if _waits(alarm)]
    return AlarmKpi(
        start=start,
        end=end,
        announced=tally.announced,
        per_10_min=tally.announced / tens,
        per_hour=6 * tally.announced / tens,
        peak_per_10_min=peak,
        flood_share=flood_share,
        floods=floods,
        standing=sum(alarm.active for alarm in visible),
        shelved=sum(alarm.state is AlarmState.SHELVED for alarm in alarms),
        hidden=len(alarms) - len(visible),
        unacknowledged_for_s=max(waiting_s, default=None),
        acknowledge_median_s=percentile(delays_s, 0.5),
        acknowledge_p95_s=percentile(delays_s, 0.95),
        figures=_figures(tally.announced / tens, peak, flood_share, len(chattering), len(stale)),
        levels=_levels(tally),
        bars=_bars(tally, start),
        bar_s=tally.steps.width.total_seconds(),
        top=_top(tally),
        chattering=chattering,
        stale=stale,
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of all lie, between neighbours linearly."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _waits(alarm: Alarm) -> bool:
    if alarm.state is AlarmState.LATCHED:
        return alarm.acknowledged_at is None
    return alarm.state in {AlarmState.UNACK, AlarmState.RTN_UNACK}


def _chattering(tally: Tally) -> tuple[Chattering, ...]:
    chattering = [
        Chattering(
            key, worst.entry.equipment, worst.entry.message, worst.transitions, worst.entry.at
        )
        for key, worst in tally.chatters.worst.items()
    ]
    return tuple(sorted(chattering, key=lambda each: -each.transitions))


def _top(tally: Tally) -> tuple[Frequent, ...]:
    return tuple(
        Frequent(
            alarm_id=key,
            equipment=tally.latest[key].equipment,
            message=tally.latest[key].message,
            priority=tally.latest[key].priority,
            count=count,
            share=count / tally.announced,
        )
        for key, count in tally.counts.most_common(TOP)
    )


def _levels(tally: Tally) -> tuple[Level, ...]:
    total = max(tally.announced, 1)
    return tuple(
        Level(level, tally.levels[level], share=tally.levels[level] / total, goal=goal)
        for level, goal in enumerate(PRIORITY_GOALS, 1)
    )


def _bars(tally: Tally, start: datetime) -> tuple[Bar, ...]:
    return tuple(
        Bar(start + index * tally.steps.width, (one, two, three, four))
        for index, (one, two, three, four) in enumerate(tally.steps.bars)
    )


def _figures(
    per_10_min: float, peak: int, flood_share: float, chattering: int, stale: int
) -> tuple[Figure, ...]:
    rate_met, peak_met = per_10_min <= RATE_GOAL, peak <= PEAK_GOAL
    return (
        Figure("rate", "Average rate", per_10_min, "per 10 min", "at most 1", rate_met),
        Figure("peak", "Peak rate", peak, "per 10 min", "at most 10", peak_met),
        Figure(
            "flood", "Time in flood", 100 * flood_share, "%", "below 1 %", flood_share < FLOOD_GOAL
        ),
        Figure("chattering", "Chattering alarms", chattering, "alarms", "none", chattering == 0),
        Figure("stale", "Stale alarms", stale, "alarms", "fewer than 5", stale < STALE_GOAL),
    )

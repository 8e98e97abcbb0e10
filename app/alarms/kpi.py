"""Alarm performance as ISA-18.2-2016 clause 16 and EEMUA 191 measure it, from the journal.

Pure: the figures follow from journal lines, the present alarms and the range asked for.
"Announced" means that an alarm became unacknowledged where an operator sees it; what happens
to a hidden alarm is no load on the operator and is not counted.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from app.core.alarm import Alarm, AlarmState, JournalEntry
from app.core.alarm_machine import HIDDEN_STATES, AlarmEvent
from app.settings import AlarmSettings

TEN_MINUTES = timedelta(minutes=10)
TOP = 10
MAX_BARS = 144
"""Bars of the rate chart: one day in steps of ten minutes."""

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
    entries: Sequence[JournalEntry],
    alarms: Sequence[Alarm],
    start: datetime,
    end: datetime,
    settings: AlarmSettings,
) -> AlarmKpi:
    """Compute all figures.

    `entries`: oldest first; those of one flood window before `start` tell a flood that goes on.
    `alarms`: the present ones.
    """
    led_in = [entry for entry in entries if _is_announcement(entry) and entry.at < end]
    inside = [entry for entry in entries if start <= entry.at < end]
    announced = [entry for entry in inside if _is_announcement(entry)]
    tens = max((end - start) / TEN_MINUTES, 1e-9)
    flood_share, floods = _floods([entry.at for entry in led_in], start, end, settings)
    peak = max(
        Counter((entry.at - start) // TEN_MINUTES for entry in announced).values(), default=0
    )
    delays_s = _acknowledge_delays(inside)
    visible = [alarm for alarm in alarms if alarm.state not in HIDDEN_STATES]
    stale_before = end - timedelta(hours=settings.stale_hours)
    stale = tuple(alarm for alarm in visible if alarm.active and alarm.raised_at < stale_before)
    chattering = _chattering(inside, settings)
    bars, bar_s = _bars(announced, start, end)
    waiting_s = [(end - alarm.raised_at).total_seconds() for alarm in visible if _waits(alarm)]
    return AlarmKpi(
        start=start,
        end=end,
        announced=len(announced),
        per_10_min=len(announced) / tens,
        per_hour=6 * len(announced) / tens,
        peak_per_10_min=peak,
        flood_share=flood_share,
        floods=floods,
        standing=sum(alarm.active for alarm in visible),
        shelved=sum(alarm.state is AlarmState.SHELVED for alarm in alarms),
        hidden=len(alarms) - len(visible),
        unacknowledged_for_s=max(waiting_s, default=None),
        acknowledge_median_s=percentile(delays_s, 0.5),
        acknowledge_p95_s=percentile(delays_s, 0.95),
        figures=_figures(len(announced) / tens, peak, flood_share, len(chattering), len(stale)),
        levels=_levels(announced),
        bars=bars,
        bar_s=bar_s,
        top=_top(announced),
        chattering=chattering,
        stale=stale,
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of all lie, between neighbours linearly."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _is_announcement(entry: JournalEntry) -> bool:
    if entry.new is not AlarmState.UNACK:
        return False
    return entry.old is not AlarmState.UNACK or entry.event == AlarmEvent.ESCALATE


def _waits(alarm: Alarm) -> bool:
    if alarm.state is AlarmState.LATCHED:
        return alarm.acknowledged_at is None
    return alarm.state in {AlarmState.UNACK, AlarmState.RTN_UNACK}


def _floods(
    times: Sequence[datetime], start: datetime, end: datetime, settings: AlarmSettings
) -> tuple[float, int]:
    """Return the share of [start, end) in flood and the number of floods that touch it."""
    window = timedelta(seconds=settings.flood_window_s)
    moves = sorted([(at, 1) for at in times] + [(at + window, -1) for at in times])
    present, since, total, floods = 0, None, timedelta(), 0
    for at, step in moves:
        present += step
        if since is None and present >= settings.flood_count:
            since = at
        elif since is not None and present < settings.flood_end_count:
            inside = min(at, end) - max(since, start)
            floods += inside > timedelta()
            total += max(inside, timedelta())
            since = None
    return min(total / (end - start), 1.0) if end > start else 0.0, floods


def _acknowledge_delays(entries: Sequence[JournalEntry]) -> list[float]:
    announced: dict[str, datetime] = {}
    delays_s: list[float] = []
    for entry in entries:
        if _is_announcement(entry):
            announced[entry.alarm_id] = entry.at
        elif entry.event == AlarmEvent.ACKNOWLEDGE and entry.alarm_id in announced:
            delays_s.append((entry.at - announced.pop(entry.alarm_id)).total_seconds())
    return delays_s


def _chattering(entries: Sequence[JournalEntry], settings: AlarmSettings) -> tuple[Chattering, ...]:
    window = timedelta(seconds=settings.chattering_window_s)
    moves: defaultdict[str, deque[datetime]] = defaultdict(deque)
    worst: dict[str, Chattering] = {}
    for entry in entries:
        if entry.event not in _TRANSITIONS or entry.old in HIDDEN_STATES:
            continue
        times = moves[entry.alarm_id]
        times.append(entry.at)
        while times[0] <= entry.at - window:
            times.popleft()
        known = worst.get(entry.alarm_id)
        if len(times) >= settings.chattering_count and (
            known is None or len(times) > known.transitions
        ):
            worst[entry.alarm_id] = Chattering(
                entry.alarm_id, entry.equipment, entry.message, len(times), entry.at
            )
    return tuple(sorted(worst.values(), key=lambda each: -each.transitions))


_TRANSITIONS = {AlarmEvent.RAISE, AlarmEvent.ESCALATE, AlarmEvent.RETURN}


def _top(announced: Sequence[JournalEntry]) -> tuple[Frequent, ...]:
    latest = {entry.alarm_id: entry for entry in announced}
    counts = Counter(entry.alarm_id for entry in announced)
    return tuple(
        Frequent(
            alarm_id=key,
            equipment=latest[key].equipment,
            message=latest[key].message,
            priority=latest[key].priority,
            count=count,
            share=count / len(announced),
        )
        for key, count in counts.most_common(TOP)
    )


def _levels(announced: Sequence[JournalEntry]) -> tuple[Level, ...]:
    counts = Counter(entry.priority for entry in announced)
    total = max(len(announced), 1)
    return tuple(
        Level(priority=level, count=counts[level], share=counts[level] / total, goal=goal)
        for level, goal in enumerate(PRIORITY_GOALS, 1)
    )


def _bars(
    announced: Sequence[JournalEntry], start: datetime, end: datetime
) -> tuple[tuple[Bar, ...], float]:
    steps = -(-(end - start) // TEN_MINUTES)
    width = TEN_MINUTES * max(-(-steps // MAX_BARS), 1)
    counts = [[0, 0, 0, 0] for _ in range(-(-(end - start) // width))]
    for entry in announced:
        counts[(entry.at - start) // width][entry.priority - 1] += 1
    bars = tuple(
        Bar(start + index * width, (one, two, three, four))
        for index, (one, two, three, four) in enumerate(counts)
    )
    return bars, width.total_seconds()


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

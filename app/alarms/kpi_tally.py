"""What the key figures need of each journal line, taken line by line.

The memory does not grow with the number of lines: it holds one entry an alarm, the transitions
of one window, and eight bytes an acknowledgement, each up to a bound.
"""

from array import array
from collections import Counter, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.alarm import AlarmState, JournalEntry
from app.core.alarm_machine import HIDDEN_STATES, AlarmEvent
from app.core.errors import InputError
from app.settings import AlarmSettings

TEN_MINUTES = timedelta(minutes=10)
MAX_BARS = 144
"""Bars of the rate chart: one day in steps of ten minutes."""
MOST_ALARMS = 100_000
"""Different alarms in one range: as many as may stand at once (alarms.max_alarms)."""
MOST_DELAYS = 1_000_000
"""Acknowledgements in one range: 40 MB while they are sorted."""

_TRANSITIONS = frozenset({AlarmEvent.RAISE, AlarmEvent.ESCALATE, AlarmEvent.RETURN})


class Tally:
    """Counts the journal lines of [start, end), which must come in order of time.

    Attributes:
        announced: Alarms announced.
        levels: How many by priority.
        counts: How many by alarm.
        latest: The last announcement of each alarm.
        delays_s: Time to each acknowledgement.
        steps: Announcements over time.
        floods: Time in flood.
        chatters: Alarms that chattered.
    """

    def __init__(self, start: datetime, end: datetime, settings: AlarmSettings) -> None:
        self._start = start
        self._end = end
        self._waiting: dict[str, datetime] = {}
        self.announced = 0
        self.levels = Counter[int]()
        self.counts = Counter[str]()
        self.latest: dict[str, JournalEntry] = {}
        self.delays_s = array("d")
        self.steps = Steps(start, end)
        self.floods = Floods(start, end, settings)
        self.chatters = Chatters(settings)

    def add(self, entry: JournalEntry) -> None:
        """Take the next line; of those before `start` only the flood that goes on is kept.

        Raises:
            InputError: The range holds more than is kept in memory.
        """
        if entry.at >= self._end:
            return
        is_announcement = _is_announcement(entry)
        if is_announcement:
            self.floods.add(entry.at)
        if entry.at < self._start:
            return
        if is_announcement:
            self._announce(entry)
        elif entry.event == AlarmEvent.ACKNOWLEDGE and entry.alarm_id in self._waiting:
            waited = entry.at - self._waiting.pop(entry.alarm_id)
            self.delays_s.append(waited.total_seconds())
        self.chatters.add(entry)
        self._check()

    def _announce(self, entry: JournalEntry) -> None:
        self.announced += 1
        self.levels[entry.priority] += 1
        self.counts[entry.alarm_id] += 1
        self.latest[entry.alarm_id] = entry
        self._waiting[entry.alarm_id] = entry.at
        self.steps.add(entry)

    def _check(self) -> None:
        if max(len(self.latest), len(self.chatters.worst)) > MOST_ALARMS:
            raise _too_many(f"{MOST_ALARMS:,} different alarms")
        if len(self.delays_s) > MOST_DELAYS:
            raise _too_many(f"{MOST_DELAYS:,} acknowledgements")


class Steps:
    """Announcements in equal steps of time counted from `start`.

    Attributes:
        width: Of a bar, ten minutes or a multiple.
        bars: Announcements by priority in each, critical first.
        peak: Most in one step of ten minutes.
    """

    def __init__(self, start: datetime, end: datetime) -> None:
        tens = -(-(end - start) // TEN_MINUTES)
        self._start = start
        self._ten = self._in_ten = 0
        self.width = TEN_MINUTES * max(-(-tens // MAX_BARS), 1)
        self.bars = [[0, 0, 0, 0] for _ in range(-(-(end - start) // self.width))]
        self.peak = 0

    def add(self, entry: JournalEntry) -> None:
        """Count an announcement."""
        since = entry.at - self._start
        self.bars[since // self.width][entry.priority - 1] += 1
        ten = since // TEN_MINUTES
        self._in_ten = self._in_ten + 1 if ten == self._ten else 1
        self._ten = ten
        self.peak = max(self.peak, self._in_ten)


class Floods:
    """Time in flood within [start, end).

    It keeps no more times than the larger of the two counts that begin and end a flood: while
    there are more in the window, older ones decide nothing.
    """

    def __init__(self, start: datetime, end: datetime, settings: AlarmSettings) -> None:
        self._start = start
        self._end = end
        self._window = timedelta(seconds=settings.flood_window_s)
        self._begin_count = settings.flood_count
        self._end_count = settings.flood_end_count
        self._times = deque[datetime](maxlen=max(self._begin_count, self._end_count))
        self._since: datetime | None = None
        self._total = timedelta()
        self._floods = 0

    def add(self, at: datetime) -> None:
        """Count an announcement."""
        self._forget(at)
        self._times.append(at)
        self._look(at)

    def result(self) -> tuple[float, int]:
        """Return the share of the time and the number of floods; call it after the last `add`."""
        self._forget(None)
        span = self._end - self._start
        return min(self._total / span, 1.0) if span > timedelta() else 0.0, self._floods

    def _forget(self, now: datetime | None) -> None:
        """Let times leave the window: those it has left by `now`, or all."""
        while self._times and (now is None or self._times[0] + self._window <= now):
            self._look(self._times.popleft() + self._window)

    def _look(self, at: datetime) -> None:
        present = len(self._times)
        if self._since is None and present >= self._begin_count:
            self._since = at
        elif self._since is not None and present < self._end_count:
            inside = min(at, self._end) - max(self._since, self._start)
            self._floods += inside > timedelta()
            self._total += max(inside, timedelta())
            self._since = None


@dataclass(frozen=True, slots=True)
class Worst:
    """Most transitions of one alarm within the window, and the line that completed them."""

    transitions: int
    entry: JournalEntry


class Chatters:
    """Counts the transitions of each alarm in the window that ends at the latest line.

    Attributes:
        worst: The alarms that chattered.
    """

    def __init__(self, settings: AlarmSettings) -> None:
        self._window = timedelta(seconds=settings.chattering_window_s)
        self._count = settings.chattering_count
        self._recent = deque[tuple[datetime, str]]()
        self._present = Counter[str]()
        self.worst: dict[str, Worst] = {}

    def add(self, entry: JournalEntry) -> None:
        """Count a line; only one that an operator sees come or go is a transition."""
        if entry.event not in _TRANSITIONS or entry.old in HIDDEN_STATES:
            return
        self._forget(entry.at - self._window)
        self._recent.append((entry.at, entry.alarm_id))
        self._present[entry.alarm_id] += 1
        transitions = self._present[entry.alarm_id]
        known = self.worst.get(entry.alarm_id)
        if transitions >= self._count and (known is None or transitions > known.transitions):
            self.worst[entry.alarm_id] = Worst(transitions, entry)

    def _forget(self, until: datetime) -> None:
        while self._recent and self._recent[0][0] <= until:
            _, key = self._recent.popleft()
            self._present[key] -= 1
            if not self._present[key]:
                del self._present[key]


def _is_announcement(entry: JournalEntry) -> bool:
    if entry.new is not AlarmState.UNACK:
        return False
    return entry.old is not AlarmState.UNACK or entry.event == AlarmEvent.ESCALATE


def _too_many(what: str) -> InputError:
    return InputError(f"The range holds more than {what}", hint="Ask for a shorter range of time")

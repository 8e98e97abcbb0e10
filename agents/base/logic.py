"""What an agent sees of each unit: the last good readings of its inputs, by source time."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, ReadingMessage

_POINTS = 4096  # a tag; more than an hour at 1 Hz
_UNITS = 5000  # more units than one agent process can judge in a second
_AHEAD = timedelta(seconds=60)  # a source clock further ahead than this is wrong
_DEFAULT_STALE_S = Tag(path="").stale_after_s


class _Track:
    """Good readings of one tag of one unit, oldest first."""

    def __init__(self) -> None:
        self.times: deque[datetime] = deque(maxlen=_POINTS)
        self.values: deque[float] = deque(maxlen=_POINTS)
        self.is_good = False

    def add(self, at: datetime, value: float) -> bool:
        """Take a reading; one that is not newer than the last is a repetition."""
        if self.times and at <= self.times[-1]:
            return False
        self.times.append(at)
        self.values.append(value)
        self.is_good = True
        return True

    def trim(self, oldest: datetime) -> None:
        """Forget what is older than the window."""
        while self.times and self.times[0] < oldest:
            self.times.popleft()
            self.values.popleft()


class Window:
    """The last good readings of one unit's inputs, as of one moment.

    A tag whose last reading is bad or stale has no `latest`; its older good readings remain in
    `values` until they leave the window.
    """

    def __init__(self, tracks: dict[str, _Track], stale_s: dict[str, float], at: datetime) -> None:
        self._tracks = tracks
        self._stale_s = stale_s
        self._at = at

    def latest(self, tag: str) -> float | None:
        """Return the present value of `tag`, or None while it is bad, stale or unknown."""
        track = self._tracks.get(tag)
        if track is None or not track.is_good or not track.times:
            return None
        limit = timedelta(seconds=self._stale_s.get(tag, _DEFAULT_STALE_S))
        return track.values[-1] if self._at - track.times[-1] <= limit else None

    def values(self, tag: str, seconds: float | None = None) -> list[float]:
        """Return the good values of the last `seconds`, or of the whole window, oldest first."""
        track = self._tracks.get(tag)
        if track is None:
            return []
        values = list(track.values)
        if seconds is None:
            return values
        return values[bisect_left(track.times, self._at - timedelta(seconds=seconds)) :]

    def times(self, tag: str) -> list[datetime]:
        """Return the source times of `values(tag)`."""
        track = self._tracks.get(tag)
        return list(track.times) if track else []

    def present(self, tags: Iterable[str]) -> dict[str, float]:
        """Return the latest value of each of `tags` that has one."""
        found = ((tag, self.latest(tag)) for tag in tags)
        return {tag: value for tag, value in found if value is not None}


class Windows:
    """Buffers of all units; bad, stale, repeated and future readings never get in."""

    def __init__(self, inputs: Iterable[str], window_s: float) -> None:
        self._inputs = frozenset(inputs)
        self._window = timedelta(seconds=window_s)
        self._units: dict[str, dict[str, _Track]] = {}

    def take(self, path: str, message: ReadingMessage, received_time: datetime) -> bool:
        """Take one reading of tag `path`; tell whether it went into a window."""
        unit, _, tag = path.rpartition("/")
        if tag not in self._inputs:
            return False
        tracks = self._units.get(unit)
        if tracks is None:
            if len(self._units) >= _UNITS:
                return False
            tracks = self._units[unit] = {}
        track = tracks.get(tag)
        if track is None:
            track = tracks[tag] = _Track()
        at = message.t or received_time
        age = received_time - at
        if age > self._window or -age > _AHEAD:
            return False
        if message.q is not Quality.GOOD or message.v is None:
            track.is_good = False
            return False
        return track.add(at, float(message.v))

    def units(self) -> list[str]:
        """Return the paths of all units heard of."""
        return list(self._units)

    def window(self, unit: Equipment, now: datetime) -> Window:
        """Return what is known of `unit` at `now`."""
        tracks = self._units.get(unit.path, {})
        for track in tracks.values():
            track.trim(now - self._window)
        return Window(tracks, {tag.name: tag.stale_after_s for tag in unit.tags}, now)

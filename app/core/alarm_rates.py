"""How fast alarms come: chattering of one, flood of all (ISA-18.2-2016, clause 16)."""

from collections import deque
from datetime import datetime, timedelta


class Chatter:
    """Counts the transitions of one alarm between present and absent in a sliding window."""

    __slots__ = ("_count", "_times", "_window")

    def __init__(self, count: int, window_s: float) -> None:
        self._count = count
        self._window = timedelta(seconds=window_s)
        self._times: deque[datetime] = deque(maxlen=count)

    def add(self, at: datetime) -> None:
        """Count one transition."""
        self._times.append(at)

    def is_chattering(self, now: datetime) -> bool:
        """Tell whether the last `count` transitions all lie within the window before `now`."""
        return len(self._times) == self._count and self._times[0] > now - self._window


class FloodMeter:
    """Tells a flood: begins at `begin` new alarms in the window, ends below `end`.

    It keeps no more than `begin` times: further ones make the flood no more of a flood,
    and a window that has lost all but `end` of the newest ones has ended it.
    """

    def __init__(self, begin: int, end: int, window_s: float) -> None:
        self._begin = begin
        self._end = min(end, begin)
        self._window = timedelta(seconds=window_s)
        self._times: deque[datetime] = deque(maxlen=begin)
        self._is_flood = False

    def add(self, at: datetime) -> None:
        """Count one new alarm."""
        self._times.append(at)
        self.is_flood(at)

    def is_flood(self, now: datetime) -> bool:
        """Tell whether a flood goes on at `now`; times must not step back."""
        while self._times and self._times[0] <= now - self._window:
            self._times.popleft()
        self._is_flood = len(self._times) >= (self._end if self._is_flood else self._begin)
        return self._is_flood

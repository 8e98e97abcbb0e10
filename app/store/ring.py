"""The last minutes of every tag in memory, for live trends."""

from collections.abc import Sequence

import numpy as np

from app.core.reading import Reading
from app.store.series import QUALITY_CODES, Columns, join, to_us

_FIRST_ROWS = 64
_EVER_US = int(np.iinfo(np.int64).min)
# 15 minutes at 20 readings a second are 18,000 rows; a faster tag keeps less time.
_MOST_ROWS = 32_768
# As many as live.max_tags by default; a further tag has no ring and is read from the store.
_MOST_TAGS = 20_000


class Ring:
    """The newest readings of one tag, overwriting the oldest."""

    def __init__(self, span_us: int) -> None:
        self._span_us = span_us
        self._next = 0
        self._count = 0
        self._times = np.zeros(_FIRST_ROWS, np.int64)
        self._values = np.zeros(_FIRST_ROWS, np.float64)
        self._qualities = np.zeros(_FIRST_ROWS, np.uint8)

    def add(self, time_us: int, value: float, quality: int) -> None:
        """Take in one reading; grow while the oldest is still within the span."""
        if self._count == len(self._times) and self._must_grow(time_us):
            self._grow()
        self._times[self._next] = time_us
        self._values[self._next] = value
        self._qualities[self._next] = quality
        self._next = (self._next + 1) % len(self._times)
        self._count = min(self._count + 1, len(self._times))

    def recall(self, older: Columns) -> None:
        """Take in many readings at once; of repeats those that are here already stay."""
        every = join([older, self.since(_EVER_US)])
        kept = min(len(every), _MOST_ROWS)
        room = np.zeros(max(0, _FIRST_ROWS - kept), np.uint8)
        newest = slice(len(every) - kept, None)
        self._times = np.concatenate([every.times_us[newest], room.astype(np.int64)])
        self._values = np.concatenate([every.values[newest], room.astype(np.float64)])
        self._qualities = np.concatenate([every.qualities[newest], room])
        self._count = kept
        self._next = kept % len(self._times)

    def since(self, start_us: int) -> Columns:
        """Return the readings from `start_us` on, ordered, without repeats."""
        order = self._order()
        kept = Columns(self._times[order], self._values[order], self._qualities[order])
        return join([kept.between(start_us, np.iinfo(np.int64).max)])

    def _must_grow(self, time_us: int) -> bool:
        oldest = int(self._times[self._next])
        return len(self._times) < _MOST_ROWS and time_us - oldest < self._span_us

    def _grow(self) -> None:
        order, size = self._order(), len(self._times)
        self._times = np.concatenate([self._times[order], np.zeros(size, np.int64)])
        self._values = np.concatenate([self._values[order], np.zeros(size, np.float64)])
        self._qualities = np.concatenate([self._qualities[order], np.zeros(size, np.uint8)])
        self._next = size

    def _order(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        first = self._next - self._count
        return np.arange(first, self._next) % len(self._times)


class Rings:
    """One ring a tag, made when the tag is first seen."""

    def __init__(self, minutes: int) -> None:
        self._span_us = minutes * 60_000_000
        self._rings: dict[str, Ring] = {}

    def add(self, readings: Sequence[Reading]) -> None:
        """Take in readings of any tags."""
        for reading in readings:
            ring = self._rings.get(reading.tag) or self._make(reading.tag)
            if ring is not None:
                value = np.nan if reading.value is None else reading.value
                ring.add(to_us(reading.source_time), value, QUALITY_CODES[reading.quality])

    def recall(self, tag: str, older: Columns) -> None:
        """Take in the newest minutes of what an earlier process kept of `tag`."""
        ring = self._rings.get(tag) or self._make(tag)
        if ring is None or not len(older):
            return
        ordered = join([older])
        newest_us = int(ordered.times_us[-1])
        ring.recall(ordered.between(newest_us - self._span_us, newest_us + 1))

    def since(self, tag: str, start_us: int) -> Columns:
        """Return what is in memory of `tag` from `start_us` on; empty for an unknown tag."""
        ring = self._rings.get(tag)
        return ring.since(start_us) if ring else join([])

    def _make(self, tag: str) -> Ring | None:
        if len(self._rings) >= _MOST_TAGS:
            return None
        return self._rings.setdefault(tag, Ring(self._span_us))

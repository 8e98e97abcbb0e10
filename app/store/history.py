"""The historian: every reading of the plant, for live trends and for years back."""

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from app.core.clock import Clock
from app.core.equipment import split_path
from app.core.errors import TopicError
from app.core.health import ComponentStatus
from app.core.reading import Reading
from app.settings import HistorySettings
from app.store.arrow import export_rows
from app.store.downsample import downsample
from app.store.hot import Unrolled
from app.store.opening import OpenStore
from app.store.ring import Rings
from app.store.series import Columns, Series, join, to_us
from app.store.writer import HistoryWriter

# lancedb takes 1.4 s of CPU to load, beside agents that start some 5 s; whoever reads waits for it.
_OPEN_S = 15.0
# Below the 5 s after which HTTP clients commonly give up.
_READY_S = 2.0
# A bound of the cache of checked tag paths only.
_KNOWN_TAGS = 100_000
_RECALLED_AT_ONCE = 100  # 50 us a tag of 15 minutes
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class HistoryStats:
    """Size of the history.

    Attributes:
        rows: Readings in day tables and in memory; repeats of an interrupted roll are counted.
        bytes: On disk, after the last roll; 0 for a remote store.
        tags: Tags seen since the start, or in the widest day.
        days: Day tables.
        oldest: First day; None while there is none.
        waiting: Readings not yet rolled.
        dropped: Live readings given up while the disk refused.
        flushes: Batches committed since the start.
        flush_s: Seconds they took together.
    """

    rows: int
    bytes: int
    tags: int
    days: int
    oldest: date | None
    waiting: int
    dropped: int
    flushes: int = 0
    flush_s: float = 0.0


class Historian:
    """Takes readings, keeps them through crashes, and gives them back for a span of time.

    A reading is identified by its tag and its source time: a later one replaces an earlier one.
    Nothing here blocks the event loop: one thread writes, two read.
    """

    def __init__(self, settings: HistorySettings, data_dir: Path, clock: Clock) -> None:
        self._clock = clock
        self._writer = HistoryWriter(settings, data_dir, clock, self._recall)
        self._rings = Rings(settings.ring_minutes)
        self._readers = ThreadPoolExecutor(2, "history-read")
        self._known: set[str] = set()

    @property
    def status(self) -> ComponentStatus:
        """State with its reason."""
        return self._writer.status

    @property
    def stats(self) -> HistoryStats:
        """Size of the history; costs nothing."""
        writer = self._writer
        days = writer.days
        waiting = writer.active.rows + (writer.sealed.rows if writer.sealed else 0)
        return HistoryStats(
            rows=waiting + sum(day.rows for day in days.values()),
            bytes=writer.size_bytes,
            tags=max([len(self._known), *(day.tags for day in days.values())]),
            days=len(days),
            oldest=min(days, default=None),
            waiting=waiting,
            dropped=writer.dropped,
            flushes=writer.flushes,
            flush_s=writer.flush_s,
        )

    async def start(self) -> None:
        """Begin to open the store; returns at once, readings are taken from now on."""
        self._writer.start()

    async def _recall(self, recovered: Unrolled) -> None:
        """Fill the memory of the last minutes with what an earlier process left."""
        for number, tag in enumerate(recovered.tags()):
            self._rings.recall(tag, recovered.columns(tag))
            if number % _RECALLED_AT_ONCE == 0:
                await self._clock.sleep(0)

    async def ready(self) -> None:
        """Return once it can be read; for callers who rather ask again than wait for long.

        Raises:
            StoreOpeningError: It is still being opened.
            StoreError: It cannot be opened, or was stopped.
        """
        await self._writer.opened(_READY_S)

    async def stop(self) -> None:
        """Store what waits and end in bounded time."""
        await self._writer.stop()
        self._readers.shutdown(wait=False)

    def add(self, readings: Sequence[Reading]) -> None:
        """Take in live readings: seen at once, stored with the next batch.

        When too many wait because the disk refuses, they are dropped and counted. A reading
        whose tag is no path is left out and counted too.
        """
        fitting = [reading for reading in readings if self._is_path(reading.tag)]
        self._writer.dropped += len(readings) - len(fitting)
        self._rings.add(fitting)
        self._writer.add(fitting)

    async def append(self, readings: Sequence[Reading]) -> None:
        """Take in readings that must not be lost; returns after the commit that holds them.

        Raises:
            TopicError: A tag is no path; nothing of the call is stored.
            StoreError: The readings are not stored; append them again.
        """
        for reading in readings:
            if not self._is_path(reading.tag):
                split_path(reading.tag)
        self._rings.add(readings)
        await self._writer.append(readings)

    def recent(self, tag: str, since: datetime) -> Series:
        """Return the readings of the last minutes from memory, all of them."""
        columns = self._rings.since(tag, to_us(since))
        return downsample(columns, max(len(columns), 4))

    async def range(self, tag: str, start: datetime, end: datetime, points: int) -> Series:
        """Return about `points` points of start <= source time < end.

        Raises:
            TopicError: The tag is no path.
            StoreError: The history cannot be read.
        """
        columns = await self._read([tag], start, end)
        work = self._readers.submit(downsample, columns[tag], points)
        return await asyncio.wrap_future(work)

    async def export(self, tags: Sequence[str], start: datetime, end: datetime) -> Any:  # noqa: ANN401  an Arrow table, which has no type
        """Return a pyarrow.Table of all readings: tag, source_time, value, quality.

        Raises:
            TopicError: A tag is no path.
            StoreError: The history cannot be read.
        """
        columns = await self._read(tags, start, end)
        return await asyncio.wrap_future(self._readers.submit(export_rows, columns))

    async def count(self, tag: str | None = None) -> int:
        """Return the exact number of readings, of one tag or of all."""
        if tag is not None:
            return len((await self._read([tag], *_ALWAYS))[tag])
        return sum((await self.counts()).values())

    async def counts(self) -> dict[str, int]:
        """Return the exact number of readings by tag, sorted."""
        store = await self._writer.opened(_OPEN_S)
        memory = self._memory(sorted({name for rows in self._unrolled() for name in rows.tags()}))
        counts = await asyncio.wrap_future(self._readers.submit(_counts, store, memory))
        if store.tables.unreadable:
            self._writer.look()
        return counts

    async def roll(self) -> None:
        """Move all readings taken so far into day tables; before a backup, and in tests."""
        await self._writer.roll()

    async def _read(
        self, tags: Sequence[str], start: datetime, end: datetime
    ) -> dict[str, Columns]:
        for tag in tags:
            split_path(tag)
        store = await self._writer.opened(_OPEN_S)
        # Memory first: rows that are rolled in between are then seen twice, never missed.
        memory = self._memory(tags)
        work = self._readers.submit(_merge, store, memory, to_us(start), to_us(end))
        merged = await asyncio.wrap_future(work)
        if store.tables.unreadable:
            self._writer.look()
        return merged

    def _unrolled(self) -> list[Unrolled]:
        sealed = self._writer.sealed
        return [sealed, self._writer.active] if sealed else [self._writer.active]

    def _memory(self, tags: Sequence[str]) -> dict[str, Columns]:
        return {tag: join([rows.columns(tag) for rows in self._unrolled()]) for tag in tags}

    def _is_path(self, tag: str) -> bool:
        if tag in self._known:
            return True
        with contextlib.suppress(TopicError):
            split_path(tag)
            if len(self._known) < _KNOWN_TAGS:
                self._known.add(tag)
            return True
        return False


def _merge(
    store: OpenStore, memory: dict[str, Columns], start_us: int, end_us: int
) -> dict[str, Columns]:
    return {
        tag: join([store.tables.read(tag, start_us, end_us), columns.between(start_us, end_us)])
        for tag, columns in memory.items()
    }


def _counts(store: OpenStore, memory: dict[str, Columns]) -> dict[str, int]:
    everything = _merge(store, memory, to_us(_ALWAYS[0]), to_us(_ALWAYS[1]))
    counts = store.tables.counts(without=memory)
    counts |= {tag: len(columns) for tag, columns in everything.items()}
    return dict(sorted(counts.items()))

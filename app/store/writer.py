"""The one writer of the historian: batches, rolls and retention in one thread."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from app.core.clock import Clock
from app.core.errors import StoreError, StoreOpeningError
from app.core.health import ComponentStatus, Health
from app.core.reading import Reading
from app.settings import HistorySettings
from app.store.batch import Batch, answer
from app.store.catalogue import Day
from app.store.hot import Rows, Unrolled
from app.store.job import Job
from app.store.opening import OpenStore, open_store
from app.store.roll import Roll
from app.store.writer_status import WriterStatus

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Durable appends wait this long for others to share their commit. A commit costs 3-7 ms and adds
# a file; with ten a second 1,000 messages in flight give 10,000 a second.
GATHER_S = 0.1
# So many are a commit of their own: waiting for more would only delay the acknowledgement.
_GATHERED_ROWS = 1_000
# Readings in memory at which a roll starts early: 17 bytes each, twice while a roll runs.
ROLL_ROWS = 1_000_000
_STOP_S = 8.0
_NEVER = float("inf")


class HistoryWriter:
    """Owns the LanceDB tables; every write goes through its thread, one after the other.

    Attributes:
        active: Rows since the last roll began.
        dropped: Live readings given up because too many waited.
        size_bytes: Bytes on disk after the last roll.
        flushes: Batches committed since the start.
        flush_s: Seconds they took together, waiting for the thread included.
    """

    def __init__(
        self,
        settings: HistorySettings,
        data_dir: Path,
        clock: Clock,
        recall: Callable[[Unrolled], Awaitable[None]],
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            settings: Batches, rolls, retention.
            data_dir: Home folder.
            clock: Time.
            recall: Given what an earlier process left, before it is rolled.
        """
        self._settings = settings
        self._data_dir = data_dir
        self._recall = recall
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "history-write")
        self._store: OpenStore | None = None
        self._opened = asyncio.Event()
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._waiting = Batch()
        self._roll: Roll | None = None
        self._asked: list[asyncio.Future[None]] = []
        self._answering: list[asyncio.Future[None]] = []
        self._rolled: list[asyncio.Future[None]] = []
        self._is_aged = False
        self._is_untidy = False
        self._next_roll = clock.monotonic() + settings.roll_s
        self._status = WriterStatus(clock)
        self._committing = Job("Writing the history", clock, self._commit_in, self._commit)
        self._keeping: tuple[Job, ...] = ()  # until the store is open
        self.active = Unrolled()
        self.dropped = 0
        self.size_bytes = 0
        self.flushes = 0
        self.flush_s = 0.0

    @property
    def status(self) -> ComponentStatus:
        """State with its reason."""
        return self._status.shown

    @property
    def sealed(self) -> Unrolled | None:
        """Rows that are being rolled; None between rolls."""
        return self._roll.unrolled if self._roll else None

    @property
    def days(self) -> dict[date, Day]:
        """The day tables with their size; empty until the store is open."""
        return self._store.tables.catalogue.days if self._store else {}

    def start(self) -> None:
        """Begin to open the store; returns at once."""
        self._status.set(Health.STARTING, "Opening the store")
        self._task = asyncio.create_task(self._run(), name="historian")

    async def stop(self) -> None:
        """Commit what waits and end; gives up after 8 s."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            try:
                async with asyncio.timeout(_STOP_S):
                    await self._task
            except TimeoutError:
                logger.error("Historian did not stop in %s s", _STOP_S)  # noqa: TRY400  a deadline has no traceback worth reading
        self._thread.shutdown(wait=False)
        self._status.set(Health.STOPPED)

    async def opened(self, timeout_s: float) -> OpenStore:
        """Wait for the store to be open.

        Raises:
            StoreOpeningError: It is not open in time, but nothing speaks against it.
            StoreError: It cannot be opened or was stopped; the message says why.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._opened.wait()
        if self._store is not None:
            return self._store
        if self._stopping or self._committing.failures:
            raise StoreError(f"The history is not open: {self.status.reason or 'it was stopped'}")
        raise StoreOpeningError(
            "The history is still being opened",
            f"Ask again in {StoreOpeningError.retry_after_s} s; see Historian on Health",
        )

    def add(self, readings: Sequence[Reading]) -> None:
        """Put live readings into the next batch; drop and count them when too many wait."""
        if self._is_full(len(readings)):
            self.dropped += len(readings)
            return
        self._take(self._waiting.live, readings, self._settings.flush_s)

    async def append(self, readings: Sequence[Reading]) -> None:
        """Return after the commit that holds the readings, and all that waited before.

        Raises:
            StoreError: They are not stored; append them again.
        """
        if self._stopping or self._is_full(len(readings)):
            raise StoreError(f"The history takes no readings now: {self.status.reason}")
        committed = asyncio.get_running_loop().create_future()
        self._waiting.waiters.append(committed)
        is_enough = len(self._waiting.durable) + len(readings) >= _GATHERED_ROWS
        self._take(self._waiting.durable, readings, 0.0 if is_enough else GATHER_S)
        await committed

    async def roll(self) -> None:
        """Move all readings taken so far into day tables.

        Raises:
            StoreError: The historian is stopped; they stay in the write-ahead tables.
        """
        if self._stopping:
            raise StoreError("The history was stopped")
        done = asyncio.get_running_loop().create_future()
        self._asked.append(done)
        self._wake.set()
        await done

    def look(self) -> None:
        """Deal soon with tables that a read found damaged."""
        self._wake.set()

    def _is_full(self, rows: int) -> bool:
        is_stuck = self.active.rows > 4 * ROLL_ROWS
        return is_stuck or not self._waiting.has_room(rows)

    def _take(self, into: Rows, readings: Sequence[Reading], within_s: float) -> None:
        rows = Rows()
        rows.take(readings)
        into.extend(rows)
        self.active.add(rows)
        due_at = self._clock.monotonic() + within_s
        if len(self._waiting) >= self._settings.flush_rows:
            due_at = 0.0
        if due_at < self._waiting.due_at:
            self._waiting.due_at = due_at
            self._wake.set()

    async def _run(self) -> None:
        try:
            while not self._stopping:
                await self._until_due()
                await self._turn()
            await self._turn(is_last=True)
        finally:
            self._refuse("The history was stopped")

    async def _until_due(self) -> None:
        while not self._stopping and (left := self._due_in()) > 0:
            self._wake.clear()
            woken = asyncio.create_task(self._wake.wait(), name="historian-wake")
            slept = asyncio.create_task(self._sleep(left), name="historian-sleep")
            try:
                await asyncio.wait({woken, slept}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
                slept.cancel()

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def _due_in(self) -> float:
        return min(job.due_in_s for job in (self._committing, *self._keeping))

    async def _turn(self, *, is_last: bool = False) -> None:
        if is_last or self._committing.due_in_s <= 0:
            had_failed = self._committing.failures > 0
            if (error := await self._committing.attempt()) is not None:
                self._waiting.refuse(error)
            elif had_failed and self.dropped:
                logger.error("%d readings were dropped since the start", self.dropped)
            self._show()
        due = (job for job in self._keeping if job.due_in_s <= 0)
        if not is_last and (job := next(due, None)) is not None:
            await job.attempt()
            self._show()

    def _show(self) -> None:
        jobs = (self._committing, *self._keeping)
        errors = [job.error for job in jobs if job.error is not None]
        words = f"{len(self._waiting)} readings wait, {self.dropped} were dropped"
        self._status.show(errors, words if self._committing.failures else "")

    def _commit_in(self) -> float:
        return 0.0 if self._store is None else self._waiting.due_at - self._clock.monotonic()

    async def _commit(self) -> None:
        store = self._store or await self._open()
        batch, self._waiting = self._waiting, Batch()
        try:
            if len(batch):
                rows = batch.live.join(batch.durable)
                began = self._clock.monotonic()
                await self._in_thread(lambda: store.log.append(rows, self.active))
                self.flushes += 1
                self.flush_s += self._clock.monotonic() - began
        except BaseException as error:  # whatever it was, nobody may wait for this batch for ever
            batch.refuse(error if isinstance(error, StoreError) else StoreError(repr(error)))
            self._waiting.put_back(batch.live)
            raise
        answer(batch.waiters, None)

    async def _open(self) -> OpenStore:
        uri, now = self._settings.uri, self._clock.now()
        store = await self._in_thread(lambda: open_store(uri, self._data_dir, now))
        for note in store.notes:
            self._status.note(note)
        await self._recall(store.recovered)
        if store.recovered.tables:  # one that is empty has to go too
            self._roll = Roll(store.recovered)
        self.size_bytes = await self._in_thread(store.size_bytes)
        self._keeping = self._jobs_of(store)
        self._store = store
        self._opened.set()
        return store

    def _jobs_of(self, store: OpenStore) -> tuple[Job, ...]:
        """Return what is done between commits, the most urgent first: damage stops a roll."""
        clock, tables = self._clock, store.tables
        return (
            Job(
                "Setting aside damaged history",
                clock,
                lambda: 0.0 if tables.unreadable else _NEVER,
                partial(self._set_aside, store),
            ),
            Job("Dropping old history", clock, self._drop_in, partial(self._drop, store)),
            Job("Rolling the history", clock, self._roll_in, partial(self._step_roll, store)),
            Job("Tidying the history", clock, self._tidy_in, partial(self._tidy, store)),
        )

    async def _set_aside(self, store: OpenStore) -> None:
        now = self._clock.now()
        for note in await self._in_thread(lambda: store.move_unreadable(now)):
            self._status.note(note)

    def _roll_in(self) -> float:
        if self._roll or self._asked or self.active.rows >= ROLL_ROWS:
            return 0.0
        return self._next_roll - self._clock.monotonic()

    async def _step_roll(self, store: OpenStore) -> None:
        roll, now = self._roll or self._begin_roll(), self._clock.now()
        if await self._in_thread(lambda: roll.step(store.tables, store.log, now)):
            self._roll, self._is_aged = None, True
            self._rolled += self._answering
            self._answering = []

    def _begin_roll(self) -> Roll:
        self._answering, self._asked = self._asked, []
        self._next_roll = self._clock.monotonic() + self._settings.roll_s
        self._roll, self.active = Roll(self.active), Unrolled()
        return self._roll

    def _drop_in(self) -> float:
        return 0.0 if self._is_aged else _NEVER

    async def _drop(self, store: OpenStore) -> None:
        now = self._clock.now()
        retention = timedelta(days=self._settings.retention_days)
        try:
            await self._in_thread(lambda: store.drop_expired(now, retention))
            self.size_bytes = await self._in_thread(store.size_bytes)
        finally:  # their roll is done, whatever becomes of the old days
            done, self._rolled = self._rolled, []
            answer(done, None)
        self._is_aged, self._is_untidy = False, True

    def _tidy_in(self) -> float:
        return 0.0 if self._is_untidy and self._roll is None else _NEVER

    async def _tidy(self, store: OpenStore) -> None:
        now = self._clock.now()
        quiet = timedelta(seconds=2 * self._settings.roll_s)
        self._is_untidy = await self._in_thread(lambda: store.tidy(now, quiet))

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def _refuse(self, reason: str) -> None:
        answer(self._rolled, None)
        answer(self._waiting.waiters + self._asked + self._answering, StoreError(reason))
        if len(self._waiting.live):
            logger.error("%d readings were not stored before the stop", len(self._waiting.live))

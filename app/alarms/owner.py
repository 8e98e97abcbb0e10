"""The one owner of the alarm book: drafts, journals, and only then shows what became of it.

Findings, operator actions and timers wait in one queue. Several are drafted together, written
in one transaction, and then answered; a draft that cannot be written leaves no trace.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from app.alarms.book import AlarmBook, Draft
from app.alarms.outlet import Outlet
from app.alarms.room import room_for_lesser
from app.core.alarm import Alarm
from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal

logger = logging.getLogger(__name__)

QUEUE = 1000
"""Requests waiting for the owner; further callers wait."""
JOINED = 200
"""Requests written in one transaction at most."""
TICK_S = 1.0
REFUSAL_SHOWN_S = 60.0

Listener = Callable[[Sequence[Alarm]], None]


@dataclass(slots=True)
class _Request:
    decide: Callable[[Draft], Alarm | None]
    done: asyncio.Future[Alarm | None]
    ids: tuple[str, ...] = ()


@dataclass(slots=True)
class _Refusals:
    total: int = 0
    last_s: float = field(default=-math.inf)


class AlarmOwner:
    """Runs the queue, the timers and the status of the alarm service.

    Attributes:
        book: The present alarms; only the owner writes it.
        status: How the service is.
    """

    def __init__(
        self,
        settings: AlarmSettings,
        journal: AlarmJournal,
        clock: Clock,
        publish: Callable[[Alarm], None],
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._clock = clock
        self._publish = Outlet(publish)
        self.book = AlarmBook(settings)
        self.status = ComponentStatus("Alarms", Health.STOPPED, clock.now())
        self._queue: asyncio.Queue[_Request] = asyncio.Queue(QUEUE)
        self._listeners: list[Outlet[Sequence[Alarm]]] = []
        self._task: asyncio.Task[None] | None = None
        self._refusals = _Refusals()
        self._flood = False
        self._is_failed = False

    @property
    def refused(self) -> int:
        """Findings that found no room since start."""
        return self._refusals.total

    @property
    def is_running(self) -> bool:
        """It takes requests."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin to work on what `book` holds."""
        self._flood = self.book.flood.is_flood(self._clock.now())
        self._set_status(Health.OK, "", "")
        self._task = asyncio.create_task(self._run(), name="alarm service")

    async def stop(self) -> None:
        """Stop working; what was not journalled fails with StoreError."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        while not self._queue.empty():
            _fail(self._queue.get_nowait(), StoreError("The alarm service is stopping"))
        self._set_status(Health.STOPPED, "", "")

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with alarms that changed; with none when a flood begins or ends."""
        self._listeners.append(Outlet(listener))

    async def submit(
        self, decide: Callable[[Draft], Alarm | None], ids: tuple[str, ...] = ()
    ) -> Alarm | None:
        """Have `decide` applied to a draft; return its answer once the journal is on disk.

        `ids`: alarms it speaks of that the book does not hold.

        Raises:
            StoreError: Nothing was written.
        """
        if not self.is_running:
            raise StoreError("The alarm service does not run")
        done: asyncio.Future[Alarm | None] = asyncio.get_running_loop().create_future()
        await self._queue.put(_Request(decide, done, ids))
        return await done

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._own(), name="alarm owner")
            group.create_task(self._keep_time(), name="alarm timers")

    async def _own(self) -> None:
        while True:
            requests = [await self._queue.get()]
            while not self._queue.empty() and len(requests) < JOINED:
                requests.append(self._queue.get_nowait())
            await self._serve(requests)

    async def _serve(self, requests: list[_Request]) -> None:
        ids = [key for request in requests for key in request.ids]
        answers: list[tuple[_Request, Alarm | None]] = []
        try:
            found = await asyncio.to_thread(self._journal.find, ids) if ids else []
            draft = Draft(self.book, self._clock.now(), {each.alarm.id: each for each in found})
            for request in requests:
                try:
                    answers.append((request, request.decide(draft)))
                except Exception as error:  # noqa: BLE001  the caller gets it, logs it, backs off
                    _fail(request, error)
            if draft.changes:
                await asyncio.to_thread(self._journal.append, draft.changes)
        except StoreError as error:
            self._is_failed = True
            self._set_status(Health.FAILED, str(error), error.hint)
            for request in requests:
                _fail(request, error)
            return
        except asyncio.CancelledError:
            for request in requests:
                _fail(request, StoreError("The alarm service is stopping"))
            raise
        self._is_failed = self._is_failed and not draft.changes
        self._take(draft)
        for request, answer in answers:
            if not request.done.done():
                request.done.set_result(answer)

    def _take(self, draft: Draft) -> None:
        for record in draft.records():
            self.book.put(record)
        self.book.prune()
        for _ in range(min(draft.announced, self._settings.flood_count)):
            self.book.flood.add(draft.now)
        if draft.refused:
            self._refusals.total += draft.refused
            self._refusals.last_s = self._clock.monotonic()
        self._look_at_room()
        self._flood = self.book.flood.is_flood(draft.now)
        for key in dict.fromkeys(change.record.alarm.id for change in draft.changes):
            self._publish.tell(self.book.records[key].alarm)
        changed = [record.alarm for record in draft.records()]
        if changed:
            self._notify(changed)

    def _notify(self, changed: Sequence[Alarm]) -> None:
        for listener in self._listeners:
            listener.tell(changed)

    async def _keep_time(self) -> None:
        while True:
            await self._clock.sleep(TICK_S)
            try:
                await self._tick()
            except StoreError as error:
                logger.warning("alarm timers wait for the journal: %s", error)

    async def _tick(self) -> None:
        now = self._clock.now()
        due, settled = self.book.due(now), self.book.settled(now)
        if due or settled:
            await self.submit(lambda draft: _pass_time(draft, due, settled))
        self._look_at_room()
        flood = self.book.flood.is_flood(now)
        if flood != self._flood:
            self._flood = flood
            self._notify([])

    def _look_at_room(self) -> None:
        if self._is_failed:
            return
        since_s = self._clock.monotonic() - self._refusals.last_s
        if since_s < REFUSAL_SHOWN_S:
            self._set_status(
                Health.DEGRADED,
                self._no_room_words(),
                "Stop the agent that states so many conditions, or raise alarms.max_alarms",
            )
        else:
            self._set_status(Health.OK, "", "")

    def _no_room_words(self) -> str:
        most = self._settings.max_alarms
        if len(self.book.standing) >= most:
            return f"The alarm list is full ({most}); new alarms find no room"
        lesser = room_for_lesser(most)
        return f"The alarm list is full ({lesser}); new alarms of priority 3 and 4 find no room"

    def _set_status(self, state: Health, reason: str, remedy: str) -> None:
        if (state, reason) != (self.status.state, self.status.reason):
            log = logger.info if state in {Health.OK, Health.STOPPED} else logger.error
            log("alarms %s%s%s", state, ": " if reason else "", reason)
            self.status = ComponentStatus("Alarms", state, self._clock.now(), reason, remedy)


def _pass_time(draft: Draft, due: Sequence[str], settled: Sequence[str]) -> None:
    for key in due:
        draft.expire(key)
    for key in settled:
        draft.settle(key)


def _fail(request: _Request, error: Exception) -> None:
    if not request.done.done():
        request.done.set_exception(error)

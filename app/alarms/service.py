"""The alarm service: the only maker of alarms, and the only one that changes them."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from msgspec.structs import replace

from app.alarms.book import Draft
from app.alarms.kpi import AlarmKpi, compute_kpi
from app.alarms.owner import AlarmOwner, Listener
from app.core.actor import SYSTEM, Actor
from app.core.alarm import Alarm, AlarmState, AlarmSummary, Finding, JournalEntry, Priority
from app.core.alarm_machine import AlarmEvent
from app.core.alarm_record import alarm_id
from app.core.clock import Clock
from app.core.errors import InputError, NotFoundError
from app.core.health import ComponentStatus
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal, HistoryFilter, Occurrence

CHUNK = 500
"""Findings drafted without giving the event loop back."""
NOTE_LIMIT = 500
TEXT_LIMIT = 500
EVIDENCE_LIMIT = 50


class AlarmService:
    """Owns all alarms of the plant.

    `publish` receives every alarm that changed, for the bus. All methods run in the event loop.
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
        self._owner = AlarmOwner(settings, journal, clock, publish)
        self._book = self._owner.book
        self._summary: AlarmSummary | None = None
        self._computing = asyncio.Lock()
        self._owner.on_change(self._forget_summary)

    async def start(self) -> None:
        """Take up the alarms as they were, then begin to work.

        Raises:
            StoreError: The journal cannot be read or written; call it again.
        """
        if not self._owner.is_running:
            for record in await asyncio.to_thread(self._journal.load):
                self._book.put(record)
            await self._recall_flood()
            self._owner.start()
        await self.handle([self._journal_finding()])

    async def stop(self) -> None:
        """Stop working; what was not journalled fails with StoreError."""
        await self._owner.stop()

    @property
    def status(self) -> ComponentStatus:
        """How the service is."""
        return self._owner.status

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with alarms that changed; with none when a flood begins or ends."""
        self._owner.on_change(listener)

    async def handle(self, findings: Sequence[Finding]) -> None:
        """Turn findings into alarms; the journal is on disk when this returns.

        Raises:
            StoreError: The journal cannot be written; none or some of them were taken.
        """
        for start in range(0, len(findings), CHUNK):
            chunk = [
                _clean(finding, self._clock.now()) for finding in findings[start : start + CHUNK]
            ]
            raised = {alarm_id(each) for each in chunk if each.priority is not None}
            unknown = tuple(raised - self._book.records.keys())
            is_full = len(self._book.standing) >= self._settings.max_alarms
            await self._owner.submit(partial(_state, findings=chunk), () if is_full else unknown)

    async def acknowledge(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Note that a person has seen the alarm.

        Raises:
            NotFoundError, ConflictError, InputError, StoreError: As all operator actions.
        """
        return await self._act(alarm_id, AlarmEvent.ACKNOWLEDGE, actor, note)

    async def shelve(self, alarm_id: str, actor: Actor, minutes: float, note: str) -> Alarm:
        """Hide the alarm for a limited time, with a reason."""
        longest = self._settings.max_shelve_minutes
        if not 0 < minutes <= longest:
            raise InputError(f"minutes: {minutes:g} is not between 1 and {longest}")
        shelve_for = timedelta(minutes=minutes)
        return await self._act(alarm_id, AlarmEvent.SHELVE, actor, _reason(note), shelve_for)

    async def unshelve(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Show a shelved alarm again."""
        return await self._act(alarm_id, AlarmEvent.UNSHELVE, actor, note)

    async def suppress(self, alarm_id: str, actor: Actor, note: str) -> Alarm:
        """Suppress the alarm by design, with a reason."""
        return await self._act(alarm_id, AlarmEvent.SUPPRESS, actor, _reason(note))

    async def unsuppress(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Show a suppressed alarm again."""
        return await self._act(alarm_id, AlarmEvent.UNSUPPRESS, actor, note)

    async def out_of_service(self, alarm_id: str, actor: Actor, note: str) -> Alarm:
        """Take the alarm out of service for maintenance, with a reason."""
        return await self._act(alarm_id, AlarmEvent.OUT_OF_SERVICE, actor, _reason(note))

    async def return_to_service(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Put the alarm into service again."""
        return await self._act(alarm_id, AlarmEvent.RETURN_TO_SERVICE, actor, note)

    async def reset(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Reset a latched alarm that is acknowledged and whose condition is gone."""
        return await self._act(alarm_id, AlarmEvent.RESET, actor, note)

    def alarms(self) -> list[Alarm]:
        """Return the alarms that are not normal or still chatter: worst first, then newest."""
        standing = [self._book.records[key].alarm for key in self._book.standing]
        standing.sort(key=lambda alarm: alarm.raised_at, reverse=True)
        standing.sort(key=lambda alarm: alarm.finding.priority or Priority.LOW)
        return standing

    def get(self, alarm_id: str) -> Alarm:
        """Return one alarm.

        Raises:
            NotFoundError: It was never raised, or is normal and long forgotten.
        """
        record = self._book.records.get(alarm_id)
        if record is None:
            raise NotFoundError(f'No alarm "{alarm_id[:60]}"', hint="GET /api/alarms lists them")
        return record.alarm

    def summary(self) -> AlarmSummary:
        """Return the counts, the worst unacknowledged alarm and whether there is a flood."""
        flood = self._book.flood.is_flood(self._clock.now())
        if self._summary is None or self._summary.flood != flood:
            self._summary = self._book.summary(flood=flood, refused=self._owner.refused)
        return self._summary

    async def history(
        self, wanted: HistoryFilter, limit: int = 200, offset: int = 0
    ) -> tuple[list[Occurrence], int]:
        """Return times alarms were raised, the newest first, and how many there are in all."""
        rows = await asyncio.to_thread(self._journal.occurrences, wanted, limit, offset)
        return rows, await asyncio.to_thread(self._journal.count_occurrences, wanted)

    async def entries(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        alarm_id: str = "",
        limit: int = 200,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Return journal lines, the newest first."""
        return await asyncio.to_thread(self._journal.entries, start, end, alarm_id, limit, before)

    async def kpi(self, start: datetime, end: datetime) -> AlarmKpi:
        """Compute the key figures of alarm performance from `start` to `end`.

        One range at a time: a long one keeps a thread busy, and the journal needs one too.

        Raises:
            InputError: The range holds more than is kept in memory.
            StoreError: The journal cannot be read.
        """
        lead_in = timedelta(seconds=self._settings.flood_window_s)
        async with self._computing:
            lines = self._journal.lines(start - lead_in, end)
            return await asyncio.to_thread(
                compute_kpi, lines, self.alarms(), start, end, self._settings
            )

    async def _act(
        self,
        key: str,
        event: AlarmEvent,
        actor: Actor,
        note: str,
        shelve_for: timedelta | None = None,
    ) -> Alarm:
        note = _checked(note)
        unknown = () if key in self._book.records else (key,)
        alarm = await self._owner.submit(
            lambda draft: draft.act(key, event, actor, note, shelve_for), unknown
        )
        if alarm is None:
            raise AssertionError("an operator action returns its alarm")
        return alarm

    def _forget_summary(self, _: Sequence[Alarm]) -> None:
        self._summary = None

    async def _recall_flood(self) -> None:
        start = self._clock.now() - timedelta(seconds=self._settings.flood_window_s)
        recent = await asyncio.to_thread(
            self._journal.entries, start, None, "", 10 * self._settings.flood_count
        )
        for entry in reversed(recent):
            if entry.new is AlarmState.UNACK and entry.old is not AlarmState.UNACK:
                self._book.flood.add(entry.at)

    def _journal_finding(self) -> Finding:
        moved = self._journal.moved_aside
        return Finding(
            agent=SYSTEM.name,
            condition="journal_moved_aside",
            equipment="system/app/host/Alarms",
            found_at=self._clock.now(),
            priority=Priority.HIGH if moved else None,
            message=f"Alarm journal was unreadable and is now {moved.name}" if moved else "",
            response="Keep that folder for the record; check the disk" if moved else "",
        )


def _state(draft: Draft, findings: Sequence[Finding]) -> None:
    for finding in findings:
        draft.state(finding)


def _clean(finding: Finding, now: datetime) -> Finding:
    """Bound what an agent may make the alarm list keep; nothing is found in the future."""
    found_at = finding.found_at
    return replace(
        finding,
        found_at=min(found_at if found_at.tzinfo else found_at.replace(tzinfo=UTC), now),
        message=finding.message[:TEXT_LIMIT],
        response=finding.response[:TEXT_LIMIT],
        evidence=dict(list(finding.evidence.items())[:EVIDENCE_LIMIT]),
    )


def _checked(note: str) -> str:
    if len(note) > NOTE_LIMIT:
        raise InputError(f"note: longer than {NOTE_LIMIT} characters")
    return " ".join(note.split())


def _reason(note: str) -> str:
    if not note.strip():
        raise InputError("note: say why; a hidden alarm needs a reason")
    return note

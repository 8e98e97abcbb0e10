"""The SQLite stores of the plant: opened at the start, and again and again while they cannot be."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from app.core.audit_chain import REMEDY as CHAIN_REMEDY
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.core.quarantined import Quarantined
from app.core.rule_hold import UnitRules
from app.store.assets import Assets
from app.store.audit import AuditLog
from app.store.audit_check import AT_START, AuditCheck
from app.store.journal import AlarmJournal
from app.store.quarantine import list_quarantined

logger = logging.getLogger(__name__)

RETRY_S = 10.0
"""A person who frees the disk sees the store open soon; a failed try costs 5 s at most."""
CHECK_S = 10.0
"""Between two looks whether each store can be written; one costs a page and an fsync."""
ALARMS = "Alarms"
JOURNAL = "Alarm journal"

Declare = Callable[[Sequence[Equipment], Mapping[str, UnitRules]], None]


class Stores:
    """Units, audit and alarm journal; with them the alarms start, which need the journal.

    Attributes:
        assets: Units.
        audit: Actions outside the alarm list.
        audit_check: The check of the audit's chain; it begins when the audit is open.
        journal: Alarms.
    """

    def __init__(self, data_dir: Path, clock: Clock, history_uri: str = "") -> None:
        self._data_dir = data_dir
        self._history_uri = history_uri
        self.assets = Assets(data_dir / "assets.sqlite")
        self.audit = AuditLog(data_dir / "audit.sqlite")
        self.audit_check = AuditCheck(self.audit.path, clock)
        self.journal = AlarmJournal(data_dir / "alarms.sqlite")
        self._clock = clock
        self._closed: dict[str, Callable[[], Awaitable[None]]] = {}
        self._checks: dict[str, Callable[[], Awaitable[None]]] = {}
        self._statuses: dict[str, ComponentStatus] = {}
        self._unwritable: dict[str, ComponentStatus] = {}
        self._looking = asyncio.Lock()
        self._next_try_s = 0.0
        self._speaking = {ALARMS}

    async def open(
        self,
        declare: Declare,
        start_alarms: Callable[[], Awaitable[None]],
        further: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
        checks: Mapping[str, Callable[[], Awaitable[None]]] | None = None,
    ) -> None:
        """Open all and start the alarms; what fails is in `statuses`, see `retry`.

        Args:
            declare: Takes the stored units and what is kept of their rules, once they are read.
            start_alarms: May be called again after a StoreError.
            further: Opens others by their names; likewise. They speak for themselves.
            checks: See whether stores of `further` can be written.
        """
        own = (("Equipment store", self.assets), ("Audit", self.audit), (JOURNAL, self.journal))
        self._checks = {
            **{name: partial(asyncio.to_thread, store.check) for name, store in own},
            **(checks or {}),
        }
        self._closed = {
            "Equipment store": partial(self._open_assets, declare),
            "Audit": self._open_audit,
            JOURNAL: partial(_open, self.journal),
            ALARMS: start_alarms,
            **(further or {}),
        }
        self._speaking = {ALARMS, *(further or ())}
        await self._try()

    async def retry(self) -> None:
        """Try again what is not open, each RETRY_S; call about once a second."""
        if self._closed and self._clock.monotonic() >= self._next_try_s:
            await self._try()

    async def check(self) -> None:
        """See whether each open store can be written; call each CHECK_S.

        A disk that is full is on Health before anybody needs the store.
        """
        async with self._looking:
            await self._check()

    def close(self) -> None:
        """Close all; harmless for those that are not open."""
        self.audit_check.cancel()
        for store in (self.journal, self.audit, self.assets):
            store.close()

    @property
    def statuses(self) -> list[ComponentStatus]:
        """How each store is; the alarms speak for themselves once they have started."""
        told = {**self._statuses, **self._unwritable}
        return [self._judged(status) for status in told.values()]

    async def quarantined(self) -> list[Quarantined]:
        """Return what was moved aside as damaged, of every store here, the newest first."""
        return await asyncio.to_thread(list_quarantined, self._data_dir, self._history_uri)

    async def _try(self) -> None:
        for name, opening in list(self._closed.items()):
            try:
                await opening()
            except StoreError as error:
                self._fail(name, error)
            else:
                del self._closed[name]
                self._succeed(name)
        self._next_try_s = self._clock.monotonic() + RETRY_S

    async def _check(self) -> None:
        for name, check in self._checks.items():
            if name in self._closed:  # says so itself
                self._unwritable.pop(name, None)
                continue
            try:
                await check()
            except StoreError as error:
                self._note_unwritable(name, error)
            else:
                if self._unwritable.pop(name, None):
                    logger.info("%s can be written again", name)

    def _fail(self, name: str, error: StoreError) -> None:
        old = self._statuses.get(name)
        if old is None:
            logger.error("%s is not open, trying again: %s", name, error)
        since = old.since if old else self._clock.now()
        self._statuses[name] = ComponentStatus(name, Health.FAILED, since, str(error), error.hint)

    def _note_unwritable(self, name: str, error: StoreError) -> None:
        old = self._unwritable.get(name)
        if old is None:
            logger.error("%s cannot be written: %s", name, error)
        since = old.since if old else self._clock.now()
        words, remedy = str(error), error.hint
        self._unwritable[name] = ComponentStatus(name, Health.FAILED, since, words, remedy)

    def _succeed(self, name: str) -> None:
        if self._statuses.pop(name, None):
            logger.info("%s is open", name)
        if name not in self._speaking:
            self._statuses[name] = self._opened(name)

    def _opened(self, name: str) -> ComponentStatus:
        moved = {
            "Equipment store": self.assets.moved_aside,
            "Audit": self.audit.moved_aside,
            JOURNAL: self.journal.moved_aside,
        }[name]
        if moved is None:
            return ComponentStatus(name, Health.OK, self._clock.now())
        reason = f"Was unreadable and set aside as {moved.name}"
        remedy = "Keep that folder for the record and check the disk"
        return ComponentStatus(name, Health.DEGRADED, self._clock.now(), reason, remedy)

    async def _open_assets(self, declare: Declare) -> None:
        await _open(self.assets)
        units = await asyncio.to_thread(self.assets.load)
        declare(units, await asyncio.to_thread(self.assets.load_rules))

    async def _open_audit(self) -> None:
        await _open(self.audit)
        self.audit_check.start(AT_START)

    def _judged(self, status: ComponentStatus) -> ComponentStatus:
        """Return a status with what is known of the audit's chain."""
        if status.name != "Audit" or status.state is Health.FAILED:
            return status
        verdict = self.audit_check.state.verdict
        if flaw := self.audit.flaw or (verdict and verdict.flaw):
            since = verdict.at if verdict and verdict.flaw else status.since
            words = f"The chain is broken: {flaw.reason}"
            return ComponentStatus("Audit", Health.FAILED, since, words, CHAIN_REMEDY)
        if self.audit.head_trouble:
            remedy = "Check disk and rights; a missing end of the audit may go unseen meanwhile"
            words = self.audit.head_trouble
            return ComponentStatus("Audit", Health.DEGRADED, status.since, words, remedy)
        return status


async def _open(store: Assets | AuditLog | AlarmJournal) -> None:
    try:
        await asyncio.to_thread(store.open)
    except StoreError:
        store.close()  # what it had opened of several
        raise

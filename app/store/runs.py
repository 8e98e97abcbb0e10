"""Runs of workflows on disk: what is certain of them, and what lists and searches need."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import msgspec
import sqlalchemy as sa

from app.core.admission import Admission, admit, next_waiting, waits_for_itself
from app.core.errors import ConflictError
from app.core.run import RunState, StepRun, WorkflowRun, ancestors_of
from app.core.workflow import Concurrency, Workflow
from app.store.approvals import ApprovalStore
from app.store.database import Database, storable
from app.store.group_commit import GroupCommit
from app.store.held_events import HeldEvents
from app.store.open_runs import OpenRuns
from app.store.run_index import RunIndex
from app.store.run_rows import (
    SHOWN,
    Stored,
    UnreadableRunError,
    columns,
    run_of,
    stored_of,
    unknown,
    words,
)
from app.store.run_statements import RunStatements
from app.store.run_tables import APPROVALS, RUNS, STEPS, sort_words

logger = logging.getLogger(__name__)

_OPEN = [RunState.RUNNING.value, RunState.WAITING.value]


class LostRunError(ConflictError):
    """A run belongs to another orchestrator now; who had it stops."""


class RunStore:
    """Runs, steps and approvals; reads go to threads, writes are gathered.

    Attributes:
        held: Events that wait to start a run.
        index: Lists and counts of runs.
        watched: What is not over.
        unreadable: Why each run that was looked for could not be read by this version of the app.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = GroupCommit(database)
        self.approvals = ApprovalStore(database, self._commits)
        self._do = RunStatements(is_postgres=database.is_shared)
        self.held = HeldEvents(database, self._commits)
        self.index = RunIndex(database)
        self.watched = OpenRuns(database)
        self.unreadable: dict[str, str] = {}

    @property
    def trouble(self) -> str:
        """Why the last write could not reach the disk; empty when it did."""
        return self._commits.trouble

    @property
    def is_shared(self) -> bool:
        """Other orchestrators write to it, too."""
        return self._database.is_shared

    async def open(self) -> None:
        """Open the database.

        Raises:
            StoreError: It cannot be reached.
        """
        await asyncio.to_thread(self._database.open)
        self._commits.start()

    async def close(self) -> None:
        """Write what waits and close."""
        await self._commits.stop()
        await asyncio.to_thread(self._database.close)

    async def check(self) -> None:
        """See whether it can be written; `trouble` says so afterwards.

        Raises:
            StoreError: It cannot.
        """
        await self._commits.write(self._database.touch)

    # Runs

    async def add(
        self, run: WorkflowRun, snapshot: Workflow, owner: str, carried: Sequence[StepRun] = ()
    ) -> tuple[Admission, list[str]]:
        """Keep a new run if it is admitted beside those of its key; note it in what it repeats.

        Returns:
            What it comes to, and the open runs of its key, runs within runs included. A run
            whose id is known already is not kept again: then REFUSE, and the list names it.

        Raises:
            ConflictError: What it repeats was repeated already.
        """
        rule, searched, payload = snapshot.runs, words(run), _json(snapshot)

        def work(connection: sa.Connection) -> tuple[Admission, list[str]]:
            self._lock_key(connection, run)  # first: another may be adding the same run
            if self._do.state(connection, id=run.id).fetchone() is not None:
                return Admission.REFUSE, [run.id]
            active, waiting = self._rivals(connection, run.workflow, run.key)
            admission = admit(rule, active, waiting, is_child=bool(run.parent))
            if run.parent and self._is_circle(connection, run, admission, active):
                admission = Admission.CIRCLE
            if admission in {Admission.REFUSE, Admission.CIRCLE}:
                return admission, active + waiting
            if run.retry_of:
                _mark_repeated(connection, run)
            is_queued = admission is not Admission.START
            kept = _in_turn(run, active + waiting) if is_queued else run
            row = {**columns(kept, owner), "is_queued": is_queued, "words": searched}
            self._do.add(connection, **row, snapshot=payload)
            for step in carried:
                slot = f"{step.step}.{step.round}"
                connection.execute(STEPS.insert().values(run=run.id, slot=slot, data=_json(step)))
            return admission, active + waiting

        return await self._commits.write(work)

    async def keep(
        self,
        run_id: str,
        owner: str,
        slot: str,
        data: msgspec.Struct | dict[str, object] | list[object],
    ) -> None:
        """Keep what is certain of a run's step.

        Raises:
            LostRunError: The run belongs to another orchestrator.
        """
        payload = _json(data)
        await self._commits.write(
            lambda connection: self._keep(connection, run_id, owner, slot, payload)
        )

    async def end(
        self, run: WorkflowRun, owner: str, last: tuple[str, StepRun] | None = None
    ) -> bool:
        """Keep how a run ended, with the step that ended last.

        Returns:
            Whether runs of its key may be waiting for their turn.

        Raises:
            LostRunError: The run belongs to another orchestrator.
        """
        row, payload = columns(run, owner), _json(last[1]) if last else b""

        def work(connection: sa.Connection) -> bool:
            if last:
                self._keep(connection, run.id, owner, last[0], payload)
            if not self._do.end(connection, **row).rowcount:
                raise LostRunError(f"Run {run.id} belongs to another orchestrator now")
            if self.is_shared:  # one may be on its way in at another orchestrator
                return True
            queued = self._do.queued(connection, workflow=run.workflow, key=storable(run.key))
            return queued.fetchone() is not None

        return await self._commits.write(work)

    async def next_turn(self, workflow: str, key: str, rule: Concurrency, owner: str) -> str | None:
        """Return the run of a key whose turn it is, now marked as under way; None if none is."""

        def work(connection: sa.Connection) -> str | None:
            self._lock(connection, f"{workflow} {storable(key)}")
            active, waiting = self._rivals(connection, workflow, key)
            chosen = next_waiting(rule, active, waiting)
            if chosen is None:
                return None
            connection.execute(
                RUNS.update().where(RUNS.c.id == chosen).values(is_queued=False, owner=owner)
            )
            return chosen

        return await self._commits.write(work)

    async def ask_cancel(self, run_id: str, why: str) -> None:
        """Note that a run shall be cancelled.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It is over.
        """

        def work(connection: sa.Connection) -> None:
            state = _state_of(connection, run_id)
            if state is None:
                raise unknown(run_id)
            if state not in _OPEN:
                raise ConflictError(f"Run {run_id} is over already: it is {state}")
            connection.execute(
                RUNS.update().where(RUNS.c.id == run_id).values(cancel=storable(why))
            )

        await self._commits.write(work)

    async def note(self, run_id: str, **changes: str) -> WorkflowRun:
        """Change fields of a run that is over; return it.

        Raises:
            NotFoundError: There is no such run.
        """

        def work(connection: sa.Connection) -> WorkflowRun:
            stored = stored_of(connection, run_id)
            run = msgspec.structs.replace(stored.run, **changes)
            connection.execute(
                RUNS.update().where(RUNS.c.id == run_id).values(**columns(run, stored.owner))
            )
            return run

        return await self._commits.write(work)

    async def take_over(self, gone: str, owner: str) -> int:
        """Make the open runs of an orchestrator that is gone those of `owner`; return how many."""

        def work(connection: sa.Connection) -> int:
            mine = RUNS.c.owner == gone, RUNS.c.state.in_(_OPEN)
            return connection.execute(RUNS.update().where(*mine).values(owner=owner)).rowcount

        return await self._commits.write(work)

    async def open_runs(self, owner: str) -> list[Stored]:
        """Return the runs that an orchestrator should be carrying out, the oldest first.

        Those that cannot be read are left out, and are in `unreadable`.
        """

        def work() -> list[Stored]:
            mine = RUNS.c.owner == owner, RUNS.c.state.in_(_OPEN), ~RUNS.c.is_queued
            found: list[Stored] = []
            with self._database.read() as connection:
                ids = connection.scalars(sa.select(RUNS.c.id).where(*mine).order_by(RUNS.c.sort))
                for run_id in ids.all():
                    with suppress(UnreadableRunError):
                        found.append(self._stored(connection, run_id))
            return found

        return await asyncio.to_thread(work)

    async def owners(self) -> list[str]:
        """Return the orchestrators that have runs which are not over."""

        def work() -> list[str]:
            query = sa.select(RUNS.c.owner).where(RUNS.c.state.in_(_OPEN)).distinct()
            with self._database.read() as connection:
                return list(connection.scalars(query))

        return await asyncio.to_thread(work)

    async def cancels(self, owner: str) -> dict[str, str]:
        """Return the open runs of an orchestrator that shall be cancelled, with the reason."""

        def work() -> dict[str, str]:
            wanted = RUNS.c.owner == owner, RUNS.c.state.in_(_OPEN), RUNS.c.cancel != ""
            query = sa.select(RUNS.c.id, RUNS.c.cancel).where(*wanted)
            with self._database.read() as connection:
                return {row.id: row.cancel for row in connection.execute(query)}

        return await asyncio.to_thread(work)

    async def find(self, run_id: str) -> Stored:
        """Return a run with all that is certain of it.

        Raises:
            NotFoundError: There is no such run.
            UnreadableRunError: This version of the app cannot read it.
        """

        def work() -> Stored:
            with self._database.read() as connection:
                return self._stored(connection, run_id)

        return await asyncio.to_thread(work)

    async def shown(self, run_id: str) -> WorkflowRun:
        """Return a run without its steps; of one that cannot be read, what its columns tell.

        Raises:
            NotFoundError: There is no such run.
        """

        def work() -> WorkflowRun:
            with self._database.read() as connection:
                row = connection.execute(sa.select(*SHOWN).where(RUNS.c.id == run_id)).first()
            if row is None:
                raise unknown(run_id)
            return run_of(row)

        return await asyncio.to_thread(work)

    async def end_unread(self, run_id: str, owner: str) -> WorkflowRun:
        """Keep that a run which cannot be read is cancelled, and return it.

        Raises:
            LostRunError: The run belongs to another orchestrator, or is over.
        """

        def work(connection: sa.Connection) -> None:
            mine = RUNS.c.id == run_id, RUNS.c.owner == owner, RUNS.c.state.in_(_OPEN)
            ended = {"state": RunState.CANCELLED.value, "is_queued": False}
            if not connection.execute(RUNS.update().where(*mine).values(**ended)).rowcount:
                raise LostRunError(f"Run {run_id} belongs to another orchestrator now, or is over")

        await self._commits.write(work)
        self.unreadable.pop(run_id, None)
        return await self.shown(run_id)

    async def look_again(self) -> None:
        """Take out of `unreadable` what is over or gone: another process may have ended it.

        Raises:
            StoreError: The store cannot be read.
        """
        noted = list(self.unreadable)
        for run_id in set(noted) - await self.watched.open_of(noted):
            self.unreadable.pop(run_id, None)

    async def prune(self, before: datetime, at_most: int) -> int:
        """Delete runs that are over, are no dead letters and were asked for before a moment."""
        oldest_kept = sort_words(before, "")

        def work(connection: sa.Connection) -> int:
            old = sa.select(RUNS.c.id).where(
                RUNS.c.sort < oldest_kept, RUNS.c.state.not_in(_OPEN), ~RUNS.c.is_dead
            )
            ids = list(connection.scalars(old.order_by(RUNS.c.sort).limit(at_most)))
            connection.execute(APPROVALS.delete().where(APPROVALS.c.run.in_(ids)))
            return connection.execute(RUNS.delete().where(RUNS.c.id.in_(ids))).rowcount

        return await self._commits.write(work)

    # Within a transaction

    def _stored(self, connection: sa.Connection, run_id: str) -> Stored:
        try:
            return stored_of(connection, run_id)
        except UnreadableRunError as error:
            if run_id not in self.unreadable and _state_of(connection, run_id) in _OPEN:
                logger.warning("%s", error)
                self.unreadable[run_id] = str(error)
            raise

    def _keep(
        self, connection: sa.Connection, run_id: str, owner: str, slot: str, data: bytes
    ) -> None:
        kept = self._do.keep(connection, run=run_id, slot=slot, data=data, owner=owner)
        if not kept.rowcount:
            raise LostRunError(f"Run {run_id} belongs to another orchestrator now")

    def _rivals(
        self, connection: sa.Connection, workflow: str, key: str
    ) -> tuple[list[str], list[str]]:
        rows = self._do.rivals(connection, workflow=workflow, key=storable(key)).fetchall()
        under_way = [str(run_id) for run_id, is_queued in rows if not is_queued]
        return under_way, [str(run_id) for run_id, is_queued in rows if is_queued]

    def _is_circle(
        self, connection: sa.Connection, run: WorkflowRun, admission: Admission, active: list[str]
    ) -> bool:
        """Tell whether a run within a run would wait for one that waits for it, or replace it."""
        if admission is Admission.REPLACE:
            return not set(active).isdisjoint(ancestors_of(run.parent))
        if admission is not Admission.WAIT:
            return False
        if self._database.is_shared:  # two that were let in at once could wait for each other
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('waiting runs'))"))
        within: dict[str, list[str]] = {ancestors_of(run.parent)[-1]: [run.id]}
        for kid, parent in self._do.within(connection).fetchall():
            within.setdefault(ancestors_of(parent)[-1], []).append(kid)
        if any(each not in within for each in active):
            return False  # it ends without another, and makes room
        waits_for = self._turns(connection) | {run.id: active}
        return waits_for_itself(run.id, within, waits_for)

    def _turns(self, connection: sa.Connection) -> dict[str, list[str]]:
        """Return the runs within runs that wait for their turn, each with those under way."""
        queued = sa.select(RUNS.c.id, RUNS.c.workflow, RUNS.c.key).where(
            RUNS.c.state == RunState.WAITING.value, RUNS.c.is_queued, RUNS.c.parent != ""
        )
        groups: dict[tuple[str, str], list[str]] = {}
        found: dict[str, list[str]] = {}
        for run_id, name, key in connection.execute(queued).all():
            if (name, key) not in groups:
                groups[name, key] = self._rivals(connection, name, key)[0]
            found[run_id] = groups[name, key]
        return found

    def _lock_key(self, connection: sa.Connection, run: WorkflowRun) -> None:
        self._lock(connection, f"{run.workflow} {storable(run.key)}")

    def _lock(self, connection: sa.Connection, words: str) -> None:
        """Have one orchestrator at a time admit runs of a key; SQLite has one writer anyway."""
        if self._database.is_shared:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:k))"), {"k": words})


def _mark_repeated(connection: sa.Connection, run: WorkflowRun) -> None:
    query = sa.select(RUNS.c.run, RUNS.c.owner).where(RUNS.c.id == run.retry_of).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise unknown(run.retry_of)
    old = msgspec.json.decode(row.run, type=WorkflowRun)
    if old.retried_by:
        raise ConflictError(
            f"Run {old.id} was repeated already, by run {old.retried_by}", "Repeat that one"
        )
    noted = columns(msgspec.structs.replace(old, retried_by=run.id), row.owner)
    connection.execute(RUNS.update().where(RUNS.c.id == old.id).values(**noted))


def _in_turn(run: WorkflowRun, rivals: Sequence[str]) -> WorkflowRun:
    reason = f"its turn, after run {rivals[-1]}" if rivals else "its turn"
    return msgspec.structs.replace(run, state=RunState.WAITING, reason=reason)


def _state_of(connection: sa.Connection, run_id: str) -> str | None:
    return connection.scalar(sa.select(RUNS.c.state).where(RUNS.c.id == run_id))


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)

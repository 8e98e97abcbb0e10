"""Which orchestrator carries out which runs, where several share one Postgres.

Each holds an advisory lock under its name for as long as its session lives; who can take the lock
of another knows that it is gone. One of them, the leader, heeds triggers, so that an event starts
one run. With SQLite there is one orchestrator, which is always the leader.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import StoreError
from app.store.database import Database

_LEADER = "millwright leader"
_PREFIX = "millwright orchestrator "


class Owners:
    """Holds our own lock and tries those of the others.

    Attributes:
        is_leader: We heed triggers.
        has_lost_lock: Our session broke: others may have taken over, so nothing may go on.
        has_regained_lock: The lock was taken anew in the last tick.
        trouble: What is wrong, for Health; empty while all is well.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._session: sa.Connection | None = None
        self.is_leader = not database.is_shared
        self.has_lost_lock = False
        self.has_regained_lock = False
        self.trouble = ""

    async def start(self) -> None:
        """Take the lock of our name.

        Raises:
            StoreError: Another orchestrator of this name lives, or the database is away.
        """
        if self._database.is_shared:
            await asyncio.to_thread(self._start)

    async def stop(self) -> None:
        """Give all locks back; the next may take them at once."""
        await asyncio.to_thread(self._leave)

    async def tick(self, owners: Sequence[str]) -> list[str]:
        """Look after our locks; return those of `owners` that are gone, locked until `release`.

        Args:
            owners: Orchestrators that have open runs.
        """
        if not self._database.is_shared:
            return []
        self.has_regained_lock = False
        try:
            return await asyncio.to_thread(self._tick, owners)
        except (SQLAlchemyError, StoreError) as error:
            self.has_lost_lock, self.is_leader = True, False
            self.trouble = f"The database that orchestrators share is away: {_first_line(error)}"
            await asyncio.to_thread(self._drop)
            return []

    async def release(self, gone: Sequence[str]) -> None:
        """Give back the locks of those that are gone, once their runs are ours."""
        session = self._session
        if session is None:
            return
        for owner in gone:
            with suppress(SQLAlchemyError):  # the session broke, and its locks with it
                await asyncio.to_thread(self._give, session, _PREFIX + owner)

    def _start(self) -> None:
        self._drop()
        self._session = self._database.session()
        if not self._take(self._session, _PREFIX + self._name):
            self._drop()
            raise StoreError(
                f'Another orchestrator is called "{self._name}" and lives',
                "Give each its own workflow.orchestrator",
            )
        self.is_leader = self._take(self._session, _LEADER)

    def _tick(self, owners: Sequence[str]) -> list[str]:
        if self._session is None:
            self._start()
            self.has_lost_lock, self.has_regained_lock, self.trouble = False, True, ""
        session = self._session
        if session is None:
            raise AssertionError("_start sets it or raises")
        session.execute(sa.text("SELECT 1"))
        if not self.is_leader:
            self.is_leader = self._take(session, _LEADER)
        return [
            owner
            for owner in owners
            if owner != self._name and self._take(session, _PREFIX + owner)
        ]

    def _leave(self) -> None:
        if self._session is not None:
            # the server may notice only later that the connection was closed
            with suppress(SQLAlchemyError):
                self._session.execute(sa.text("SELECT pg_advisory_unlock_all()"))
        self._drop()

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.invalidate()
                session.close()
            except SQLAlchemyError:  # the server is gone, and the session with it
                return

    @staticmethod
    def _take(session: sa.Connection, words: str) -> bool:
        query = sa.text("SELECT pg_try_advisory_lock(hashtext(:words))")
        return bool(session.scalar(query, {"words": words}))

    @staticmethod
    def _give(session: sa.Connection, words: str) -> None:
        session.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:words))"), {"words": words})


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

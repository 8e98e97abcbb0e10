"""What is not over: looked at once a second, so that no run stands still unseen."""

import asyncio
from collections.abc import Collection

import sqlalchemy as sa

from app.core.run import RunState, WorkflowRun
from app.store.database import Database
from app.store.run_rows import SHOWN, run_of
from app.store.run_tables import RUNS, sort_words

_OPEN = [RunState.RUNNING.value, RunState.WAITING.value]
_AT_ONCE = 500
"""Names in one question; SQLite takes up to 32766."""


class OpenRuns:
    """Reads the runs under way and those that wait for their turn."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def under_way(self, owner: str) -> set[str]:
        """Return the runs that an orchestrator should be carrying out.

        Raises:
            StoreError: They cannot be read.
        """
        mine = RUNS.c.owner == owner, RUNS.c.state.in_(_OPEN), ~RUNS.c.is_queued
        return {str(row) for row in await self._column(sa.select(RUNS.c.id).where(*mine))}

    async def elsewhere(self, owner: str) -> dict[str, str]:
        """Return the runs that others should be carrying out, with who.

        Raises:
            StoreError: They cannot be read.
        """
        theirs = RUNS.c.owner != owner, RUNS.c.state.in_(_OPEN), ~RUNS.c.is_queued

        def work() -> dict[str, str]:
            query = sa.select(RUNS.c.id, RUNS.c.owner).where(*theirs)
            with self._database.read() as connection:
                return {row.id: row.owner for row in connection.execute(query)}

        return await asyncio.to_thread(work)

    async def next_in_turn(self) -> list[WorkflowRun]:
        """Return, of each workflow and key, the run that waits longest for its turn.

        Raises:
            StoreError: They cannot be read.
        """
        queued = RUNS.c.state == RunState.WAITING.value, RUNS.c.is_queued
        first = sa.select(sa.func.min(RUNS.c.sort)).where(*queued)
        first = first.group_by(RUNS.c.workflow, RUNS.c.key)
        query = sa.select(*SHOWN).where(RUNS.c.sort.in_(first)).order_by(RUNS.c.sort)

        def work() -> list[WorkflowRun]:
            with self._database.read() as connection:
                return [run_of(row) for row in connection.execute(query)]

        return await asyncio.to_thread(work)

    async def older(self, run: WorkflowRun) -> list[str]:
        """Return the open runs of the same key that are older.

        Raises:
            StoreError: They cannot be read.
        """
        rivals = (
            RUNS.c.workflow == run.workflow,
            RUNS.c.key == run.key,
            RUNS.c.state.in_(_OPEN),
            RUNS.c.sort < sort_words(run.started_at, run.id),
        )
        return [str(row) for row in await self._column(sa.select(RUNS.c.id).where(*rivals))]

    async def open_of(self, run_ids: Collection[str]) -> set[str]:
        """Return those of some runs that are there and not over.

        Raises:
            StoreError: They cannot be read.
        """
        asked = list(run_ids)
        found: set[str] = set()
        for first in range(0, len(asked), _AT_ONCE):
            some = RUNS.c.id.in_(asked[first : first + _AT_ONCE]), RUNS.c.state.in_(_OPEN)
            found |= {str(row) for row in await self._column(sa.select(RUNS.c.id).where(*some))}
        return found

    async def _column(self, query: sa.Select[tuple[object]]) -> list[object]:
        def work() -> list[object]:
            with self._database.read() as connection:
                return list(connection.scalars(query))

        return await asyncio.to_thread(work)

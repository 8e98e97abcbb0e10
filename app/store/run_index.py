"""Lists and counts of runs, without what their steps gave."""

import asyncio
from collections.abc import Collection

import sqlalchemy as sa
from typing_extensions import TypedDict, Unpack

from app.core.run import RunState, WorkflowRun
from app.store.database import Database, storable
from app.store.run_rows import SHOWN, run_of
from app.store.run_tables import RUNS

_OPEN = [RunState.RUNNING.value, RunState.WAITING.value]


class RunFilter(TypedDict, total=False):
    """Which runs are listed; what is not named does not matter.

    Attributes:
        workflow: Name of their workflow.
        states: What they are in.
        key: What they are about, such as a unit.
        text: Part of what they were given or are about, in any case.
        before: Id of a run: only older ones.
        parent: Id of the run that started them.
        is_dead: They failed, and nobody has repeated them or seen to them.
    """

    workflow: str
    states: Collection[RunState]
    key: str
    text: str
    before: str
    parent: str
    is_dead: bool


class RunIndex:
    """Reads what lists and searches of runs need; may be called from any task."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(self, *, limit: int = 100, **asked: Unpack[RunFilter]) -> list[WorkflowRun]:
        """Return runs without their steps, the newest first.

        Raises:
            StoreError: They cannot be read.
        """
        query = sa.select(*SHOWN).order_by(RUNS.c.sort.desc()).limit(limit)
        query = query.where(*_conditions(asked))

        def work() -> list[WorkflowRun]:
            with self._database.read() as connection:
                return [run_of(row) for row in connection.execute(query)]

        return await asyncio.to_thread(work)

    async def counts(self, workflows: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return, by workflow, how many runs are open and the id of its last; none without runs."""
        is_open = sa.select(RUNS.c.workflow, sa.func.count()).where(RUNS.c.state.in_(_OPEN))
        of_one = RUNS.c.workflow == sa.bindparam("workflow")
        last = sa.select(sa.func.max(RUNS.c.sort)).where(of_one)

        def work() -> dict[str, tuple[int, str]]:
            found: dict[str, tuple[int, str]] = {}
            with self._database.read() as connection:
                rows = connection.execute(is_open.group_by(RUNS.c.workflow)).all()
                counted = {row[0]: int(row[1]) for row in rows}
                for name in workflows:
                    sort = connection.scalar(last, {"workflow": name})
                    if sort is not None:
                        found[name] = (counted.get(name, 0), sort.partition(" ")[2])
            return found

        return await asyncio.to_thread(work)

    async def tally(self) -> dict[RunState, int]:
        """Return how many runs are kept, by state; a run under way counts as it was begun."""
        query = sa.select(RUNS.c.state, sa.func.count()).group_by(RUNS.c.state)

        def work() -> dict[RunState, int]:
            with self._database.read() as connection:
                return {RunState(state): count for state, count in connection.execute(query)}

        return await asyncio.to_thread(work)


def _conditions(asked: RunFilter) -> list[sa.ColumnElement[bool]]:
    made: list[sa.ColumnElement[bool]] = []
    if workflow := asked.get("workflow"):
        made.append(RUNS.c.workflow == storable(workflow))
    if states := asked.get("states"):
        made.append(RUNS.c.state.in_([state.value for state in states]))
    if key := asked.get("key"):
        made.append(RUNS.c.key == storable(key))
    if text := asked.get("text"):
        made.append(RUNS.c.words.contains(storable(text).lower(), autoescape=True))
    if before := asked.get("before"):
        mark = sa.select(RUNS.c.sort).where(RUNS.c.id == before).scalar_subquery()
        made.append(RUNS.c.sort < mark)
    if parent := asked.get("parent"):
        made.append(RUNS.c.parent.startswith(f"{parent}:", autoescape=True))
    if asked.get("is_dead"):
        made.append(RUNS.c.is_dead)
    return made

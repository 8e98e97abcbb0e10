"""Runs as they are read: what the store has of them, and what is known of those under way."""

import msgspec
from typing_extensions import Unpack

from app.core.run import OVER, Approval, RunState, WorkflowRun
from app.core.workflow import Workflow
from app.store.run_index import RunFilter
from app.store.run_rows import UnreadableRunError
from app.store.runs import RunStore
from app.workflow.engine import Engine
from app.workflow.stored_steps import stored_steps

OPEN = frozenset({RunState.RUNNING, RunState.WAITING})
PAGES = 20
"""Pages of open runs that are looked through for those that wait, or that do not."""


class RunReads:
    """The reading side of the workflows; changes nothing."""

    def __init__(self, store: RunStore, engine: Engine) -> None:
        self._store = store
        self.engine = engine

    async def runs(self, *, limit: int = 100, **asked: Unpack[RunFilter]) -> list[WorkflowRun]:
        """Return runs without their steps, the newest first.

        Raises:
            StoreError: They cannot be read.
        """
        states = set(asked.get("states", ()))
        elsewhere = await self._elsewhere()
        if OPEN & states:  # what an open run waits for is known here alone; on disk it is open
            asked["states"] = states | OPEN
        found: list[WorkflowRun] = []
        for _ in range(PAGES):
            page = await self._store.index.runs(limit=limit, **asked)
            now = (_told(self.live(run), elsewhere.get(run.id, "")) for run in page)
            found += [run for run in now if not states or run.state in states]
            if len(page) < limit or len(found) >= limit:
                break
            asked["before"] = page[-1].id
        return found[:limit]

    async def run(self, run_id: str) -> WorkflowRun:
        """Return a run with its steps.

        Raises:
            NotFoundError: There is none of this id.
            UnreadableRunError: This version of the app cannot read it.
        """
        runner = self.engine.live(run_id)
        if runner is not None:
            return msgspec.structs.replace(runner.run, steps=runner.steps)
        stored = await self._store.find(run_id)
        owner = "" if stored.owner == self.engine.owner or stored.is_queued else stored.owner
        try:
            steps = stored_steps(stored.snapshot, stored.slots)
        except msgspec.MsgspecError as error:
            raise UnreadableRunError(f"Run {run_id}: a step cannot be read: {error}") from error
        return _told(msgspec.structs.replace(stored.run, steps=steps), owner)

    async def _elsewhere(self) -> dict[str, str]:
        if not self._store.is_shared:
            return {}
        return await self._store.watched.elsewhere(self.engine.owner)

    async def snapshot(self, run_id: str) -> Workflow:
        """Return the definition that a run goes by.

        Raises:
            NotFoundError: There is none of this id.
        """
        runner = self.engine.live(run_id)
        return runner.workflow if runner else (await self._store.find(run_id)).snapshot

    async def dead(self, limit: int = 200) -> list[WorkflowRun]:
        """Return runs that failed and that nobody has repeated or seen to."""
        return await self._store.index.runs(is_dead=True, limit=limit)

    async def approvals(
        self, *, is_open: bool = True, run: str = "", limit: int = 200
    ) -> list[Approval]:
        """Return open approvals, oldest first, or decided, newest first; of one run if named."""
        return await self._store.approvals.listed(is_open=is_open, limit=limit, run=run)

    async def tally(self) -> dict[RunState, int]:
        """Return how many runs are in each state.

        Raises:
            StoreError: They cannot be counted.
        """
        kept = await self._store.index.tally()
        # on disk a run under way is as it was begun; the engine knows which of them wait
        waiting = sum(run.state is RunState.WAITING for run in self.engine.runs)
        moved = min(waiting, kept.get(RunState.RUNNING, 0))
        shift = {RunState.RUNNING: -moved, RunState.WAITING: moved}
        return {state: kept.get(state, 0) + shift.get(state, 0) for state in RunState}

    def live(self, run: WorkflowRun) -> WorkflowRun:
        """Return a run as it is now, if it is carried out here; else as it was read."""
        runner = self.engine.live(run.id)
        if runner and run.state not in OVER:  # what is over on disk is so, also before it is told
            return runner.run
        why = self._store.unreadable.get(run.id)
        if why is None or run.state in OVER:
            return run
        return msgspec.structs.replace(run, state=RunState.WAITING, reason=why)


def _told(run: WorkflowRun, owner: str) -> WorkflowRun:
    """Return a run of another orchestrator, of which only what is certain is known here."""
    if not owner or run.state in OVER:
        return run
    why = f"Orchestrator {owner} carries it out, and alone knows what its steps are at"
    return msgspec.structs.replace(run, reason=why)

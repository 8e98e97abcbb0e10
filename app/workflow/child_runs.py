"""Runs within runs: begun once by their id, waited for, and cancelled with who started them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from app.core.actor import SYSTEM, Role
from app.core.clock import Clock
from app.core.errors import ConflictError, MillwrightError, NotFoundError, StoreError
from app.core.run import RunState, StartedBy, WorkflowRun
from app.store.runs import RunStore
from app.workflow.actions import RefusedError
from app.workflow.context import Child, Doing, as_path
from app.workflow.engine import Engine
from app.workflow.roles import check_role

_NESTED = 8
"""Runs within runs; deeper is taken for a workflow that calls itself for ever."""

_STORE_S = 1.0


class ChildRuns:
    """Starts runs for steps of other runs."""

    def __init__(
        self,
        engine: Engine,
        store: RunStore,
        clock: Clock,
        child: Callable[[str, dict[str, Any]], Awaitable[Child]],
    ) -> None:
        """Build it.

        Args:
            engine: Carries them out.
            store: Where runs are kept.
            clock: Time.
            child: Gives what one goes by, from name and input of its workflow.
        """
        self._engine = engine
        self._store = store
        self._clock = clock
        self._child = child

    async def run(self, name: str, given: dict[str, Any], run_id: str, doing: Doing) -> WorkflowRun:
        """Start a run within a run, or find it after a restart, and wait for its end.

        It may do what both may: the run that starts it, and who saved its definition.

        Raises:
            RefusedError: Runs are nested too deep, the workflow takes no such input, is to be
                started by a higher role, or runs already in one that waits for this one; or a run
                of that id is none of this step.
        """
        if doing.run.parent.count("/") >= _NESTED:
            raise RefusedError(f"{_NESTED} runs are within each other; does {name} call itself?")
        try:
            await self._find_or_begin(name, given, run_id, doing)
            return await self._engine.wait_for_end(
                run_id, lambda child: doing.waiting(_child_words(child))
            )
        except asyncio.CancelledError:
            if not self._engine.is_stopping:
                await self._end(run_id, doing)
            raise

    async def _end(self, run_id: str, doing: Doing) -> None:
        """Cancel it, however long a store refuses it; log what became of it."""
        while True:
            try:
                await self.cancel(run_id, lambda child: doing.waiting(_child_words(child)))
                ended = await self._store.shown(run_id)
            except NotFoundError:  # it never began
                return
            except StoreError as error:
                doing.waiting(f"the store of workflows, to cancel run {run_id}: {error}")
                await self._clock.sleep(_STORE_S)
            else:
                doing.log(f"Run {run_id} is {ended.state.value}: {ended.reason}")
                return

    async def cancel(
        self, run_id: str, meanwhile: Callable[[WorkflowRun], None] = lambda _: None
    ) -> None:
        """Cancel a run within a run, if it has begun, and wait until what it did is taken back.

        Only then may the run around it take back its own steps, or leave its turn to another.

        Raises:
            StoreError: It cannot be read or written.
        """
        if not await self._is_within(run_id):
            return
        why = "The run that started it was cancelled"
        if runner := self._engine.live(run_id):
            runner.cancel(why)  # at once, also while the disk is full
        with suppress(ConflictError, NotFoundError):  # it is over
            await self._engine.cancel(run_id, why)
        with suppress(ConflictError, NotFoundError):  # it cannot be read, or never began
            await self._engine.wait_for_end(run_id, meanwhile)

    async def _is_within(self, run_id: str) -> bool:
        """Tell whether a run was begun by the step of its id, and not by a person or a program."""
        runner = self._engine.live(run_id)
        try:
            found = runner.run if runner else await self._store.shown(run_id)
        except NotFoundError:
            return False
        return as_path(found.parent.rpartition("/")[2]) == run_id

    async def _find_or_begin(
        self, name: str, given: dict[str, Any], run_id: str, doing: Doing
    ) -> None:
        parent = f"{doing.run.parent}/{doing.task_id}".lstrip("/")
        try:
            found = await self._store.shown(run_id)
        except NotFoundError:
            found = await self._begin_child(name, given, run_id, parent, doing)
        if (found.workflow, found.parent) != (name, parent):
            raise RefusedError(
                f"Run {run_id} stands in the way: it is one of {found.workflow} and was not "
                "started by this step. Repeat this run, or start it under another id"
            )

    async def _begin_child(
        self, name: str, given: dict[str, Any], run_id: str, parent: str, doing: Doing
    ) -> WorkflowRun:
        try:
            child = await self._child(name, given)
            check_role(child.workflow, Role(doing.run.role))
        except StoreError:
            raise
        except MillwrightError as error:
            raise RefusedError(str(error)) from error
        by = StartedBy("workflow", doing.person or SYSTEM.name, {"run": doing.run.id})
        begun = await self._engine.begin(
            child.workflow,
            child.version,
            child.input,
            child.key,
            by,
            run_id=run_id,
            parent=parent,
            role=child.role.lesser(Role(doing.run.role)).value,
        )
        return begun.run


def _child_words(child: WorkflowRun) -> str:
    waits = f", which waits for {child.reason}" if child.state is RunState.WAITING else ""
    return f"run {child.id}{waits}"

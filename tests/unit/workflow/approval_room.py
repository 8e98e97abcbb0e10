"""An engine whose steps ask persons, and the persons who decide, over a real store."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Never

import msgspec

from app.bus.client import Bus
from app.clock import SystemClock
from app.core.actor import Actor, Role
from app.core.clock import Clock
from app.core.run import Approval, StartedBy, StepState, WorkflowRun
from app.core.workflow import Workflow
from app.settings import Settings
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore
from app.workflow.actions import Actions, Commands
from app.workflow.child_runs import ChildRuns
from app.workflow.context import Child
from app.workflow.engine import Engine
from app.workflow.library import Library
from app.workflow.repair import Repair
from app.workflow.stored_steps import stored_steps
from tests.processes import eventually

ANN, BOB = Actor("ann", "ui", Role.OPERATOR), Actor("bob", "ui", Role.SUPERVISOR)
BY = StartedBy("click", "ann")


class Nobody:
    """Stands where a test's workflows ask for nothing: tasks, runs within runs."""

    def __getattr__(self, name: str) -> Never:
        raise AssertionError(f"no step here asks for {name}")


class Room:
    """One life of an engine that asks, and of the persons who decide."""

    def __init__(
        self, store: RunStore, clock: Clock, folder: Path, commands: Commands | None = None
    ) -> None:
        nobody: Any = Nobody()  # for parts of the app that no step here reaches
        self.store = store
        self.library: dict[str, Workflow] = {}
        self.engine = Engine(store=store, owner="app", clock=clock, functions={})
        self.functions: dict[str, Callable[..., object]] = {}
        self.actions = Actions(
            bus=Bus(Settings(), "nobody", clock),
            dispatcher=nobody,
            commands=commands or nobody,
            store=store,
            children=ChildRuns(self.engine, store, clock, self._child),
            clock=clock,
            http_hosts=(),
            functions=self.functions,
        )
        self.engine.use(self.actions)
        self.repair = Repair(
            store=store,
            library=Library(folder, folder),
            engine=self.engine,
            clock=clock,
            functions={},
            changed=lambda run: None,
            decided=self.actions.note_decision,
        )

    async def begin(self, workflow: Workflow, role: str = "operator", by: StartedBy = BY) -> str:
        """Start a run and return its id."""
        return (await self.engine.begin(workflow, "v1", {}, "", by, role=role)).run.id

    async def _child(self, name: str, given: dict[str, Any]) -> Child:
        return Child(self.library[name], "v1", given, "", Role.ENGINEER)

    async def asked(self, workflow: Workflow, questions: int = 1) -> str:
        """Start a run and return its id once it waits for so many decisions."""
        run_id = await self.begin(workflow)
        await self.waits(run_id, questions)
        return run_id

    async def waits(self, run_id: str, questions: int = 1) -> None:
        """Return once a run waits for so many decisions."""

        def waiting() -> int:
            runner = self.engine.live(run_id)
            return sum(each.state is StepState.WAITING for each in runner.steps) if runner else 0

        await eventually(lambda: waiting() == questions)

    async def decide(self, approval_id: str, verdict: bool = True, who: Actor = ANN) -> Approval:
        """Decide as a person does."""
        return await self.repair.decide(approval_id, who, "because", is_approved=verdict)

    async def ended(self, run_id: str) -> WorkflowRun:
        """Return a run with its steps once it is over."""
        async with asyncio.timeout(40):
            await self.engine.wait_for_end(run_id)
        stored = await self.store.find(run_id)
        steps = stored_steps(stored.snapshot, stored.slots)
        return msgspec.structs.replace(stored.run, steps=steps)

    async def approval(self, approval_id: str) -> Approval:
        """Return an approval as it stands on disk."""
        found = await self.store.approvals.find(approval_id)
        assert found
        return found


@asynccontextmanager
async def life(
    folder: Path,
    clock: Clock | None = None,
    kind: type[RunStore] = RunStore,
    commands: Commands | None = None,
) -> AsyncGenerator[Room]:
    """One life of the app; what waits goes on waiting in the next."""
    url = f"sqlite:///{(folder / 'runs.sqlite').as_posix()}"
    store = kind(Database(url, METADATA, "Workflows"))
    await store.open()
    room = Room(store, clock or SystemClock(), folder, commands)
    try:
        await room.engine.recover()
        yield room
    finally:
        await room.engine.stop()
        await store.close()

"""An engine over a real store, with actions that do what a test says."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from app.core.actor import Role
from app.core.clock import Clock
from app.core.errors import AgentError
from app.core.run import OVER, StartedBy, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, Step, Workflow
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore
from app.workflow.child_runs import ChildRuns
from app.workflow.context import Child, Doing, Done, Fate
from app.workflow.engine import Engine
from app.workflow.stored_steps import stored_steps
from tests.processes import eventually

BY = StartedBy("click", "ann")
Act = Callable[[dict[str, Any], Doing], Awaitable[object]]


class HastyClock:
    """Sleeps without waiting: time jumps on instead."""

    def __init__(self) -> None:
        self._now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the time, which moves a little each time it is asked for."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def monotonic(self) -> float:
        """Return the same as seconds."""
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Jump on."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0.001)


class FakeDoer:
    """Does steps as told, and remembers each doing by its task id."""

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.asked: list[str] = []
        self.finished: list[str] = []
        self.withdrawn: list[str] = []
        self.fates: dict[str, Fate] = {}

    async def do(self, kind: ActionKind, fields: dict[str, Any], doing: Doing) -> Done:
        """Do a step: by its id, or by its task id without the run."""
        name = doing.task_id.partition(":")[2]
        self.asked.append(name)
        act = self.acts.get(name) or self.acts.get(doing.step.id)
        output = await act(fields, doing) if act else fields
        self.finished.append(name)
        return Done(output, "fake/1")

    async def withdraw(self, kind: ActionKind, task_id: str) -> None:
        """Note what is no longer asked of people."""
        self.withdrawn.append(task_id.partition(":")[2])

    async def fate(self, kind: ActionKind, task_id: str) -> Fate | None:
        """Return what a test says; of other steps nothing is known."""
        return self.fates.get(task_id.partition(":")[2])

    @property
    def times(self) -> Counter[str]:
        """How often each was asked for."""
        return Counter(self.asked)


class Gate:
    """An act that lasts until the test lets it go on."""

    def __init__(self, output: object = None) -> None:
        self.is_reached = asyncio.Event()
        self.may_go = asyncio.Event()
        self._output = output

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        """Wait for the test."""
        self.is_reached.set()
        await self.may_go.wait()
        return self._output


class Fails:
    """An act that fails so many times with an error, then succeeds."""

    def __init__(self, times: int = 1_000_000, error: Exception | None = None) -> None:
        self._left = times
        self._error = error or AgentError("It did not work")

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        """Fail, or not any more."""
        self._left -= 1
        if self._left >= 0:
            raise self._error
        return "at last"


class Rig:
    """One life of an engine."""

    def __init__(
        self,
        store: RunStore,
        doer: FakeDoer,
        clock: Clock,
        library: dict[str, Workflow],
        owner: str = "app",
    ) -> None:
        self.store = store
        self.doer = doer
        self.clock = clock
        self.library = library
        self.authors: dict[str, Role] = {}
        self.told: list[tuple[WorkflowRun, StepRun | None]] = []
        self.functions: dict[str, Callable[..., object]] = {}
        self.engine = Engine(store=store, owner=owner, clock=clock, functions=self.functions)
        self.children = ChildRuns(self.engine, store, clock, self._child)
        self.engine.on_change(lambda run, step: self.told.append((run, step)))
        self.engine.use(doer)

    async def _child(self, name: str, given: dict[str, Any]) -> Child:
        role = self.authors.get(name, Role.ENGINEER)
        return Child(self.library[name], "v1", given, "", role)

    async def begin(
        self,
        workflow: Workflow,
        key: str = "",
        run_id: str = "",
        carried: Sequence[StepRun] = (),
        **given: object,
    ) -> str:
        """Start a run and return its id."""
        self.library[workflow.name] = workflow
        begun = await self.engine.begin(
            workflow, "v1", dict(given), key, BY, run_id=run_id, carried=carried
        )
        return begun.run.id

    async def find(self, run_id: str) -> WorkflowRun:
        """Return a run as it stands on disk, with its steps."""
        stored = await self.store.find(run_id)
        steps = stored_steps(stored.snapshot, stored.slots)
        return msgspec.structs.replace(stored.run, steps=steps)

    async def ended(self, run_id: str) -> WorkflowRun:
        """Return a run once it is over."""
        async with asyncio.timeout(40):
            await self.engine.wait_for_end(run_id)
        await eventually(lambda: self.engine.live(run_id) is None)
        return await self.find(run_id)

    async def states(self, run_id: str) -> dict[str, StepState]:
        """Return the state of each step in its last round."""
        return {each.step: each.state for each in (await self.find(run_id)).steps}

    def is_over(self, run_id: str) -> bool:
        """Tell whether the end of a run was told."""
        return any(run.id == run_id and run.state in OVER for run, _ in self.told)


def database(folder: Path) -> Database:
    """Return the store's database in a folder."""
    return Database(f"sqlite:///{(folder / 'runs.sqlite').as_posix()}", METADATA, "Workflows")


@asynccontextmanager
async def life(
    place: Database,
    doer: FakeDoer | None = None,
    *,
    clock: Clock | None = None,
    library: dict[str, Workflow] | None = None,
    owner: str = "app",
) -> AsyncGenerator[Rig]:
    """One life of the app: what was open goes on, and what is open at the end stays so."""
    store = RunStore(place)
    await store.open()
    rig = Rig(
        store, doer or FakeDoer(), clock or HastyClock(), {} if library is None else library, owner
    )
    try:
        await rig.engine.recover()
        yield rig
    finally:
        await rig.engine.stop()
        await store.close()


def step(name: str, *needs: str, **fields: Any) -> Step:
    """Return a step that hands its fields to the fake."""
    plain = Step(name, ActionKind.TASK, needs=needs)
    return msgspec.structs.replace(plain, **fields)


def flow(
    *steps: Step,
    runs: Concurrency | None = None,
    name: str = "demo",
    **fields: Any,
) -> Workflow:
    """Return a workflow of steps."""
    return Workflow(name=name, steps=steps, runs=runs or Concurrency(), **fields)


def outputs(run: WorkflowRun) -> Mapping[str, object]:
    """Return what each step gave."""
    return {each.step: each.output for each in run.steps}

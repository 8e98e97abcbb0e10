"""The end of a run: with its last step on disk at once, told once, and the next one's turn."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from app.clock import SystemClock
from app.core.errors import AgentError, StoreError
from app.core.run import OVER, RunState, StartedBy, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Undo, Workflow
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore
from app.workflow.context import Doer, Doing, Done, Fate
from app.workflow.engine import Engine
from app.workflow.run_reads import RunReads
from tests.processes import eventually

BY = StartedBy("click", "ann")
TASK = ActionKind.TASK
CHAIN = Workflow("bake", (Step("heat", TASK), Step("cool", TASK, needs=("heat",))))


class Hands(Doer):
    """Does each step at once, but waits at those named until `go_on`; notes what it did."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.held: set[str] = set()
        self.failing: set[str] = set()
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    @override
    async def do(self, kind: ActionKind, fields: dict[str, Any], doing: Doing) -> Done:
        self.did.append(doing.task_id)
        if doing.step.id in self.held:
            self.reached.set()
            await self.go_on.wait()
        if doing.step.id in self.failing:
            raise AgentError("the oven is cold")
        return Done({"of": doing.step.id}, "oven/1")

    @override
    async def withdraw(self, kind: ActionKind, task_id: str) -> None:
        raise AssertionError(f"nobody was asked by {task_id}")

    @override
    async def fate(self, kind: ActionKind, task_id: str) -> Fate | None:
        return None


class FullOnce(RunStore):
    """A store whose disk is full when the first run ends."""

    is_full = True

    @override
    async def end(
        self, run: WorkflowRun, owner: str, last: tuple[str, StepRun] | None = None
    ) -> bool:
        if self.is_full:
            self.is_full = False
            raise StoreError("the disk is full")
        return await super().end(run, owner, last)


class SlowToTell(RunStore):
    """A store that has an end on disk some time before who ended it hears of it."""

    is_kept = False

    @override
    async def end(
        self, run: WorkflowRun, owner: str, last: tuple[str, StepRun] | None = None
    ) -> bool:
        has_followers = await super().end(run, owner, last)
        self.is_kept = True
        await asyncio.sleep(0.3)
        return has_followers


class Quick(SystemClock):
    """A clock whose sleeps take no time."""

    @override
    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Rig:
    """An engine with hands, and all it told."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.hands = Hands()
        self.told: list[tuple[WorkflowRun, StepRun | None]] = []
        self.engine = Engine(store=store, owner="here", clock=Quick(), functions={})
        self.engine.use(self.hands)
        self.engine.on_change(lambda run, step: self.told.append((run, step)))

    async def run(self, workflow: Workflow = CHAIN) -> WorkflowRun:
        begun = (await self.engine.begin(workflow, "v1", {}, "", BY)).run
        return await self.engine.wait_for_end(begun.id)


def store_in(folder: Path, kind: type[RunStore] = RunStore) -> RunStore:
    return kind(Database(f"sqlite:///{folder / 'runs.sqlite'}", METADATA, "Workflows"))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(store_in(tmp_path))
    await made.store.open()
    yield made
    await made.engine.stop()
    await made.store.close()


async def test_the_last_step_is_kept_with_the_end(rig: Rig):
    ended = await rig.run()

    kept = await rig.store.find(ended.id)

    assert ended.state is RunState.COMPLETED
    assert ended.output == {"of": "cool"}
    assert set(kept.slots) == {"heat.1", "cool.1"}


async def test_the_end_is_told_once_and_after_the_last_step(rig: Rig):
    await rig.run()

    ends = [run.state for run, step in rig.told if step is None and run.state in OVER]
    steps = [(step.step, step.state) for _, step in rig.told if step]

    assert ends == [RunState.COMPLETED]
    assert steps[-1] == ("cool", StepState.DONE)
    assert rig.told[-1][1] is None


async def test_a_step_that_fails_last_is_kept_with_what_it_said(rig: Rig):
    rig.hands.failing.add("cool")

    ended = await rig.run()

    kept = await rig.store.find(ended.id)
    assert ended.reason == "cool: the oven is cold"
    assert set(kept.slots) == {"heat.1", "cool.1"}


async def test_a_full_disk_at_the_end_delays_the_end_and_changes_nothing(tmp_path: Path):
    rig = Rig(store_in(tmp_path, FullOnce))
    await rig.store.open()

    ended = await rig.run()

    kept = await rig.store.find(ended.id)
    assert (kept.run.state, set(kept.slots)) == (RunState.COMPLETED, {"heat.1", "cool.1"})
    assert rig.hands.did == [f"{ended.id}:heat", f"{ended.id}:cool"]
    assert any("the disk is full" in run.reason for run, _ in rig.told)
    await rig.engine.stop()
    await rig.store.close()


async def test_what_is_over_on_disk_is_read_as_over_before_it_is_told(tmp_path: Path):
    store = SlowToTell(Database(f"sqlite:///{tmp_path / 'runs.sqlite'}", METADATA, "Workflows"))
    rig = Rig(store)
    rig.hands.failing.add("cool")
    await store.open()
    begun = (await rig.engine.begin(CHAIN, "v1", {}, "", BY)).run
    reads = RunReads(store, rig.engine)
    await eventually(lambda: store.is_kept)

    listed = await reads.runs(states={RunState.FAILED})
    is_told = rig.engine.live(begun.id) is None
    await rig.engine.wait_for_end(begun.id)
    read = await reads.run(begun.id)

    assert not is_told
    assert [run.id for run in listed] == [begun.id]
    assert (read.state, read.reason) == (RunState.FAILED, "cool: the oven is cold")
    await rig.engine.stop()
    await store.close()


async def test_a_run_that_is_cancelled_at_its_last_step_takes_back_what_it_did(rig: Rig):
    heat = Step("heat", TASK, compensate=Undo(TASK))
    rig.hands.held.add("cool")
    begun = (await rig.engine.begin(Workflow("bake", (heat, CHAIN.steps[1])), "v1", {}, "", BY)).run
    await rig.hands.reached.wait()

    await rig.engine.cancel(begun.id, "too hot")
    ended = await rig.engine.wait_for_end(begun.id)

    kept = await rig.store.find(begun.id)
    assert (ended.state, ended.reason) == (RunState.CANCELLED, "too hot")
    assert "heat.1.undo" in kept.slots


async def test_parallel_last_steps_are_all_kept(rig: Rig):
    ended = await rig.run(Workflow("bake", (Step("a", TASK), Step("b", TASK), Step("c", TASK))))

    kept = await rig.store.find(ended.id)

    assert set(kept.slots) == {"a.1", "b.1", "c.1"}


async def test_a_step_that_is_skipped_last_is_kept(rig: Rig):
    never = Step("cool", TASK, needs=("heat",), when="1 > 2")

    ended = await rig.run(Workflow("bake", (CHAIN.steps[0], never)))

    kept = await rig.store.find(ended.id)
    assert ended.state is RunState.COMPLETED
    assert set(kept.slots) == {"heat.1", "cool.1"}


async def test_the_run_that_waits_begins_when_the_one_before_it_ends(rig: Rig):
    queued = Workflow("bake", CHAIN.steps, runs=Concurrency(mode=RunMode.QUEUED))
    rig.hands.held.add("cool")
    first = (await rig.engine.begin(queued, "v1", {}, "", BY)).run
    await rig.hands.reached.wait()
    second = (await rig.engine.begin(queued, "v1", {}, "", BY)).run
    rig.hands.go_on.set()

    await rig.engine.wait_for_end(first.id)
    ended = await rig.engine.wait_for_end(second.id)

    assert second.state is RunState.WAITING
    assert ended.state is RunState.COMPLETED


async def test_a_run_that_was_cut_off_in_its_last_step_does_that_again_and_no_other(
    rig: Rig, tmp_path: Path
):
    rig.hands.held.add("cool")
    begun = (await rig.engine.begin(CHAIN, "v1", {}, "", BY)).run
    await rig.hands.reached.wait()
    await rig.engine.stop()
    again = Rig(rig.store)

    await again.engine.recover()
    ended = await again.engine.wait_for_end(begun.id)

    assert ended.state is RunState.COMPLETED
    assert again.hands.did == [f"{begun.id}:cool"]

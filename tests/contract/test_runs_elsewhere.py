"""A run that another orchestrator carries out says so, instead of looking as if it stood still."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from app.clock import SystemClock
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Workflow
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore
from app.workflow.engine import Engine
from app.workflow.run_reads import RunReads

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FLOW = Workflow("ask", (Step("one", ActionKind.APPROVE),), runs=Concurrency(mode=RunMode.QUEUED))
pytestmark = pytest.mark.slow


def run(run_id: str, key: str = "") -> WorkflowRun:
    by = StartedBy("click", "ann")
    return WorkflowRun(run_id, "ask", "v1", RunState.RUNNING, NOW, {}, by, key=key)


@pytest.fixture
async def reads_of(postgres_url: str) -> AsyncIterator[Callable[[str], RunReads]]:
    """Return what an orchestrator of a name reads of one store, which holds no runs."""
    async with AsyncExitStack() as stack:
        store = RunStore(database := Database(postgres_url, METADATA, "Workflows"))
        await store.open()
        stack.push_async_callback(store.close)
        with database.begin() as connection:
            METADATA.drop_all(connection)
            METADATA.create_all(connection)

        def made(owner: str) -> RunReads:
            clock = SystemClock()
            return RunReads(store, Engine(store=store, owner=owner, clock=clock, functions={}))

        await store.add(run("a1"), FLOW, "left")
        await store.add(run("a2"), FLOW, "left")
        ended = run("b1", key="other")
        await store.add(ended, FLOW, "left")
        done = WorkflowRun("b1", "ask", "v1", RunState.COMPLETED, NOW, {}, ended.started_by)
        await store.end(done, "left")
        yield made


async def test_who_carries_a_run_out_is_named_to_the_others(
    reads_of: Callable[[str], RunReads],
) -> None:
    there = await reads_of("right").run("a1")
    here = await reads_of("left").run("a1")

    assert there.reason.startswith("Orchestrator left carries it out")
    assert here.reason == ""


async def test_lists_name_it_only_of_runs_that_are_under_way(
    reads_of: Callable[[str], RunReads],
) -> None:
    reasons = {each.id: each.reason for each in await reads_of("right").runs()}

    assert reasons["a1"].startswith("Orchestrator left carries it out")
    assert (reasons["a2"], reasons["b1"]) == ("its turn, after run a1", "")

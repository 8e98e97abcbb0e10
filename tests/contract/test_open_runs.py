"""What waits for its turn, on SQLite and Postgres."""

from datetime import UTC, datetime, timedelta

import msgspec

from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Workflow
from app.store.runs import RunStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def add(
    store: RunStore, run_id: str, second: int, *, name: str = "bake", key: str = ""
) -> None:
    rule = Concurrency(mode=RunMode.QUEUED, max=50)
    workflow = Workflow(name, (Step("one", ActionKind.TASK),), runs=rule)
    at = NOW + timedelta(seconds=second)
    run = WorkflowRun(
        run_id, name, "v1", RunState.RUNNING, at, {}, StartedBy("click", "ann"), key=key
    )
    await store.add(run, workflow, "here")


async def waiting(store: RunStore) -> list[str]:
    return [run.id for run in await store.watched.next_in_turn()]


async def test_of_each_workflow_and_key_the_one_that_waits_longest_is_next(store: RunStore):
    for key in ("", "p1"):
        for name in ("bake", "cool"):
            for number, second in enumerate((5, 9, 7)):  # the first begins; the clock went back
                await add(store, f"{name}-{key}{number}", second, name=name, key=key)

    assert sorted(await waiting(store)) == ["bake-2", "bake-p12", "cool-2", "cool-p12"]


async def test_nothing_is_next_where_the_only_run_is_under_way(store: RunStore):
    await add(store, "a1", 0)

    assert await waiting(store) == []


async def test_a_run_that_was_cancelled_while_it_waited_is_not_next(store: RunStore):
    for number in range(3):
        await add(store, f"a{number}", number)
    run = (await store.find("a1")).run
    await store.end(msgspec.structs.replace(run, state=RunState.CANCELLED, ended_at=NOW), "here")

    assert await waiting(store) == ["a2"]


async def test_of_many_that_are_asked_for_those_that_are_over_or_unknown_are_not_open(
    store: RunStore,
):
    for number in range(3):
        await add(store, f"a{number}", number)
    run = (await store.find("a0")).run
    await store.end(msgspec.structs.replace(run, state=RunState.FAILED, ended_at=NOW), "here")
    unknown = [f"x{number}" for number in range(1200)]

    assert await store.watched.open_of(["a0", *unknown, "a1", "a2"]) == {"a1", "a2"}
    assert await store.watched.open_of([]) == set()

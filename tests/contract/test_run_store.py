"""Runs on disk: the same on SQLite and Postgres, and nobody writes into a run that he lost."""

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest
import sqlalchemy as sa

from app.core.admission import Admission
from app.core.errors import ConflictError, InputError, NotFoundError, StoreError
from app.core.run import RunState, StartedBy, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Workflow
from app.store.database import Database
from app.store.group_commit import GroupCommit
from app.store.run_tables import RUNS
from app.store.runs import LostRunError, RunStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DONE = StepRun("one", state=StepState.DONE, output={"value": 1.5}, ended_at=NOW)
QUEUED = Workflow(
    name="bake", steps=(Step("one", ActionKind.TASK),), runs=Concurrency(mode=RunMode.QUEUED)
)


def run(run_id: str, state: RunState = RunState.RUNNING, key: str = "") -> WorkflowRun:
    return WorkflowRun(run_id, "bake", "v1", state, NOW, {}, StartedBy("click", "ann"), key=key)


async def test_a_run_is_found_as_it_was_kept(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.keep("a1", "here", "one.1", DONE)

    found = await store.find("a1")

    assert (found.run, found.snapshot, found.owner) == (run("a1"), QUEUED, "here")
    assert not found.is_queued
    assert msgspec.json.decode(found.slots["one.1"], type=StepRun) == DONE


async def test_an_outcome_that_is_kept_again_takes_the_place_of_the_first(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.keep("a1", "here", "one.1", {"said": "first"})
    await store.keep("a1", "here", "one.1", {"said": "second"})

    found = await store.find("a1")

    assert found.slots == {"one.1": b'{"said":"second"}'}


async def test_a_run_whose_id_is_known_is_not_kept_again(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")

    admission = await store.add(run("a1", key="other"), QUEUED, "here")

    assert admission == (Admission.REFUSE, ["a1"])


async def test_a_second_run_of_a_key_waits_and_the_first_is_named(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")

    admission = await store.add(run("a2"), QUEUED, "here")
    found = await store.find("a2")

    assert admission == (Admission.WAIT, ["a1"])
    assert found.is_queued
    assert found.run.reason == "its turn, after run a1"


async def test_a_run_within_a_run_takes_its_turn_among_all_of_its_key(store: RunStore):
    other = msgspec.structs.replace(run("p1"), workflow="mother")
    inner = msgspec.structs.replace(run("c1"), parent="p1:call")
    await store.add(other, QUEUED, "here")
    await store.add(run("a1"), QUEUED, "here")

    assert await store.add(inner, QUEUED, "here") == (Admission.WAIT, ["a1"])
    assert await store.add(run("d1"), QUEUED, "here") == (Admission.WAIT, ["a1", "c1"])
    assert await store.end(run("a1", RunState.COMPLETED), "here")
    assert await store.next_turn("bake", "", QUEUED.runs, "here") == "c1"
    assert await store.next_turn("bake", "", QUEUED.runs, "here") is None


async def test_a_run_that_would_wait_for_one_that_waits_for_it_is_not_kept(store: RunStore):
    inner = msgspec.structs.replace(run("c1"), parent="a1:call")
    await store.add(run("a1"), QUEUED, "here")

    assert await store.add(inner, QUEUED, "here") == (Admission.CIRCLE, ["a1"])
    with pytest.raises(NotFoundError):
        await store.find("c1")


async def test_of_runs_that_come_at_once_and_need_each_other_one_is_not_kept(
    store: RunStore, database: Database
):
    other = RunStore(database)
    await other.open()
    for name in ("ping", "pong"):
        await store.add(msgspec.structs.replace(run(name), workflow=name), QUEUED, "here")
    inner = [
        msgspec.structs.replace(run("c1"), workflow="pong", parent="ping:call"),
        msgspec.structs.replace(run("c2"), workflow="ping", parent="pong:call"),
    ]
    came = zip((store, other), inner, strict=True)
    got = await asyncio.gather(*(at.add(each, QUEUED, "here") for at, each in came))
    await other.close()

    assert sorted(admission for admission, _ in got) == [Admission.CIRCLE, Admission.WAIT]


async def test_a_run_is_repeated_once_whoever_asks(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.end(run("a1", RunState.FAILED), "here")
    again = [msgspec.structs.replace(run(name), retry_of="a1") for name in ("b1", "b2", "b3")]

    got = await asyncio.gather(
        *(store.add(each, QUEUED, "here") for each in again), return_exceptions=True
    )

    refused = [each for each in got if isinstance(each, ConflictError)]
    assert len(refused) == 2
    assert "repeated already" in str(refused[0])
    kept = [each.id for each in await store.index.runs() if each.retry_of == "a1"]
    assert kept == [(await store.shown("a1")).retried_by]
    assert await store.index.runs(is_dead=True) == []


async def test_a_repetition_of_nothing_is_refused(store: RunStore):
    with pytest.raises(NotFoundError, match="gone"):
        await store.add(msgspec.structs.replace(run("b1"), retry_of="gone"), QUEUED, "here")

    assert await store.index.runs() == []


async def test_an_outcome_of_a_run_that_another_has_is_refused(store: RunStore):
    await store.add(run("a1"), QUEUED, "there")

    with pytest.raises(LostRunError, match="another orchestrator"):
        await store.keep("a1", "here", "one.1", DONE)

    assert (await store.find("a1")).slots == {}


async def test_the_end_of_a_run_that_another_has_is_refused_with_its_last_step(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.take_over("here", "there")

    with pytest.raises(LostRunError, match="another orchestrator"):
        await store.end(run("a1", RunState.COMPLETED), "here", ("one.1", DONE))

    found = await store.find("a1")
    assert (found.run.state, found.slots) == (RunState.RUNNING, {})


async def test_an_outcome_of_a_run_that_was_never_begun_is_refused(store: RunStore):
    with pytest.raises(LostRunError, match="another orchestrator"):
        await store.keep("a1", "here", "one.1", DONE)


async def test_the_last_step_is_kept_with_the_end(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.end(run("a1", RunState.COMPLETED), "here", ("one.1", DONE))

    found = await store.find("a1")

    assert found.run.state is RunState.COMPLETED
    assert list(found.slots) == ["one.1"]
    assert await store.open_runs("here") == []


async def test_the_end_says_that_a_run_waits_for_its_turn(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.add(run("a2"), QUEUED, "here")

    assert await store.end(run("a1", RunState.COMPLETED), "here")


async def test_the_end_on_sqlite_says_that_no_run_of_the_key_waits(
    store: RunStore, database: Database
):
    await store.add(run("a1"), QUEUED, "here")
    await store.add(run("b1", key="other"), QUEUED, "here")
    await store.add(run("b2", key="other"), QUEUED, "here")

    # several orchestrators: one may be on its way in, so the turn is always looked at
    assert await store.end(run("a1", RunState.COMPLETED), "here") == database.is_shared


async def test_a_failed_run_is_a_dead_letter(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.end(run("a1", RunState.FAILED), "here")

    assert [each.id for each in await store.index.runs(is_dead=True)] == ["a1"]


async def test_a_write_that_fails_takes_no_other_with_it(store: RunStore, database: Database):
    await store.add(run("a1"), QUEUED, "here")
    commits = GroupCommit(database)
    commits.start()

    def broken(connection: sa.Connection) -> None:
        connection.execute(RUNS.update().values(owner="nobody"))
        raise InputError("refused")

    with pytest.raises(InputError, match="refused"):
        await commits.write(broken)
    written = await commits.write(lambda c: c.scalar(sa.select(RUNS.c.owner)))
    await commits.stop()

    assert written == "here"


async def test_a_write_after_the_store_was_closed_is_refused(store: RunStore):
    await store.close()

    with pytest.raises(StoreError, match="not open"):
        await store.keep("a1", "here", "one.1", DONE)


@pytest.mark.parametrize("key", ["", "p\0"])
async def test_a_run_with_a_nul_in_name_and_key_is_kept(store: RunStore, key: str):
    begun = msgspec.structs.replace(run("a1", key=key), started_by=StartedBy("mqtt", "a\0b"))

    assert (await store.add(begun, QUEUED, "here"))[0] is Admission.START
    assert (await store.add(run("a2", key=key), QUEUED, "here"))[0] is Admission.WAIT
    assert (await store.find("a1")).run == begun
    assert [each.id for each in await store.index.runs(key=key, text="a\0b")] == ["a1"]


async def test_a_cancel_with_a_nul_is_kept(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    await store.ask_cancel("a1", "b\0")

    assert list(await store.cancels("here")) == ["a1"]


async def test_a_run_whose_reason_has_a_nul_ends(store: RunStore):
    await store.add(run("a1"), QUEUED, "here")
    reason = "agent said a\0b"
    ended = msgspec.structs.replace(run("a1"), state=RunState.FAILED, reason=reason)
    await store.end(ended, "here")

    assert (await store.find("a1")).run.state is RunState.FAILED

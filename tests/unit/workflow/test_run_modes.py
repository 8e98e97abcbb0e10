"""How runs of one key live beside each other, and how they are repeated, seen to and deleted."""

from datetime import timedelta

import pytest

from app.core.errors import ConflictError, StoreError
from app.core.run import RunState, StepRun, StepState
from app.core.workflow import Concurrency, RunMode, Workflow
from tests.processes import eventually
from tests.unit.workflow.engine_rig import Fails, Gate, Rig, flow, step


def of_mode(mode: RunMode, most: int = 50, queue: int = 1000) -> Workflow:
    return flow(step("one"), runs=Concurrency(mode, max=most, queue=queue))


async def test_a_single_run_refuses_another_of_its_key_only(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    single = of_mode(RunMode.SINGLE)
    await rig.begin(single, key="a")
    await rig.begin(single, key="b")
    with pytest.raises(ConflictError, match='runs already for "a"'):
        await rig.begin(single, key="a")
    gate.may_go.set()


async def test_a_restart_cancels_what_runs_and_what_waits(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    names = [await rig.begin(of_mode(RunMode.RESTART), key="a") for _ in range(3)]
    gate.may_go.set()
    ended = [await rig.ended(name) for name in names]

    assert [run.state for run in ended] == [
        RunState.CANCELLED,
        RunState.CANCELLED,
        RunState.COMPLETED,
    ]
    assert ended[0].reason.endswith("replaces it")


async def test_queued_runs_go_one_after_the_other(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    names = [await rig.begin(of_mode(RunMode.QUEUED), key="a") for _ in range(4)]
    await gate.is_reached.wait()
    waiting = [(await rig.find(name)).reason for name in names[1:]]
    begun = len(rig.doer.asked)
    gate.may_go.set()
    ended = [(await rig.ended(name)).ended_at for name in names]

    assert begun == 1
    assert waiting == [f"its turn, after run {name}" for name in names[:3]]
    assert ended == sorted(each for each in ended if each)


async def test_a_full_queue_refuses(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    queued = of_mode(RunMode.QUEUED, queue=1)
    await rig.begin(queued)
    await rig.begin(queued)
    with pytest.raises(ConflictError):
        await rig.begin(queued)
    gate.may_go.set()


async def test_a_run_that_waits_for_its_turn_can_be_cancelled(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    first, second, third = [await rig.begin(of_mode(RunMode.QUEUED)) for _ in range(3)]
    await rig.engine.cancel(second, "not any more")
    gate.may_go.set()
    ended = [(await rig.ended(name)).state for name in (first, second, third)]

    assert ended == [RunState.COMPLETED, RunState.CANCELLED, RunState.COMPLETED]
    assert rig.doer.times["one"] == 2


async def test_at_most_so_many_run_in_parallel(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    names = [await rig.begin(of_mode(RunMode.PARALLEL, most=2), key="a") for _ in range(5)]
    await eventually(lambda: rig.doer.times["one"] == 2)
    gate.may_go.set()
    ended = {(await rig.ended(name)).state for name in names}

    assert ended == {RunState.COMPLETED}


async def test_a_turn_that_met_a_full_disk_is_taken_later(rig: Rig):
    gate = rig.doer.acts["one"] = Gate()
    names = [await rig.begin(of_mode(RunMode.QUEUED)) for _ in range(2)]
    await gate.is_reached.wait()
    honest = rig.store.next_turn

    async def full(*_: object) -> None:
        raise StoreError("database or disk is full")

    rig.store.next_turn = full  # type: ignore[method-assign]  # pyright: ignore[reportAttributeAccessIssue]  a disk that is full
    gate.may_go.set()
    await rig.ended(names[0])
    rig.store.next_turn = honest  # type: ignore[method-assign]
    await rig.engine.tick()

    assert (await rig.ended(names[1])).state is RunState.COMPLETED


async def test_a_full_disk_holds_a_run_up_and_nothing_is_done_twice(rig: Rig):
    refusals = [3]
    honest = rig.store.keep

    async def full_for_a_while(*given: object) -> None:
        refusals[0] -= 1
        if refusals[0] >= 0:
            raise StoreError("database or disk is full")
        await honest(*given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  handed on

    rig.store.keep = full_for_a_while  # type: ignore[method-assign]
    name = await rig.begin(flow(step("one"), step("two", "one")))
    run = await rig.ended(name)

    assert run.state is RunState.COMPLETED
    assert rig.doer.asked == ["one", "two"]
    assert "the store of workflows: database or disk is full" in {run.reason for run, _ in rig.told}


async def test_an_action_that_meets_a_full_disk_waits_for_it(rig: Rig):
    rig.doer.acts["one"] = Fails(3, StoreError("database or disk is full"))
    run = await rig.ended(await rig.begin(flow(step("one"))))

    assert (run.state, run.steps[0].attempts) == (RunState.COMPLETED, 1)


async def test_an_action_does_not_wait_for_the_disk_for_ever(rig: Rig):
    rig.doer.acts["one"] = Fails(error=StoreError("database or disk is full"))
    run = await rig.ended(await rig.begin(flow(step("one", timeout_s=5))))

    assert (run.state, run.reason) == (RunState.FAILED, "one: database or disk is full")


async def test_a_run_that_cannot_be_kept_does_not_begin(rig: Rig):
    await rig.store.close()
    with pytest.raises(StoreError):
        await rig.begin(flow(step("one")))

    assert rig.doer.asked == []


async def test_a_run_repeated_from_a_step_takes_over_what_came_before(rig: Rig):
    carried = StepRun("one", state=StepState.DONE, output={"n": 5}, carried=True)
    given = {"n": "${steps.one.output.n}"}
    name = await rig.begin(flow(step("one"), step("two", "one", with_=given)), carried=[carried])
    run = await rig.ended(name)

    assert rig.doer.asked == ["two"]
    assert run.output == {"n": 5}


async def test_a_failed_run_is_a_dead_letter_until_it_is_seen_to(rig: Rig):
    rig.doer.acts["one"] = Fails()
    name = await rig.begin(flow(step("one")))
    await rig.ended(name)
    before = [run.id for run in await rig.store.index.runs(is_dead=True)]
    await rig.store.note(name, reviewed="ann: seen")

    assert before == [name]
    assert await rig.store.index.runs(is_dead=True) == []


async def test_pruning_leaves_dead_letters_and_open_runs(rig: Rig):
    gate = rig.doer.acts["wait"] = Gate()
    rig.doer.acts["bad"] = Fails()
    done = await rig.begin(flow(step("one")))
    dead = await rig.begin(flow(step("bad"), name="bad"))
    is_open = await rig.begin(flow(step("wait"), name="open"))
    await rig.ended(done)
    await rig.ended(dead)
    pruned = await rig.store.prune(rig.clock.now() + timedelta(days=1), 100)

    assert pruned == 1
    assert {run.id for run in await rig.store.index.runs()} == {dead, is_open}
    gate.may_go.set()

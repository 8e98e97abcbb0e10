"""What a restart of the app leaves of runs: all that was certain, and nothing done twice."""

import asyncio
from typing import Any

import msgspec

from app.core.run import RunState, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, Jump, RunMode, Undo
from app.store.database import Database
from app.workflow.context import Doing
from tests.processes import eventually
from tests.unit.workflow.engine_rig import (
    Fails,
    FakeDoer,
    Gate,
    Rig,
    flow,
    life,
    outputs,
    step,
)


async def test_finished_steps_are_not_done_again_and_open_ones_go_on(
    place: Database, doer: FakeDoer
):
    gate = doer.acts["two"] = Gate()
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("one"), step("two", "one"), step("three", "two")))
        await gate.is_reached.wait()
        before = (await rig.find(name)).steps[0]
    del doer.acts["two"]
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert run.state is RunState.COMPLETED
    assert doer.asked == ["one", "two", "two", "three"]
    assert run.steps[0] == before


async def test_many_runs_go_on(place: Database, doer: FakeDoer):
    gate = doer.acts["two"] = Gate()
    async with life(place, doer) as rig:
        names = [await rig.begin(flow(step("one"), step("two", "one"))) for _ in range(30)]
        await eventually(lambda: doer.times["two"] == 30)
    gate.may_go.set()
    async with life(place, doer) as rig:
        ended = [await rig.ended(name) for name in names]

    assert {run.state for run in ended} == {RunState.COMPLETED}
    assert (doer.times["one"], doer.finished.count("two")) == (30, 30)


async def test_elements_that_are_done_are_not_done_again(place: Database, doer: FakeDoer):
    doer.acts["each.2"] = Gate()
    async with life(place, doer) as rig:
        each = step("each", for_each="[1, 2, 3, 4]", parallel=1, with_={"n": "${item}"})
        name = await rig.begin(flow(each))
        await eventually(lambda: "each.2" in doer.asked)
    del doer.acts["each.2"]
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert outputs(run)["each"] == [{"n": 1}, {"n": 2}, {"n": 3}, {"n": 4}]
    assert doer.asked == ["each.0", "each.1", "each.2", "each.2", "each.3"]


async def test_a_list_has_its_whole_time_again_after_a_restart(place: Database, doer: FakeDoer):
    deadlines: list[float] = []

    async def act(fields: dict[str, Any], doing: Doing) -> object:
        deadlines.append(doing.deadline.timestamp())
        return await gate(fields, doing)

    gate = Gate()
    doer.acts["each"] = act
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("each", for_each="[1]", timeout_s=5)))
        await gate.is_reached.wait()
    gate.may_go.set()
    async with life(place, doer, clock=rig.clock) as rig:
        await rig.clock.sleep(100)
        await rig.ended(name)

    assert deadlines[0] < deadlines[1]


async def test_the_deadline_of_a_wait_survives(place: Database, doer: FakeDoer):
    deadlines: list[object] = []
    gate = Gate()

    async def act(fields: dict[str, Any], doing: Doing) -> object:
        deadlines.append(doing.deadline)
        return await gate(fields, doing)

    doer.acts["wait"] = act
    async with life(place, doer) as rig:
        wait = step("wait", do=ActionKind.WAIT, with_={"seconds": 60})
        name = await rig.begin(flow(wait))
        await gate.is_reached.wait()
    gate.may_go.set()
    async with life(place, doer) as rig:
        await rig.ended(name)

    assert deadlines[0] == deadlines[1]


async def test_a_loop_goes_on_in_its_round(place: Database, doer: FakeDoer):
    doer.acts["two.3"] = Gate()
    loop = Jump(step="one", when="steps.two.round < 4")
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("one"), step("two", "one", goto=loop)))
        await eventually(lambda: "two.3" in doer.asked)
    del doer.acts["two.3"]
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert run.state is RunState.COMPLETED
    assert doer.asked == [
        "one",
        "two",
        "one.2",
        "two.2",
        "one.3",
        "two.3",
        "two.3",
        "one.4",
        "two.4",
    ]


async def test_a_run_within_a_run_is_found_again(place: Database, doer: FakeDoer):
    library = {"inner": flow(step("slow"), name="inner")}

    async def call(fields: dict[str, Any], doing: Doing) -> object:
        run = await rigs[-1].children.run("inner", {}, doing.path, doing)
        return run.id

    rigs: list[Rig] = []
    gate = doer.acts["slow"] = Gate()
    doer.acts["call"] = call
    async with life(place, doer, library=library) as rig:
        rigs.append(rig)
        name = await rig.begin(flow(step("call")))
        await gate.is_reached.wait()
    gate.may_go.set()
    async with life(place, doer, library=library) as rig:
        rigs.append(rig)
        run = await rig.ended(name)
        inner = await rig.find(f"{name}-call")

    assert (run.state, inner.state) == (RunState.COMPLETED, RunState.COMPLETED)
    assert doer.finished == ["slow", "call"]


async def test_a_cancel_that_was_asked_for_is_not_forgotten(place: Database, doer: FakeDoer):
    gate = doer.acts["two"] = Gate()
    undo = Undo(do=ActionKind.TASK)
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("one", compensate=undo), step("two", "one")))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "before the end")
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert (run.state, run.reason) == (RunState.CANCELLED, "before the end")
    assert doer.asked == ["one", "two", "one.undo"]


async def test_a_step_the_app_died_in_is_taken_back_if_the_run_is_cancelled_meanwhile(
    place: Database, doer: FakeDoer
):
    gate = doer.acts["one"] = Gate()
    undo = Undo(ActionKind.TASK)
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("one", compensate=undo), step("two", "one")))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "enough")
    gate.may_go.set()
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert (run.state, doer.asked) == (RunState.CANCELLED, ["one", "one.undo"])
    assert [(each.state, each.compensation) for each in run.steps] == [
        (StepState.CANCELLED, "done"),
        (StepState.CANCELLED, ""),
    ]


async def test_a_step_that_never_began_is_not_taken_back(place: Database, doer: FakeDoer):
    gate = doer.acts["one"] = Gate()
    undo = Undo(ActionKind.TASK)
    async with life(place, doer) as rig:
        name = await rig.begin(flow(step("one"), step("two", "one", compensate=undo)))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "enough")
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert (run.state, doer.asked) == (RunState.CANCELLED, ["one"])


async def test_what_was_taken_back_is_not_taken_back_again(place: Database, doer: FakeDoer):
    doer.acts |= {"bad": Fails(), "one.undo": Gate()}
    undo = Undo(do=ActionKind.TASK)
    steps = (step("one", compensate=undo), step("two", "one", compensate=undo), step("bad", "two"))
    async with life(place, doer) as rig:
        name = await rig.begin(flow(*steps))
        await eventually(lambda: "one.undo" in doer.asked)
    del doer.acts["one.undo"]
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert [each.compensation for each in run.steps] == ["done", "done", ""]
    assert doer.times["two.undo"] == 1


def of_mode(mode: RunMode, **limits: int) -> Concurrency:
    return Concurrency(mode, key="", **limits)


async def test_queued_runs_take_their_turns_after_a_restart(place: Database, doer: FakeDoer):
    gate = doer.acts["one"] = Gate()
    async with life(place, doer) as rig:
        queued = flow(step("one"), runs=of_mode(RunMode.QUEUED))
        names = [await rig.begin(queued, key="k") for _ in range(3)]
        await gate.is_reached.wait()
    assert doer.times["one"] == 1
    gate.may_go.set()
    async with life(place, doer) as rig:
        ended = [await rig.ended(name) for name in names]

    assert {run.state for run in ended} == {RunState.COMPLETED}
    assert [run.ended_at for run in ended] == sorted(run.ended_at for run in ended if run.ended_at)


async def test_a_run_that_was_to_replace_another_does_so_after_a_restart(
    place: Database, doer: FakeDoer
):
    gate = doer.acts["one"] = Gate()
    restart = flow(step("one"), runs=of_mode(RunMode.RESTART))
    async with life(place, doer) as rig:
        first = await rig.begin(restart)
        await gate.is_reached.wait()
        known = await rig.find(first)
        second = f"{first}z"
        await rig.store.add(_again(known, second), restart, "app")  # and here the app ended
    async with life(place, doer) as rig:
        old = await rig.ended(first)
        gate.may_go.set()
        new = await rig.ended(second)

    assert (old.state, new.state) == (RunState.CANCELLED, RunState.COMPLETED)


def _again(known: WorkflowRun, name: str) -> WorkflowRun:
    return msgspec.structs.replace(known, id=name, state=RunState.RUNNING, ended_at=None, steps=())


async def test_a_run_whose_beginning_nobody_carried_out_goes_on(place: Database, doer: FakeDoer):
    async with life(place, doer) as rig:
        template = await rig.find(await rig.begin(flow(step("one"))))
        await rig.ended(template.id)
        lost = _again(template, "lost")
        await rig.store.add(lost, flow(step("one")), "app")
        await rig.engine.tick()
        await rig.engine.tick()
        run = await rig.ended("lost")

    assert (run.state, run.steps[0].state) == (RunState.COMPLETED, StepState.DONE)


async def test_the_engine_stops_in_the_middle_of_everything(place: Database, doer: FakeDoer):
    doer.acts |= {"wait": Gate(), "each": Gate()}
    async with life(place, doer) as rig:
        for _ in range(10):
            await rig.begin(flow(step("wait"), step("each", for_each="[1, 2]", parallel=2)))
        await eventually(lambda: doer.times["wait"] == 10)
        async with asyncio.timeout(20):  # it ends at all
            await rig.engine.stop()

    assert rig.engine.active == 0

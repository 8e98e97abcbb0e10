"""The mode of a workflow counts for runs within runs, too, and none waits for itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from app.core.errors import ConflictError
from app.core.run import OVER, RunState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Undo, Workflow
from app.store.database import Database
from app.workflow.actions import RefusedError
from app.workflow.context import Doing
from tests.processes import eventually
from tests.unit.workflow.engine_rig import Fails, FakeDoer, Gate, Rig, flow, life, step

SINGLE = Concurrency(RunMode.SINGLE)


class Counted(Gate):
    """A gate that notes how many are at it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.here = 0
        self.most = 0

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        self.here += 1
        self.most = max(self.most, self.here)
        try:
            return await super().__call__(fields, doing)
        finally:
            self.here -= 1


class Caller:
    """Does a workflow step as the app does, in whichever life it is asked."""

    def __init__(self) -> None:
        self.rig: Rig | None = None

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        assert self.rig
        run = await self.rig.children.run(fields["name"], {}, doing.path, doing)
        if run.state is not RunState.COMPLETED:
            raise RefusedError(f"Run {run.id} is {run.state.value}: {run.reason}")
        return run.id


@pytest.fixture
def doer() -> FakeDoer:
    made = FakeDoer()
    made.acts["call"] = Caller()
    made.acts["work"] = Counted()
    return made


@pytest.fixture
async def rig(place: Database, doer: FakeDoer) -> AsyncIterator[Rig]:
    async with life(place, doer) as made:
        use(made)
        yield made


def use(rig: Rig) -> None:
    caller = rig.doer.acts["call"]
    assert isinstance(caller, Caller)
    caller.rig = rig


def work(rig: Rig) -> Counted:
    gate = rig.doer.acts["work"]
    assert isinstance(gate, Counted)
    return gate


def calls(name: str) -> Step:
    return step("call", do=ActionKind.WORKFLOW, with_={"name": name})


def child(runs: Concurrency) -> Workflow:
    return flow(step("work"), name="child", runs=runs)


async def parents(rig: Rig, count: int, runs: Concurrency) -> list[str]:
    rig.library["child"] = child(runs)
    return [await rig.begin(flow(calls("child"), name="mother")) for _ in range(count)]


async def one_and_others(rig: Rig, others: int) -> list[str]:
    """Begin a run whose child is at work, and others whose children wait for it."""
    first = await parents(rig, 1, SINGLE)
    await work(rig).is_reached.wait()
    names = first + await parents(rig, others, SINGLE)
    for name in names[1:]:
        await waiting(rig, f"{name}-call")
    return names


async def waiting(rig: Rig, run_id: str) -> None:
    """Wait until a run stands in the queue."""
    turn = (run_id, RunState.WAITING, "its turn")
    await eventually(lambda: any((r.id, r.state, r.reason[:8]) == turn for r, _ in rig.told))


@pytest.mark.parametrize(
    ("runs", "most"),
    [
        (SINGLE, 1),
        (Concurrency(RunMode.QUEUED), 1),
        (Concurrency(RunMode.QUEUED, queue=0), 1),
        (Concurrency(RunMode.PARALLEL, max=2), 2),
        (Concurrency(), 5),
    ],
)
async def test_no_more_children_run_at_once_than_their_mode_allows(
    rig: Rig, runs: Concurrency, most: int
):
    names = await parents(rig, 5, runs)
    await eventually(lambda: rig.doer.times["call"] == 5 and work(rig).here == most)
    work(rig).may_go.set()
    ended = [(await rig.ended(name)).state for name in names]

    assert ended == [RunState.COMPLETED] * 5
    assert (work(rig).most, rig.doer.times["work"]) == (most, 5)


async def test_a_parent_says_for_whose_turn_its_child_waits(rig: Rig):
    first, second = await one_and_others(rig, 1)
    wanted = f"run {second}-call, which waits for its turn, after run {first}-call"
    await eventually(lambda: (found := rig.engine.live(second)) and found.run.reason == wanted)
    work(rig).may_go.set()

    assert (await rig.ended(second)).state is RunState.COMPLETED


async def test_a_start_by_hand_is_refused_beside_a_child_of_mode_single(rig: Rig):
    await parents(rig, 1, SINGLE)
    await work(rig).is_reached.wait()

    with pytest.raises(ConflictError, match=r"child runs already: .*-call; its mode is single"):
        await rig.begin(child(SINGLE))
    work(rig).may_go.set()


async def test_a_start_by_hand_waits_for_a_child_of_mode_queued(rig: Rig):
    runs = Concurrency(RunMode.QUEUED)
    await parents(rig, 1, runs)
    await work(rig).is_reached.wait()
    by_hand = await rig.begin(child(runs))
    was_queued = (await rig.store.find(by_hand)).is_queued
    work(rig).may_go.set()

    assert was_queued
    assert (await rig.ended(by_hand)).state is RunState.COMPLETED
    assert work(rig).most == 1


async def test_a_child_waits_for_a_run_started_by_hand(rig: Rig):
    by_hand = await rig.begin(child(SINGLE))
    await work(rig).is_reached.wait()
    (name,) = await parents(rig, 1, SINGLE)
    await waiting(rig, f"{name}-call")
    work(rig).may_go.set()

    assert (await rig.ended(name)).state is RunState.COMPLETED
    assert (await rig.find(by_hand)).state is RunState.COMPLETED
    assert work(rig).most == 1


async def test_a_child_of_mode_restart_replaces_the_one_of_another_run(rig: Rig):
    runs = Concurrency(RunMode.RESTART)
    (first,) = await parents(rig, 1, runs)
    await work(rig).is_reached.wait()
    (second,) = await parents(rig, 1, runs)
    ended = await rig.ended(first)
    work(rig).may_go.set()

    assert ended.reason == (f"call: Run {first}-call is cancelled: Run {second}-call replaces it")
    assert (await rig.ended(second)).state is RunState.COMPLETED
    assert work(rig).most == 1


@pytest.mark.parametrize(
    "runs", [SINGLE, Concurrency(RunMode.QUEUED), Concurrency(RunMode.RESTART),
             Concurrency(RunMode.PARALLEL, max=1)],
)  # fmt: skip
async def test_a_workflow_that_calls_itself_and_may_not_run_twice_fails_and_says_why(
    rig: Rig, runs: Concurrency
):
    name = await rig.begin(flow(calls("demo"), runs=runs))
    run = await rig.ended(name)

    assert run.state is RunState.FAILED
    assert f"demo would wait for ever: it takes its turn after {name}" in run.reason
    assert [each.id for each in await rig.store.index.runs()] == [name]


async def test_two_workflows_that_call_each_other_do_not_wait_for_ever(rig: Rig):
    ping = flow(calls("pong"), name="ping", runs=SINGLE)
    pong = flow(calls("ping"), name="pong", runs=SINGLE)
    rig.library |= {"ping": ping, "pong": pong}
    run = await rig.ended(await rig.begin(ping))

    assert run.state is RunState.FAILED
    assert "ping would wait for ever" in run.reason


async def test_runs_that_each_hold_what_the_other_needs_do_not_wait_for_ever(rig: Rig):
    both = Gate()
    rig.doer.acts["hold"] = both
    ping = flow(step("hold"), call_after("pong"), name="ping", runs=SINGLE)
    pong = flow(step("hold"), call_after("ping"), name="pong", runs=SINGLE)
    rig.library |= {"ping": ping, "pong": pong}
    names = [await rig.begin(ping), await rig.begin(pong)]
    await eventually(lambda: rig.doer.times["hold"] == 2)
    both.may_go.set()
    ended = [await rig.ended(name) for name in names]

    states = sorted(each.state.value for each in ended)
    assert "failed" in states
    assert any("would wait for ever" in each.reason for each in ended)
    assert all(each.state in OVER for each in await rig.store.index.runs())


def call_after(name: str) -> Step:
    return step("call", "hold", do=ActionKind.WORKFLOW, with_={"name": name})


async def test_children_that_fill_the_room_of_their_parents_do_not_wait_for_ever(rig: Rig):
    """Two runs of two at once each call the same workflow: one child gets the other's place."""
    gate = rig.doer.acts["hold"] = Gate()
    calls_once = flow(
        step("hold", when="input.again"), call_after("twin"), name="twin",
        runs=Concurrency(RunMode.PARALLEL, max=2),
    )  # fmt: skip
    rig.library["twin"] = calls_once
    names = [await rig.begin(calls_once, again=True) for _ in range(2)]
    rig.library["twin"] = flow(step("work"), name="twin", runs=calls_once.runs)
    work(rig).may_go.set()
    await eventually(lambda: rig.doer.times["hold"] == 2)
    gate.may_go.set()
    ended = [await rig.ended(name) for name in names]

    assert sorted(each.state.value for each in ended) == ["completed", "failed"]


async def test_a_child_that_waits_is_cancelled_with_its_parent_and_never_begins(rig: Rig):
    first, second = await one_and_others(rig, 1)
    await rig.engine.cancel(second, "stop")
    await rig.ended(second)
    inner = await rig.ended(f"{second}-call")
    work(rig).may_go.set()

    assert (inner.state, inner.reason) == (
        RunState.CANCELLED,
        "The run that started it was cancelled",
    )
    assert (await rig.ended(first)).state is RunState.COMPLETED
    assert rig.doer.times["work"] == 1


@pytest.mark.parametrize("is_other_at_work", [False, True])
async def test_a_child_that_is_just_being_kept_when_its_parent_is_cancelled_never_works(
    rig: Rig, is_other_at_work: bool
):
    rig.library["child"] = child(SINGLE)
    if is_other_at_work:
        await rig.begin(child(SINGLE))
        await work(rig).is_reached.wait()
    honest, is_kept = rig.store.add, asyncio.Event()

    async def kept_and_lost(*given: Any) -> object:
        found = await honest(*given)
        if given[0].parent:
            is_kept.set()
            await asyncio.Event().wait()
        return found

    rig.store.add = kept_and_lost  # type: ignore[method-assign]  # pyright: ignore[reportAttributeAccessIssue]  a slow disk
    name = await rig.begin(flow(calls("child"), name="mother"))
    await is_kept.wait()
    await rig.engine.cancel(name, "stop")
    work(rig).may_go.set()
    ending = asyncio.create_task(rig.ended(name))
    while not ending.done():
        await rig.engine.tick()
        await asyncio.sleep(0.01)

    assert (await ending).state is RunState.CANCELLED
    assert (await rig.ended(f"{name}-call")).state is RunState.CANCELLED
    assert rig.doer.times["work"] == int(is_other_at_work)


async def test_a_child_that_waited_when_the_app_died_goes_on_once(place: Database, doer: FakeDoer):
    library: dict[str, Workflow] = {}
    async with life(place, doer, library=library) as rig:
        use(rig)
        names = await one_and_others(rig, 2)
    doer.acts["work"] = Counted()
    work(rig).may_go.set()
    async with life(place, doer, library=library) as rig:
        use(rig)
        ended: list[WorkflowRun] = [await rig.ended(name) for name in names]
        runs = await rig.store.index.runs(workflow="child")

    assert [each.state for each in ended] == [RunState.COMPLETED] * 3
    assert sorted(each.id for each in runs) == sorted(f"{name}-call" for name in names)
    assert work(rig).most == 1
    assert doer.finished.count("work") == 3


async def test_a_child_that_waited_goes_on_though_the_turn_met_a_dying_app(
    place: Database, doer: FakeDoer
):
    """Its turn had come, and the app died before it could begin."""
    library: dict[str, Workflow] = {}
    async with life(place, doer, library=library) as rig:
        use(rig)
        first, second = await one_and_others(rig, 1)
        inner = await rig.store.find(f"{first}-call")
        await rig.store.end(msgspec.structs.replace(inner.run, state=RunState.COMPLETED), "app")
    work(rig).may_go.set()
    async with life(place, doer, library=library) as rig:
        use(rig)
        ended = [await rig.ended(name) for name in (first, second)]

    assert [each.state for each in ended] == [RunState.COMPLETED] * 2


def with_undo(held: Gate, rig: Rig) -> Workflow:
    """Return a run whose first step and whose child's first step are to be taken back."""
    undo = Undo(ActionKind.TASK, {})
    made = step("made", compensate=undo)
    rig.doer.acts["held"] = held
    rig.library["child"] = flow(made, step("held", "made"), name="child")
    call = msgspec.structs.replace(calls("child"), needs=("first",))
    return flow(step("first", compensate=undo), call, name="mother", runs=SINGLE)


async def test_a_run_takes_back_its_own_steps_after_those_of_the_run_within_it(rig: Rig):
    held, taking_back = Gate(), Gate()
    rig.doer.acts["made.undo"] = taking_back
    workflow = with_undo(held, rig)
    name = await rig.begin(workflow)
    await held.is_reached.wait()
    await rig.engine.cancel(name, "stop")
    await taking_back.is_reached.wait()

    assert "first.undo" not in rig.doer.asked
    with pytest.raises(ConflictError, match="runs already"):  # its key is not free yet
        await rig.begin(workflow)
    taking_back.may_go.set()
    await rig.ended(name)
    assert [each for each in rig.doer.asked if each.endswith("undo")] == ["made.undo", "first.undo"]


async def test_a_run_says_what_its_cancelled_run_could_not_take_back(rig: Rig):
    held = Gate()
    rig.doer.acts["made.undo"] = Fails()
    name = await rig.begin(with_undo(held, rig))
    await held.is_reached.wait()
    await rig.engine.cancel(name, "stop")
    run = await rig.ended(name)

    call = next(each for each in run.steps if each.step == "call")
    assert "Not taken back: made" in call.log[-1].text

"""The tries of one step: its list stays, and no trouble of a store makes it forget a cancel."""

import asyncio
from typing import Any

from app.core.errors import AgentError, StoreError
from app.core.run import RunState, StepState
from app.core.workflow import ActionKind, Retry, Step, Undo, Workflow
from app.store.database import Database
from app.workflow.context import Doing, Fate
from tests.processes import eventually
from tests.unit.workflow.engine_rig import Fails, FakeDoer, Gate, Rig, life, step

AGAIN = Retry(attempts=3, wait_s=2)


def flow(*steps: Step) -> Workflow:
    return Workflow("demo", steps)


def by_the_plant() -> Step:
    """Return a for-each whose list turns round once the plant has changed."""
    listed = "['a', 'b'] if tag('free') < 5 else ['b', 'a', 'c']"
    return step(
        "slow",
        for_each=listed,
        parallel=1,
        retry=AGAIN,
        with_={"item": "${item}"},
        compensate=Undo(ActionKind.TASK, {"item": "${item}"}),
    )


class Called:
    """Notes what it is called with; the plant changes at the first call, and `b` fails once."""

    def __init__(self, rig: Rig) -> None:
        self.free = 1
        self.items: list[str] = []
        rig.functions["tag"] = self.tag

    def tag(self, path: str) -> int:
        return self.free

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        self.free = 9
        self.items.append(fields["item"])
        if self.items == ["a", "b"]:
            raise AgentError("503")
        return fields["item"]


async def test_a_further_try_does_the_elements_that_were_planned_first(rig: Rig):
    called = rig.doer.acts["slow"] = Called(rig)
    run = await rig.ended(await rig.begin(flow(by_the_plant())))

    assert called.items == ["a", "b", "b"]
    assert (run.state, run.steps[0].output) == (RunState.COMPLETED, ["a", "b"])


async def test_after_further_tries_each_element_is_taken_back_as_itself(rig: Rig):
    called = Called(rig)
    rig.doer.acts |= {"slow": called, "bad": Fails()}
    backs: list[str] = []

    async def back(fields: dict[str, Any], doing: Doing) -> object:
        backs.append(f"{doing.task_id.partition(':')[2]} {fields['item']}")
        return None

    rig.doer.acts |= {"slow.0.undo": back, "slow.1.undo": back}
    await rig.ended(await rig.begin(flow(by_the_plant(), step("bad", "slow"))))

    assert backs == ["slow.1.undo b", "slow.0.undo a"]


async def test_a_further_try_after_a_death_of_the_app_does_the_elements_of_the_first(
    place: Database, doer: FakeDoer
):
    gate = doer.acts["slow.1"] = Gate()
    async with life(place, doer) as rig:
        called = doer.acts["slow"] = Called(rig)
        name = await rig.begin(flow(by_the_plant()))
        await gate.is_reached.wait()
    doer.acts["slow.1"] = Fails(1)
    async with life(place, doer) as rig:
        rig.functions["tag"] = called.tag
        run = await rig.ended(name)

    assert called.items == ["a"]
    assert (run.state, run.steps[0].output) == (RunState.COMPLETED, ["a", "at last"])


class LosesCancel:
    """An act whose store is away while it is cancelled, and for ever after."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.times = 0

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        self.times += 1
        self.is_reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StoreError("database is locked") from None


async def test_a_cancel_that_meets_trouble_of_the_store_is_a_cancel(rig: Rig):
    act = rig.doer.acts["slow"] = LosesCancel()
    name = await rig.begin(flow(step("slow", timeout_s=3600.0), step("next", "slow")))
    await act.is_reached.wait()
    await rig.engine.cancel(name, "enough")
    run = await rig.ended(name)

    assert (run.state, run.steps[0].state, act.times) == (
        RunState.CANCELLED, StepState.CANCELLED, 1,
    )  # fmt: skip
    assert rig.doer.times["next"] == 0


async def test_a_cancel_of_elements_that_meets_trouble_of_the_store_is_a_cancel(rig: Rig):
    act = rig.doer.acts["slow"] = LosesCancel()
    listed = step("slow", for_each="[1, 2, 3]", parallel=3, timeout_s=3600.0)
    name = await rig.begin(flow(listed))
    await eventually(lambda: act.times == 3)
    await rig.engine.cancel(name, "enough")
    run = await rig.ended(name)

    assert (run.state, run.steps[0].state, act.times) == (
        RunState.CANCELLED, StepState.CANCELLED, 3,
    )  # fmt: skip


async def test_what_is_still_asked_of_a_person_after_a_cancel_is_withdrawn(rig: Rig):
    act = LosesCancel()
    waits = Fate(may_have_acted=True, words="it waits", can_be_withdrawn=True, patience_s=5.0)
    rig.doer.acts["slow"] = act
    rig.doer.fates["slow"] = waits
    name = await rig.begin(flow(step("slow", do=ActionKind.COMMAND)))
    await act.is_reached.wait()
    await rig.engine.cancel(name, "enough")
    run = await rig.ended(name)

    assert rig.doer.withdrawn == ["slow"]
    assert run.steps[0].error == "The run was cancelled; it waits"

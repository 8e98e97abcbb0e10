"""Shipped workflows from what starts them to their end, on the demo plant with its real agents."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from typing_extensions import override

from agents.actuator.agent import ActuatorAgent
from agents.advisor.agent import AdvisorAgent
from agents.backlog.agent import BacklogAgent
from agents.knowledge.agent import KnowledgeAgent
from agents.notifier.agent import NotifierAgent
from agents.planner.agent import PlannerAgent
from app.bus.address import broker_address
from app.clock import SystemClock
from app.core.actor import Actor
from app.core.alarm import Finding, Priority
from app.core.command import Command, CommandState
from app.core.order import Order, OrderState
from app.core.reading import Quality
from app.core.run import Approval, RunState, StepState, WorkflowRun
from app.plant import Plant
from app.settings import Settings
from tests.agents_at_work import at_work
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.simulated_plant import PUMP, simulated_plant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LIMIT = f"{PUMP}/speed_limit"
ANN, BOB = Actor("ann", "ui"), Actor("bob", "ui")
LONG_S = 40.0
TROUBLE = "industrial_troubleshooting"
HANDOVER = "shift_handover"
CHANGE = datetime(2031, 6, 2, 12, tzinfo=UTC)
"""14:00 in Berlin: the early shift ends."""


class WallClock(SystemClock):
    """The clock of a plant where the shift changes in five minutes, or when the test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.set(CHANGE - timedelta(minutes=5))

    def set(self, at: datetime) -> None:
        """Go on from another time."""
        self._ahead = at - datetime.now(UTC)

    @override
    def now(self) -> datetime:
        return super().now() + self._ahead


@asynccontextmanager
async def workshop(settings: Settings) -> AsyncGenerator[Plant]:
    """The demo plant with all who take part in looking for the cause of a machine's trouble."""
    agents = ActuatorAgent, AdvisorAgent, BacklogAgent, KnowledgeAgent, NotifierAgent
    async with simulated_plant(settings) as plant, at_work(plant, *agents):
        await eventually(lambda: speed_limit(plant) == 105, LONG_S)
        yield plant


def speed_limit(plant: Plant) -> float | None:
    """Return what the pump's controller says now, None while nobody can tell."""
    reading = plant.tags.value(LIMIT)
    return reading.value if reading and reading.quality is Quality.GOOD else None


async def state_bearing_fault(settings: Settings) -> None:
    """Say on MQTT what the vibration agent says of a worn bearing."""
    port = broker_address(settings.broker).port
    finding = Finding(
        "vibration", "bearing_outer_race", PUMP, datetime.now(UTC), Priority.HIGH,
        message="Outer race defect", response="Check the grease",
    )  # fmt: skip
    with peer(port, "vibration-peer") as agent:
        await agent.connected()
        await agent.publish("millwright/findings/vibration", msgspec.json.encode(finding))


async def question(plant: Plant, step: str) -> Approval:
    """Return what a step asks once it does."""
    found: list[Approval] = []

    async def asked() -> bool:
        found[:] = [each for each in await plant.workflows.approvals() if each.step == step]
        return bool(found)

    async with asyncio.timeout(LONG_S):
        while not await asked():
            await plant.clock.sleep(0.1)
    return found[0]


async def ordered(plant: Plant) -> Order:
    """Return the one order that is open, once it is."""
    async with asyncio.timeout(LONG_S):
        while not (found := await plant.upkeep.orders(OrderState.OPEN)):
            await plant.clock.sleep(0.1)
    (order,) = found
    return order


async def may_be(plant: Plant, tag: str, value: float) -> None:
    """Return once a tag may be changed again: some ask for seconds between two commands."""
    async with asyncio.timeout(LONG_S):
        while not all(each.ok for each in await plant.commands.checks(tag, value, ANN)):
            await plant.clock.sleep(0.2)


async def switch(plant: Plant, value: float) -> None:
    """Stop or start the pump, and return once it has."""
    tag, shown = f"{PUMP}/run_command", f"{PUMP}/running"
    await may_be(plant, tag, value)
    await plant.commands.request(tag, value, ANN, "repair", confirmed=True)
    await eventually(lambda: (now := plant.tags.value(shown)) and now.value == value, LONG_S)


async def over(plant: Plant, run_id: str) -> WorkflowRun:
    await plant.workflows.engine.wait_for_end(run_id)
    return await plant.workflows.run(run_id)


def states(run: WorkflowRun) -> dict[str, StepState]:
    return {each.step: each.state for each in run.steps}


async def command(plant: Plant, run_id: str, step: str) -> Command:
    return await plant.commands.get(f"{run_id}-{step}")


async def test_a_worn_bearing_is_run_slower_ordered_repaired_and_run_as_before(
    connected_settings: Settings,
):
    async with workshop(connected_settings) as plant:
        await state_bearing_fault(connected_settings)
        asked = await question(plant, "choose")
        order = await ordered(plant)  # it does not wait for the answer
        await plant.decide(asked.id, True, ANN)
        repaired = await question(plant, "repaired")
        await eventually(lambda: speed_limit(plant) == 80, LONG_S)
        await plant.upkeep.close_order(order.id, "bearing changed", BOB)
        await may_be(plant, LIMIT, 105)
        await plant.decide(repaired.id, True, BOB)
        run = await over(plant, asked.run)
        await eventually(lambda: speed_limit(plant) == 105, LONG_S)
        reduced = await command(plant, run.id, "reduce")
        restored = await command(plant, run.id, "restore")

    assert (run.state, set(states(run).values())) == (RunState.COMPLETED, {StepState.DONE})
    assert run.started_by.kind == "finding"
    assert (order.equipment, order.run, order.priority) == (PUMP, run.id, 2)
    assert order.opened_at < repaired.asked_at
    assert (reduced.state, reduced.value, reduced.approved_by) == (
        CommandState.VERIFIED, 80, "ann",
    )  # fmt: skip
    assert (restored.state, restored.value) == (CommandState.VERIFIED, 105)


async def test_who_says_no_gets_an_order_and_no_other_speed(connected_settings: Settings):
    async with workshop(connected_settings) as plant:
        given = {"equipment": PUMP, "condition": "bearing_outer_race"}
        begun = await plant.start_workflow(TROUBLE, given, ANN)
        asked = await question(plant, "choose")
        await plant.decide(asked.id, False, ANN, "the line needs it until tonight")
        run = await over(plant, begun.id)
        order = await ordered(plant)
        commands = await plant.commands.find()

    assert run.state is RunState.COMPLETED
    assert {name for name, state in states(run).items() if state is StepState.SKIPPED} == {
        "reduce", "repaired", "restore",
    }  # fmt: skip
    assert order.run == run.id
    assert list(commands) == []


async def test_a_pump_that_was_not_repaired_stays_slow(connected_settings: Settings):
    async with workshop(connected_settings) as plant:
        given = {"equipment": PUMP, "condition": "bearing_outer_race"}
        begun = await plant.start_workflow(TROUBLE, given, ANN)
        await plant.decide((await question(plant, "choose")).id, True, ANN)
        await plant.decide((await question(plant, "repaired")).id, False, BOB, "no bearing there")
        run = await over(plant, begun.id)
        await eventually(lambda: speed_limit(plant) == 80, LONG_S)

    assert (run.state, states(run)["restore"]) == (RunState.COMPLETED, StepState.SKIPPED)


async def test_a_pump_that_still_stands_refuses_its_speed_and_the_question_comes_again(
    connected_settings: Settings,
):
    async with workshop(connected_settings) as plant:
        given = {"equipment": PUMP, "condition": "bearing_outer_race"}
        begun = await plant.start_workflow(TROUBLE, given, ANN)
        await plant.decide((await question(plant, "choose")).id, True, ANN)
        first = await question(plant, "repaired")
        await switch(plant, 0)
        await plant.decide(first.id, True, BOB)
        again = await question(plant, "repaired")
        await switch(plant, 1)
        await may_be(plant, LIMIT, 105)
        await plant.decide(again.id, True, BOB)
        run = await over(plant, begun.id)
        await eventually(lambda: speed_limit(plant) == 105, LONG_S)

    assert again.id == f"{first.id}.2"
    tries = [each for each in run.steps if each.step == "restore"]
    assert [each.state for each in tries] == [StepState.FAILED, StepState.DONE]
    assert "running" in tries[0].error
    assert run.state is RunState.COMPLETED


async def test_a_run_that_is_cancelled_gives_the_speed_back(connected_settings: Settings):
    async with workshop(connected_settings) as plant:
        given = {"equipment": PUMP, "condition": "bearing_outer_race"}
        begun = await plant.start_workflow(TROUBLE, given, ANN)
        await plant.decide((await question(plant, "choose")).id, True, ANN)
        await question(plant, "repaired")
        await plant.cancel_run(begun.id, ANN, "it was the wrong pump")
        run = await over(plant, begun.id)
        await eventually(lambda: speed_limit(plant) == 105, LONG_S)
        open_questions = await plant.workflows.approvals()

    reduce = next(each for each in run.steps if each.step == "reduce")
    assert (run.state, reduce.compensation) == (RunState.CANCELLED, "done")
    assert open_questions == []


async def test_the_shift_is_handed_over_when_it_changes(connected_settings: Settings):
    clock = WallClock()
    plant = Plant(connected_settings.model_copy(update={"agents": {}}), clock)
    agents = BacklogAgent, PlannerAgent, NotifierAgent
    await plant.start()
    try:
        async with at_work(plant, *agents, clock=clock):
            before = await plant.workflows.runs(workflow=HANDOVER)
            clock.set(CHANGE - timedelta(seconds=1))
            await eventually(lambda: plant.workflows.entry(HANDOVER).last is not None, LONG_S)
            (run,) = await plant.workflows.runs(workflow=HANDOVER)
            run = await over(plant, run.id)
    finally:
        await plant.stop()

    assert before == []
    assert (run.state, run.started_by.kind) == (RunState.COMPLETED, "schedule")
    assert run.input == {"start": "2031-06-02T04:00:00+00:00", "end": "2031-06-02T12:00:00+00:00"}
    assert CHANGE <= run.started_at <= CHANGE + timedelta(seconds=LONG_S)
    assert set(states(run).values()) == {StepState.DONE}

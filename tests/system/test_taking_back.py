"""What the taking back of steps does to the demo plant, with its real simulator and actuator."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from agents.actuator.agent import ActuatorAgent
from app.core.actor import Actor
from app.core.command import Command, CommandState
from app.core.reading import Quality
from app.core.run import RunState, StepRun, WorkflowRun
from app.plant import Plant
from app.settings import Settings
from tests.agents_at_work import at_work
from tests.processes import eventually
from tests.simulated_plant import simulated_plant

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

HVAC = "riverside/building/hall/hvac-801"
FAN, SETPOINT = f"{HVAC}/fan_speed", f"{HVAC}/temperature_setpoint"
LIMIT = "riverside/packaging/belts/conveyor-601/speed_limit"
ANN, BOB = Actor("ann", "ui"), Actor("bob", "ui")
LONG_S = 60.0
S = CommandState


def sets(tag: str, value: int, back_tag: str, back: object) -> str:
    """Return a workflow that sets a tag, asks a person, and fails if that one refuses."""
    return f"""
name = "demo"
[[steps]]
id = "slow"
do = "command"
timeout_s = 300
with = {{ tag = "{tag}", value = {value} }}
[steps.compensate]
do = "command"
timeout_s = 120
with = {{ tag = "{back_tag}", value = {back!r} }}
[[steps]]
id = "ask"
do = "approve"
needs = ["slow"]
with = {{ question = "Is it well?" }}
[[steps]]
id = "judge"
do = "wait"
needs = ["ask"]
with = {{ seconds = "${{0 if steps.ask.output.approved else -1}}" }}
"""


BEFORE = "${steps.slow.output.before}"


@asynccontextmanager
async def hall(settings: Settings) -> AsyncGenerator[Plant]:
    """The demo plant with its actuator, once it speaks."""
    async with simulated_plant(settings) as plant, at_work(plant, ActuatorAgent):
        tags = (FAN, SETPOINT, LIMIT)
        await eventually(lambda: all(shown(plant, tag) is not None for tag in tags), LONG_S)
        yield plant


def shown(plant: Plant, tag: str) -> float | None:
    reading = plant.tags.value(tag)
    return reading.value if reading and reading.quality is Quality.GOOD else None


async def shows(plant: Plant, tag: str, value: float) -> None:
    await eventually(lambda: shown(plant, tag) == value, LONG_S)


async def begun(plant: Plant, text: str) -> str:
    await plant.save_workflow("demo", text, ANN)
    return (await plant.start_workflow("demo", {}, ANN)).id


async def command(plant: Plant, name: str, *states: CommandState) -> Command:
    """Return a command once it is in one of some states."""
    async with asyncio.timeout(LONG_S):
        while True:
            found = [each for each in await plant.commands.find() if each.id == name]
            if found and found[0].state in states:
                return found[0]
            await plant.clock.sleep(0.05)


async def may_be(plant: Plant, tag: str, value: float) -> None:
    """Return once a tag may be changed again: some ask for seconds between two commands."""
    async with asyncio.timeout(LONG_S):
        while not all(each.ok for each in await plant.commands.checks(tag, value, ANN)):
            await plant.clock.sleep(0.2)


async def change(plant: Plant, who: Actor, value: float) -> None:
    """Set the limit by hand, and return once the plant shows it."""
    await may_be(plant, LIMIT, value)
    asked = await plant.commands.request(LIMIT, value, who, "by hand", confirmed=True)
    await command(plant, asked.id, S.VERIFIED)


async def question(plant: Plant) -> str:
    async with asyncio.timeout(LONG_S):
        while not (found := await plant.workflows.approvals()):
            await plant.clock.sleep(0.05)
    return found[0].id


async def over(plant: Plant, run_id: str) -> WorkflowRun:
    async with asyncio.timeout(LONG_S):
        await plant.workflows.engine.wait_for_end(run_id)
    return await plant.workflows.run(run_id)


def slow(run: WorkflowRun) -> StepRun:
    return next(each for each in run.steps if each.step == "slow")


async def test_what_was_never_sent_changes_nothing_when_its_run_is_cancelled(
    connected_settings: Settings,
):
    async with hall(connected_settings) as plant:
        before = shown(plant, SETPOINT)
        run_id = await begun(plant, sets(LIMIT, 77, SETPOINT, 17))
        await command(plant, f"{run_id}-slow", S.AWAITING_APPROVAL)
        await plant.cancel_run(run_id, ANN, "not now")
        run = await over(plant, run_id)
        asked = [each.id for each in await plant.commands.find()]
        after = shown(plant, SETPOINT)

    assert (run.state, run.reason) == (
        RunState.CANCELLED, "Cancelled by ann: not now",
    )  # fmt: skip
    assert slow(run).compensation == ""
    assert asked == [f"{run_id}-slow"]
    assert after == before


async def test_a_command_that_the_plant_has_followed_is_taken_back_when_its_run_is_cancelled(
    connected_settings: Settings,
):
    async with hall(connected_settings) as plant:
        before = shown(plant, FAN)
        run_id = await begun(plant, sets(FAN, 64, FAN, BEFORE))
        await command(plant, f"{run_id}-slow", S.DISPATCHED, S.ACKNOWLEDGED)
        await plant.cancel_run(run_id, ANN, "not now")
        run = await over(plant, run_id)
        assert before is not None
        await shows(plant, FAN, before)
        undo = (await plant.commands.find())[0]

    assert (run.state, slow(run).compensation) == (RunState.CANCELLED, "done")
    assert slow(run).output["before"] == before
    assert (undo.value, undo.state) == (before, S.VERIFIED)
    assert f"command {FAN} = 64 is" in slow(run).error


async def test_an_undo_gives_back_what_was_when_the_order_was_sent(connected_settings: Settings):
    async with hall(connected_settings) as plant:
        run_id = await begun(plant, sets(LIMIT, 60, LIMIT, BEFORE))
        await command(plant, f"{run_id}-slow", S.AWAITING_APPROVAL)
        await change(plant, BOB, 100)
        await may_be(plant, LIMIT, 60)
        await plant.commands.approve(f"{run_id}-slow", ANN, "slower")
        await plant.decide(await question(plant), False, ANN, "no")
        run = await over(plant, run_id)
        await shows(plant, LIMIT, 100)
        undo = (await plant.commands.find())[0]

    assert (run.state, slow(run).compensation) == (RunState.FAILED, "done")
    assert (undo.value, undo.approved_by) == (100, "compensation")


async def test_what_a_person_has_set_since_is_not_undone_without_a_persons_word(
    connected_settings: Settings,
):
    async with hall(connected_settings) as plant:
        run_id = await begun(plant, sets(LIMIT, 60, LIMIT, BEFORE))
        await command(plant, f"{run_id}-slow", S.AWAITING_APPROVAL)
        await plant.commands.approve(f"{run_id}-slow", ANN, "slower")
        asked = await question(plant)
        await change(plant, BOB, 90)
        await may_be(plant, LIMIT, 100)
        await plant.decide(asked, False, ANN, "no")
        waiting = await command(
            plant, f"{run_id}-slow-undo", S.AWAITING_APPROVAL, S.DISPATCHED, S.REJECTED
        )
        still = shown(plant, LIMIT)

    assert (waiting.state, waiting.approved_by) == (S.AWAITING_APPROVAL, "")
    assert still == 90

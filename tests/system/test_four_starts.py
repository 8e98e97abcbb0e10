"""One workflow started over MQTT, REST, the command line and as by a click: the same run."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.api.mount import api
from app.cli.workflow import main
from app.clock import SystemClock
from app.core.actor import Actor
from app.core.command import Command
from app.core.reading import Quality
from app.core.run import RunState, StepState, WorkflowRun
from app.plant import Plant
from app.settings import AgentSettings, DemoSettings, Settings
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.quiet_zone import quiet_zone
from tests.serving import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NAME = "smart_home_automation"
HVAC = "riverside/building/hall/hvac-801"
SET_POINT = f"{HVAC}/temperature_setpoint"
AGENTS = ("simulator", "actuator", "notifier")
WISH: dict[str, Any] = {"target_temperature": 22, "occupied": True, "tolerance": 3}
SEED = {"workflow_name": NAME, "parameters": WISH}
WAIT_S = 90.0


@asynccontextmanager
async def demo(connected: Settings) -> AsyncGenerator[tuple[Plant, int]]:
    """Run the plant with its agents as processes and its API; yields the API's port."""
    agents = {name: AgentSettings() for name in AGENTS}
    site = connected.site.model_copy(update={"timezone": quiet_zone()})
    wanted = {"agents": agents, "demo": DemoSettings(enabled=True), "site": site}
    plant = Plant(connected.model_copy(update=wanted), SystemClock())
    await plant.start()
    try:
        async with serving(api(plant)) as port:
            await eventually(lambda: is_ready(plant), WAIT_S)
            yield plant, port
    finally:
        await plant.stop()


def is_ready(plant: Plant) -> bool:
    reading = plant.tags.value(f"{HVAC}/room_temperature")
    capable = all(plant.registry.capable(each) for each in ("act", "write_tag", "notify"))
    return capable and reading is not None and reading.quality is Quality.GOOD


async def only_run(plant: Plant, kind: str) -> str:
    """Wait for the run that was started this way, and return its id."""
    found: list[str] = []

    async with asyncio.timeout(WAIT_S):
        while not found:
            runs = await plant.workflows.runs(workflow=NAME)
            found = [each.id for each in runs if each.started_by.kind == kind]
            await plant.clock.sleep(0.1)
    return found[0]


async def sent(plant: Plant, value: float) -> Command:
    """Wait until the set point is ordered to be `value`, and return the order."""
    found: list[Command] = []
    async with asyncio.timeout(WAIT_S):
        while not found:
            orders = await plant.commands.find(tag=SET_POINT)
            found = [each for each in orders if each.value == value and each.sent_at]
            await plant.clock.sleep(0.05)
    return found[0]


def shows(plant: Plant, value: float) -> bool:
    reading = plant.tags.value(SET_POINT)
    return reading is not None and reading.value == value


async def wish(plant: Plant, *targets: float, tolerance: float = 3) -> list[str]:
    """Wish for temperatures over MQTT, one right after the other; return the runs they start."""
    broker = urlsplit(plant.settings.broker.url).port
    assert broker
    with peer(broker, "mosquitto-pub") as publisher:
        await publisher.connected()
        for target in targets:
            given = {**WISH, "target_temperature": target, "tolerance": tolerance}
            message = {"workflow_name": NAME, "parameters": given}
            await publisher.publish("orchestrator/workflow/trigger", json.dumps(message).encode())
    async with asyncio.timeout(WAIT_S):
        while not (found := await by_target(plant)).keys() >= set(targets):
            await plant.clock.sleep(0.05)
    return [found[target] for target in targets]


async def by_target(plant: Plant) -> dict[float, str]:
    """Return all runs by what is wished."""
    runs = await plant.workflows.runs(workflow=NAME)
    return {each.input["target_temperature"]: each.id for each in runs}


async def by_mqtt(plant: Plant, port: int) -> str:
    broker = urlsplit(plant.settings.broker.url).port
    assert broker
    with peer(broker, "mosquitto-pub") as publisher:
        await publisher.connected()
        await publisher.publish("orchestrator/workflow/trigger", json.dumps(SEED).encode())
        return await only_run(plant, "mqtt")


async def by_rest(plant: Plant, port: int) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        answer = await client.post(f"/api/workflows/{NAME}/runs", json={"input": WISH})
    assert answer.status_code == 201
    return await only_run(plant, "http")


async def by_command_line(plant: Plant, port: int) -> str:
    given = [f"-p{name}={json.dumps(value)}" for name, value in WISH.items()]
    assert await asyncio.to_thread(main, ["run", NAME, *given, "--port", str(port)]) == 0
    return await only_run(plant, "cli")


async def by_click(plant: Plant, port: int) -> str:
    """Start it by the call that the button makes; tests/browser/test_work.py clicks it."""
    return (await plant.start_workflow(NAME, WISH, Actor("operator", "ui"))).id


def essence(run: WorkflowRun) -> tuple[object, ...]:
    """Return what must not depend on the way a run was started."""
    steps = [(each.step, each.round, each.state.value, each.agent) for each in run.steps]
    return run.version, run.input, run.state.value, run.reason, steps


async def test_every_way_to_start_it_gives_the_same_run(connected_settings: Settings):
    runs: list[WorkflowRun] = []
    async with demo(connected_settings) as (plant, port):
        for way in (by_mqtt, by_rest, by_command_line, by_click):
            run_id = await way(plant, port)
            async with asyncio.timeout(WAIT_S):
                await plant.workflows.engine.wait_for_end(run_id)
            runs.append(await plant.workflows.run(run_id))

    first, *others = [essence(each) for each in runs]
    assert others == [first] * 3
    assert [each.started_by.kind for each in runs] == ["mqtt", "http", "cli", "click"]
    assert runs[0].state == "completed"
    assert runs[0].input == {"unit": HVAC, **WISH}


async def test_the_newer_wish_wins_just_after_the_older_one_was_sent(
    connected_settings: Settings,
):
    async with demo(connected_settings) as (plant, _):
        (first,) = await wish(plant, 24, tolerance=0.2)  # the room is there after minutes
        await sent(plant, 24)  # 2 s must lie between this order and the next
        (second,) = await wish(plant, 19)
        await sent(plant, 19)
        await eventually(lambda: shows(plant, 19), WAIT_S)
        async with asyncio.timeout(WAIT_S):
            await plant.workflows.engine.wait_for_end(second)
        newer, older = [await plant.workflows.run(each) for each in (second, first)]

    set_point = [each.state for each in newer.steps if each.step == "set_point"]
    assert (older.state, older.reason) == (RunState.CANCELLED, f"Run {second} replaces it")
    assert (set_point[-1], newer.state) == (StepState.DONE, RunState.COMPLETED)


async def test_of_three_wishes_within_a_second_the_last_is_the_only_one_sent(
    connected_settings: Settings,
):
    async with demo(connected_settings) as (plant, _):
        runs = await wish(plant, 24, 20, 19)
        await sent(plant, 19)
        await eventually(lambda: shows(plant, 19), WAIT_S)
        orders = await plant.commands.find(tag=SET_POINT)
        states = [(await plant.workflows.run(run)).state for run in runs]

    assert [each.value for each in orders] == [19.0]
    assert states[:2] == [RunState.CANCELLED] * 2
    assert states[2] is not RunState.FAILED


async def test_what_is_wrong_starts_nothing_by_any_way(connected_settings: Settings):
    wrong = {"workflow_name": NAME, "parameters": {"target_temperature": 99}}
    async with demo(connected_settings) as (plant, port):
        broker = urlsplit(connected_settings.broker.url).port
        assert broker
        with peer(broker, "mosquitto-pub") as publisher:
            await publisher.connected()
            await publisher.publish("orchestrator/workflow/trigger", json.dumps(wrong).encode())
            await eventually(lambda: plant.dead_letters.total == 1)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            path = f"/api/workflows/{NAME}/runs"
            answer = await client.post(path, json={"input": wrong["parameters"]})
            letters = (await client.get("/api/deadletters")).json()
        started = await plant.workflows.runs()

    assert answer.status_code == 422
    assert "target_temperature" in letters["items"][0]["reason"]
    assert started == []

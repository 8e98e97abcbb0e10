"""`millwright scenario` against a real broker, with and without a simulator."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from agents.simulator.agent import SimulatorAgent
from app.cli.scenario import main
from app.clock import SystemClock
from app.core.errors import BusError, InputError, NotFoundError
from app.settings import Settings

PUMP = "riverside/utilities/cooling/pump-101"


@asynccontextmanager
async def simulator(settings: Settings) -> AsyncGenerator[None]:
    stopping = asyncio.Event()
    agent = SimulatorAgent(settings, SystemClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.serve(stopping))
        try:
            await agent.bus.wait_connected(10)
            yield
        finally:
            stopping.set()


async def command(settings: Settings, *words: str) -> int:
    return await asyncio.to_thread(main, [*words, "--broker", settings.broker.url])


async def test_a_scenario_is_started_listed_and_stopped(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulator(connected_settings):
        assert (
            await command(connected_settings, "start", PUMP, "imbalance", "--severity", "0.4") == 0
        )
        assert capsys.readouterr().out == f"Started imbalance on {PUMP}, severity 0.4\n"
        assert await command(connected_settings, "list") == 0
        listed = capsys.readouterr().out
        assert f"{PUMP}  Cooling pump P-101\n    bearing_outer_race" in listed
        assert f"Running:\n  imbalance on {PUMP}, severity 0.4, since " in listed
        assert await command(connected_settings, "stop", PUMP) == 0
        assert capsys.readouterr().out == f"Stopped imbalance on {PUMP}, severity 0.4\n"


async def test_json_is_what_the_simulator_answered(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulator(connected_settings):
        words = ("start", PUMP, "sensor_stuck", "--tag", "flow", "--json")
        assert await command(connected_settings, *words) == 0
        answer = json.loads(capsys.readouterr().out)
        await command(connected_settings, "stop", PUMP, "sensor_stuck")
    assert (answer["scenario"], answer["tag"]) == ("sensor_stuck", PUMP + "/flow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", PUMP, "fire"), "scenario:"),
        (("start", "pump-101", "imbalance"), "equipment:"),
        (("start", PUMP, "imbalance", "--severity", "7"), "severity:"),
        (("start", PUMP, "imbalance", "--severity", "nan"), "severity"),
        (("start", PUMP, "imbalance", "--tag", "flow"), "tag:"),
        (("stop", PUMP), "No scenario is running"),
        (("stop", PUMP, "imbalance"), "is not running"),
    ],
)
async def test_a_refusal_says_what_is_wrong(
    connected_settings: Settings, words: tuple[str, ...], said: str
) -> None:
    async with simulator(connected_settings):
        with pytest.raises(InputError, match=said):
            await command(connected_settings, *words)


async def test_without_a_simulator_it_says_how_to_get_one(connected_settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="No simulator") as caught:
        await command(connected_settings, "list")
    assert "millwright agent simulator" in caught.value.hint


async def test_without_a_broker_it_says_so(settings: Settings) -> None:
    nobody = f"mqtt://127.0.0.1:{settings.broker.port}"
    with pytest.raises(BusError, match="is not connected"):
        await asyncio.to_thread(main, ["list", "--broker", nobody])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["start"],
        ["start", PUMP],
        ["stop"],
        ["begin", PUMP],
        ["start", PUMP, "x", "--severity", "much"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: millwright scenario" in capsys.readouterr().err

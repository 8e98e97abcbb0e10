"""`millwright scenario` against the running app, with and without a simulator."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from app.api.mount import api
from app.cli.scenario import main
from app.core.errors import ConflictError, NotFoundError
from app.plant import Plant
from app.settings import Settings
from tests.ports import free_port
from tests.serving import serving
from tests.simulated_plant import PUMP, bare_plant, simulated_plant


@asynccontextmanager
async def simulator(settings: Settings) -> AsyncGenerator[tuple[int, Plant]]:
    """Serve a plant with a simulator; yields its port."""
    async with simulated_plant(settings) as plant, serving(api(plant)) as port:
        yield port, plant


async def command(port: int, *words: str) -> int:
    return await asyncio.to_thread(main, [*words, "--port", str(port)])


async def test_a_scenario_is_started_listed_and_stopped(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulator(connected_settings) as (port, _):
        assert await command(port, "start", PUMP, "imbalance", "--severity", "0.4") == 0
        assert capsys.readouterr().out == f"Started imbalance on {PUMP}, severity 0.4\n"
        assert await command(port, "list") == 0
        listed = capsys.readouterr().out
        assert f"{PUMP}  Cooling pump P-101\n    bearing_outer_race" in listed
        assert f"Running:\n  imbalance on {PUMP}, severity 0.4, since " in listed
        assert await command(port, "stop", PUMP) == 0
        assert capsys.readouterr().out == f"Stopped imbalance on {PUMP}, severity 0.4\n"


async def test_what_it_does_is_journalled_as_done_from_the_command_line(
    connected_settings: Settings,
) -> None:
    async with simulator(connected_settings) as (port, plant):
        await command(port, "start", PUMP, "imbalance")
        await command(port, "stop", PUMP, "imbalance")
        rows = plant.audit_rows(2)
    assert [(row.action, row.source) for row in rows] == [
        ("stop scenario", "cli"),
        ("start scenario", "cli"),
    ]


async def test_json_is_what_the_simulator_answered(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with simulator(connected_settings) as (port, _):
        assert await command(port, "start", PUMP, "sensor_stuck", "--tag", "flow", "--json") == 0
        answer = json.loads(capsys.readouterr().out)
    assert (answer["scenario"], answer["tag"]) == ("sensor_stuck", PUMP + "/flow")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", PUMP, "fire"), "scenario:"),
        (("start", "pump-101", "imbalance"), "equipment:"),
        (("start", PUMP, "imbalance", "--tag", "flow"), "tag:"),
        (("stop", PUMP), "No scenario is running"),
        (("stop", PUMP, "imbalance"), "is not running"),
    ],
)
async def test_a_refusal_says_what_is_wrong(
    connected_settings: Settings, words: tuple[str, ...], said: str
) -> None:
    async with simulator(connected_settings) as (port, _):
        with pytest.raises(ConflictError, match=said):
            await command(port, *words)


async def test_without_a_simulator_it_says_how_to_get_one(connected_settings: Settings) -> None:
    async with bare_plant(connected_settings) as plant, serving(api(plant)) as port:
        with pytest.raises(ConflictError, match="simulator") as caught:
            await command(port, "list")
    assert "Agents page" in caught.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_the_app_it_says_how_to_start_it(host: str) -> None:
    with pytest.raises(NotFoundError, match="does not answer at http://") as caught:
        main(["list", "--host", host, "--port", str(free_port())])
    assert "uv run millwright" in caught.value.hint


async def test_another_server_on_that_port_is_not_taken_for_the_app() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", family=socket.AF_INET)
    async with server:
        with pytest.raises(NotFoundError, match="is not the app"):
            await command(server.sockets[0].getsockname()[1], "list")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["start"],
        ["start", PUMP],
        ["stop"],
        ["begin", PUMP],
        ["start", PUMP, "x", "--severity", "much"],
        ["start", PUMP, "x", "--severity", "7"],
        ["start", PUMP, "x", "--severity", "nan"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1

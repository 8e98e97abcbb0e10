"""`millwright health` against a running app, and where there is none."""

import asyncio
import json

import pytest

from app.__main__ import main
from app.api.mount import api
from app.cli.app_client import app_url
from app.core.health import Health
from app.settings import ServerSettings, Settings
from tests.ports import free_port
from tests.processes import eventually
from tests.serving import serving
from tests.simulated_plant import bare_plant


async def health(settings: Settings, *options: str) -> int:
    async with bare_plant(settings) as plant, serving(api(plant)) as port:
        await plant.bus.wait_connected(10)
        return await asyncio.to_thread(main, ["health", "--port", str(port), *options])


async def test_every_component_has_a_line(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    assert await health(connected_settings) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"Bus", "Historian", "Audit"} <= {line.split()[0] for line in lines}


async def test_json_has_the_worst_state_and_every_component(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    assert await health(connected_settings, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"status", "components"}
    assert "Bus" in {component["name"] for component in told["components"]}


async def test_a_failed_component_is_exit_1(settings: Settings, capsys: pytest.CaptureFixture[str]):
    nobody = settings.broker.model_copy(update={"url": f"mqtt://127.0.0.1:{free_port()}"})
    plant = bare_plant(settings.model_copy(update={"broker": nobody}))
    async with plant as running, serving(api(running)) as port:
        await eventually(lambda: running.bus.status.state is Health.FAILED)
        assert await asyncio.to_thread(main, ["health", "--port", str(port)]) == 1
    assert "failed" in capsys.readouterr().out


def test_an_app_that_does_not_run_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str]):
    assert main(["health", "--port", str(free_port())]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert ": Connection refused; start it with: uv run millwright" in told.err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("::1", "http://[::1]:9000"),
        ("127.0.0.1", "http://127.0.0.1:9000"),
        ("localhost", "http://localhost:9000"),
    ],
)
def test_an_ipv6_address_stands_in_brackets(host: str, url: str):
    assert app_url(Settings(server=ServerSettings(host=host, port=9000))) == url

"""`millwright command` and `millwright commands` against an app with a gateway."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from app.api import commands, errors
from app.cli.command import main
from app.cli.commands import main as main_of_list
from app.core.command import CommandState
from app.core.errors import ConflictError, NotFoundError
from app.settings import Settings
from tests.ports import free_port
from tests.processes import eventually
from tests.serving import serving
from tests.unit.commands.rig import FREE, MEASURED, SPEED, Rig, acting, online


@asynccontextmanager
async def served(settings: Settings) -> AsyncGenerator[tuple[int, Rig]]:
    """Serve a gateway; yields its port."""
    api = FastAPI()
    errors.install(api)
    async with online(settings) as rig:
        api.include_router(commands.router(Beside(rig)))
        async with serving(api) as port:
            yield port, rig


class Beside:
    """What the routes need of a plant."""

    def __init__(self, rig: Rig) -> None:
        self.commands = rig.gateway
        self.settings = rig.settings


async def ask(port: int, *words: str) -> int:
    return await asyncio.to_thread(main, [*words, "--why", "too hot", "--port", str(port)])


async def listed(port: int, *words: str) -> int:
    return await asyncio.to_thread(main_of_list, ["list", *words, "--port", str(port)])


async def test_a_command_that_is_waited_for_ends_with_0_when_the_plant_shows_it(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(connected_settings) as (port, rig), acting(rig):
        waiting = asyncio.create_task(ask(port, FREE, "1", "--wait", "30", "--json"))
        await eventually(lambda: rig.told)
        await rig.settled(rig.told[0], CommandState.VERIFIED)
        code = await waiting
    told = json.loads(capsys.readouterr().out)

    assert (code, told["state"], told["source"]) == (0, "verified", "cli")


async def test_one_that_does_not_end_in_time_ends_with_1(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(connected_settings) as (port, _):
        code = await ask(port, SPEED, "900", "--wait", "0.1")

    assert code == 1
    assert f"{SPEED} = 900 1/min  awaiting_approval" in capsys.readouterr().out


async def test_one_that_is_confirmed_waits_for_nobody(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(connected_settings) as (port, _):
        assert await ask(port, SPEED, "900", "--confirm") == 0

    assert "requested: No actuator is alive" in capsys.readouterr().out


async def test_one_that_fails_a_check_is_refused_with_the_reason(connected_settings: Settings):
    async with served(connected_settings) as (port, _):
        with pytest.raises(ConflictError, match="nobody may change it"):
            await ask(port, MEASURED, "1")


async def test_the_list_tells_state_and_who_asked(
    connected_settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(connected_settings) as (port, _):
        await ask(port, SPEED, "900")
        capsys.readouterr()
        assert await listed(port, "--state", "awaiting_approval") == 0
        of_tag = capsys.readouterr().out
        assert await listed(port, "--state", "verified") == 0
        nothing = capsys.readouterr().out

    assert "awaiting_approval" in of_tag
    assert "by operator" in of_tag
    assert nothing == "No commands\n"


async def test_without_an_app_it_says_so():
    with pytest.raises(NotFoundError, match="does not answer"):
        await listed(free_port())

"""A room whose steps ask a real gateway for commands; it reaches no broker."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.settings import Settings
from tests.unit.commands.rig import Rig, offline
from tests.unit.workflow.approval_room import Room, life


@pytest.fixture
async def rig(settings: Settings) -> AsyncGenerator[Rig]:
    async with offline(settings, SystemClock()) as made:
        yield made


@pytest.fixture
async def room(rig: Rig, tmp_path: Path) -> AsyncGenerator[Room]:
    async with life(tmp_path, commands=rig.gateway) as made:
        yield made

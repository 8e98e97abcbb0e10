"""Whose wish a command of a run is, and whose word counts for it, at a real gateway."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.core.command import Command, CommandState
from app.core.errors import ConflictError
from app.core.run import RunState
from app.core.workflow import ActionKind, Step, Workflow
from app.settings import Settings
from tests.processes import eventually
from tests.unit.commands.rig import ANN, BOB, SPEED, TWO, Rig, offline
from tests.unit.workflow.approval_room import Room, life


@pytest.fixture
async def rig(settings: Settings) -> AsyncGenerator[Rig]:
    async with offline(settings, SystemClock()) as made:
        yield made


@pytest.fixture
async def room(rig: Rig, tmp_path: Path) -> AsyncGenerator[Room]:
    async with life(tmp_path, commands=rig.gateway) as made:
        yield made


def sets(tag: str) -> Workflow:
    given = {"tag": tag, "value": 2}
    return Workflow("demo", (Step("set", ActionKind.COMMAND, with_=given),))


async def asked(rig: Rig, room: Room, run_id: str) -> Command:
    """Return the command of a run once it waits for a person."""
    wanted = (f"{run_id}-set", CommandState.AWAITING_APPROVAL)
    await eventually(lambda: wanted in {(each.id, each.state) for each in rig.told})
    return await rig.gateway.get(f"{run_id}-set")


async def test_who_started_the_run_asks_for_its_commands(rig: Rig, room: Room):
    command = await asked(rig, room, await room.begin(sets(TWO)))

    assert command.requested_by == "ann"
    with pytest.raises(ConflictError, match="another person must approve it"):
        await rig.gateway.approve(command.id, ANN)


async def test_who_repeats_a_run_is_the_one_that_asks_and_no_second_person(rig: Rig, room: Room):
    first = await asked(rig, room, await room.begin(sets(TWO)))
    await rig.gateway.reject(first.id, BOB, "not now")
    old = first.id.removesuffix("-set")
    assert (await room.ended(old)).state is RunState.FAILED
    again = await room.repair.retry(old, ANN, "once more")
    command = await asked(rig, room, again.id)

    assert command.requested_by == "ann"
    with pytest.raises(ConflictError, match="another person must approve it"):
        await rig.gateway.approve(command.id, ANN)
    assert (await rig.gateway.approve(command.id, BOB)).approved_by == "bob"


async def test_a_command_of_a_run_waits_for_a_person_where_its_tag_asks_for_one(
    rig: Rig, room: Room
):
    command = await asked(rig, room, await room.begin(sets(SPEED)))

    assert (command.approved_by, command.source) == ("", "workflow")

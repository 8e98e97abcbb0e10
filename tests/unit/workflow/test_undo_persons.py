"""Taking back what two persons had to agree to needs two persons as well."""

from pathlib import Path

import pytest

from app.core.command import Command, CommandState
from app.core.errors import ConflictError
from app.core.run import StartedBy
from app.core.workflow import ActionKind, Step, Undo, Workflow
from app.settings import Settings
from tests.unit.commands.rig import ANN, BOB, TWO, Rig, acting, online
from tests.unit.workflow.approval_room import life

HEARD = StartedBy("mqtt", "system", {"topic": "aud/go"})


def changes_and_fails() -> Workflow:
    undo = Undo(ActionKind.COMMAND, {"tag": TWO, "value": "${steps.set.output.before}"})
    given = {"tag": TWO, "value": 2}
    ask = Step("ask", ActionKind.APPROVE, with_={"question": "Change?"})
    change = Step("set", ActionKind.COMMAND, with_=given, needs=("ask",), compensate=undo)
    fail = Step("fail", ActionKind.WAIT, with_={"seconds": "${1 / 0}"}, needs=("set",))
    return Workflow("demo", (ask, change, fail))


async def waiting(rig: Rig, command_id: str) -> Command:
    """Return a command once it waits for a person."""
    return await rig.came(command_id, CommandState.AWAITING_APPROVAL)


async def test_who_agreed_to_a_change_is_not_alone_in_taking_it_back(
    connected_settings: Settings, tmp_path: Path
):
    async with (
        online(connected_settings) as rig,
        acting(rig),
        life(tmp_path, commands=rig.gateway) as room,
    ):
        run_id = await room.begin(changes_and_fails(), by=HEARD)
        await room.waits(run_id)
        await room.decide(f"{run_id}:ask", who=BOB)
        change = await waiting(rig, f"{run_id}-set")
        await rig.gateway.approve(change.id, ANN)
        await rig.settled(change, CommandState.VERIFIED)
        undo = await waiting(rig, f"{run_id}-set-undo")

        assert (undo.requested_by, undo.value) == ("bob", 1.0)
        with pytest.raises(ConflictError, match="another person must approve it"):
            await rig.gateway.approve(undo.id, BOB)
        await rig.gateway.approve(undo.id, ANN)
        ended = await rig.settled(undo, CommandState.VERIFIED)

    assert (ended.requested_by, ended.approved_by) == ("bob", "ann")

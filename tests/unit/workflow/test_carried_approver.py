"""An agreement of an earlier run should not count for a command of the run that repeats it."""

from pathlib import Path

from app.clock import SystemClock
from app.core.command import CommandState
from app.core.run import RunState
from app.core.workflow import ActionKind, Step, Workflow
from app.settings import Settings
from tests.unit.commands.rig import ANN, BOB, LOCKED, SPEED, offline
from tests.unit.workflow.approval_room import life


async def test_an_agreement_of_the_run_before_does_not_count_for_a_command_of_the_next(
    settings: Settings, tmp_path: Path
):
    ask = Step("ask", ActionKind.APPROVE, with_={"question": "Slower?"})
    slow = Step("set", ActionKind.COMMAND, needs=("ask",), with_={"tag": SPEED, "value": 900})
    async with (
        offline(settings, SystemClock()) as rig,
        life(tmp_path, commands=rig.gateway) as room,
    ):
        rig.plant.show(LOCKED, 1.0)
        old = await room.asked(Workflow("demo", (ask, slow)))
        await room.decide(f"{old}:ask", who=BOB)
        assert (await room.ended(old)).state is RunState.FAILED
        rig.plant.show(LOCKED, 0.0)
        again = await room.repair.retry(old, ANN, "the lock is off", step="set")
        command = await rig.came(f"{again.id}-set", CommandState.AWAITING_APPROVAL)

    assert (command.state, command.approved_by) == (CommandState.AWAITING_APPROVAL, "")

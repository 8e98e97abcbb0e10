"""A command stands under the name of who agreed last before it, not of just any ancestor."""

from pathlib import Path

from app.clock import SystemClock
from app.core.actor import Actor, Role
from app.core.workflow import ActionKind, Step, Workflow
from app.settings import Settings
from app.workflow.runner import Runner
from tests.processes import eventually
from tests.unit.commands.rig import SPEED, offline
from tests.unit.workflow.approval_room import life

PERSONS = ("ann", "bob", "carl", "dora", "emil", "fay")


def waits_in(runner: Runner | None, step: str) -> bool:
    steps = runner.steps if runner else ()
    return any(each.step == step and each.waiting_for for each in steps)


async def test_who_agreed_last_before_a_command_is_the_one_that_agreed_to_it(
    settings: Settings, tmp_path: Path
):
    asks = [
        Step(f"ask_{who}", ActionKind.APPROVE, with_={"question": f"{who}?"}) for who in PERSONS
    ]
    chain = [
        Step(each.id, each.do, needs=(asks[place - 1].id,) if place else (), with_=each.with_)
        for place, each in enumerate(asks)
    ]
    given = {"tag": SPEED, "value": 900}
    last = Step("set", ActionKind.COMMAND, needs=(chain[-1].id,), with_=given)
    async with (
        offline(settings, SystemClock()) as rig,
        life(tmp_path, commands=rig.gateway) as room,
    ):
        run_id = await room.begin(Workflow("demo", (*chain, last)))
        for who in PERSONS:
            await eventually(lambda who=who: waits_in(room.engine.live(run_id), f"ask_{who}"))
            await room.decide(f"{run_id}:ask_{who}", who=Actor(who, "ui", Role.OPERATOR))
        await eventually(lambda: any(each.id == f"{run_id}-set" for each in rig.told))
        command = await rig.gateway.get(f"{run_id}-set")

    assert command.approved_by == "fay"

"""Whose wish a command of a run is, and whose word counts for it, at a real gateway."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.commands.gateway import CommandGateway
from app.core.actor import Actor, Role
from app.core.command import Command, CommandState
from app.core.errors import ConflictError, StoreError
from app.core.run import RunState, StartedBy, StepState
from app.core.workflow import ActionKind, Step, Undo, Workflow
from app.core.write_rule import Confirm, WriteRule
from tests.processes import eventually
from tests.unit.commands.rig import ANN, BOB, CHIEF, SPEED, TWO, Rig, pump
from tests.unit.workflow.approval_room import Room, life
from tests.unit.workflow.command_room import rig as rig  # noqa: PLC0414  a fixture of these tests
from tests.unit.workflow.command_room import room as room  # noqa: PLC0414  a fixture of these tests


def sets(tag: str) -> Workflow:
    given = {"tag": tag, "value": 2}
    return Workflow("demo", (Step("set", ActionKind.COMMAND, with_=given),))


async def asked(rig: Rig, room: Room, run_id: str) -> Command:
    """Return the command of a run once it waits for a person."""
    return await rig.came(f"{run_id}-set", CommandState.AWAITING_APPROVAL)


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


HEARD = StartedBy("mqtt", "system", {"topic": "aud/go"})


def asks_first(tag: str) -> Workflow:
    given = {"tag": tag, "value": 2}
    ask = Step("ask", ActionKind.APPROVE, with_={"question": "Slower?"})
    return Workflow("demo", (ask, Step("set", ActionKind.COMMAND, with_=given, needs=("ask",))))


async def test_of_a_run_that_a_message_began_who_agreed_in_it_is_no_second_person(
    rig: Rig, room: Room
):
    run_id = await room.begin(asks_first(TWO), by=HEARD)
    await room.waits(run_id)
    await room.decide(f"{run_id}:ask", who=BOB)
    command = await asked(rig, room, run_id)

    assert command.requested_by == "bob"
    with pytest.raises(ConflictError, match="another person must approve it"):
        await rig.gateway.approve(command.id, BOB)
    assert (await rig.gateway.approve(command.id, ANN)).approved_by == "ann"


@pytest.mark.parametrize("by", [HEARD, StartedBy("mqtt", "mqtt"), StartedBy("alarm", "system")])
async def test_where_no_person_stands_behind_a_run_its_workflow_asks(
    rig: Rig, room: Room, by: StartedBy
):
    command = await asked(rig, room, await room.begin(sets(TWO), by=by))

    assert command.requested_by == "workflow demo"


async def test_who_started_a_run_asks_for_the_commands_of_the_runs_within_it(rig: Rig, room: Room):
    room.library["demo"] = sets(TWO)
    call = Step("call", ActionKind.WORKFLOW, with_={"name": "demo"})
    run_id = await room.begin(Workflow("mum", (call,)))
    command = await asked(rig, room, f"{run_id}-call")

    assert command.requested_by == "ann"
    with pytest.raises(ConflictError, match="another person must approve it"):
        await rig.gateway.approve(command.id, ANN)


async def test_who_agreed_in_a_run_asks_for_the_commands_of_the_runs_within_it(
    rig: Rig, room: Room
):
    room.library["demo"] = sets(TWO)
    ask = Step("ask", ActionKind.APPROVE, with_={"question": "Slower?"})
    call = Step("call", ActionKind.WORKFLOW, with_={"name": "demo"}, needs=("ask",))
    run_id = await room.begin(Workflow("mum", (ask, call)), by=HEARD)
    await room.waits(run_id)
    await room.decide(f"{run_id}:ask", who=BOB)

    assert (await asked(rig, room, f"{run_id}-call")).requested_by == "bob"


async def test_taking_back_what_was_no_command_needs_a_person_where_the_tag_asks_for_one(
    rig: Rig, room: Room
):
    undo = Undo(ActionKind.COMMAND, {"tag": SPEED, "value": 2})
    steps = (
        Step("say", ActionKind.WAIT, with_={"seconds": 0}, compensate=undo),
        Step("set", ActionKind.WAIT, with_={"seconds": "${1 / 0}"}, needs=("say",)),
    )
    run_id = await room.begin(Workflow("demo", steps), by=HEARD)
    command = await rig.came(f"{run_id}-say-undo", CommandState.AWAITING_APPROVAL)

    assert (command.approved_by, command.requested_by) == ("", "workflow demo")
    live = room.engine.live(run_id)
    assert live
    await eventually(lambda: live.run.reason == f"taking say back: a person: {SPEED} = 2")


def undone_by(value: float) -> Workflow:
    undo = Undo(ActionKind.COMMAND, {"tag": SPEED, "value": value}, timeout_s=60)
    say = Step("say", ActionKind.WAIT, with_={"seconds": 0}, compensate=undo)
    fail = Step("set", ActionKind.WAIT, with_={"seconds": "${1 / 0}"}, needs=("say",))
    return Workflow("demo", (say, fail))


async def test_an_undo_that_a_person_rejects_is_not_asked_for_again(rig: Rig, room: Room):
    run_id = await room.begin(undone_by(2), by=HEARD)
    command = await rig.came(f"{run_id}-say-undo", CommandState.AWAITING_APPROVAL)
    await rig.gateway.reject(command.id, BOB, "it is repaired")
    async with asyncio.timeout(30):  # the undo may take 60 s
        ended = await room.engine.wait_for_end(run_id)

    assert ended.state is RunState.FAILED
    assert ended.reason.endswith("Not taken back: say")
    assert [each.id for each in await rig.gateway.find()] == [command.id]


async def test_an_undo_against_the_rule_of_its_tag_is_not_asked_for_again(rig: Rig, room: Room):
    run_id = await room.begin(undone_by(1e6), by=HEARD)
    async with asyncio.timeout(30):  # the undo may take 60 s
        ended = await room.engine.wait_for_end(run_id)

    assert ended.state is RunState.FAILED
    assert ended.reason.endswith("Not taken back: say")
    assert [each.id for each in await rig.gateway.find()] == [f"{run_id}-say-undo"]


async def test_a_cancelled_run_withdraws_a_command_whatever_role_its_tag_asks_for(
    rig: Rig, room: Room
):
    ruled = [
        msgspec.structs.replace(tag, write=WriteRule(role=Role.SUPERVISOR, confirm=Confirm.SELF))
        if tag.path == SPEED
        else tag
        for tag in pump().tags
    ]
    rig.tags.declare(msgspec.structs.replace(pump(), tags=tuple(ruled)))
    run_id = await room.begin(sets(SPEED), role="supervisor")
    command = await asked(rig, room, run_id)
    await room.engine.cancel(run_id, "no longer needed")
    await room.ended(run_id)

    left = await rig.gateway.get(command.id)
    assert (left.state, left.reason) == (
        CommandState.REJECTED,
        "system rejected it: Its run was cancelled",
    )
    with pytest.raises(ConflictError, match="waits for no approval"):
        await rig.gateway.approve(command.id, CHIEF)


async def test_a_command_that_waits_is_withdrawn_when_its_run_is_cancelled_while_the_app_is_down(
    rig: Rig, tmp_path: Path
):
    async with life(tmp_path, commands=rig.gateway) as room:
        run_id = await room.begin(sets(TWO))
        command = await asked(rig, room, run_id)
        await room.store.ask_cancel(run_id, "no longer needed")
    async with life(tmp_path, commands=rig.gateway) as room:
        await room.ended(run_id)

    assert (await rig.gateway.get(command.id)).state is CommandState.REJECTED


class Hindered:
    """A gateway that takes its time to keep a command, and fails to reject a number of times."""

    def __init__(self, gateway: CommandGateway, failures: int = 0) -> None:
        self._gateway = gateway
        self.failures = failures
        self.is_asked = asyncio.Event()
        self.may_go = asyncio.Event()

    async def request(self, tag: str, value: float, actor: Actor, why: str, **more: Any) -> Command:
        self.is_asked.set()
        await self.may_go.wait()
        return await self._gateway.request(tag, value, actor, why, **more)

    async def get(self, command_id: str) -> Command:
        return await self._gateway.get(command_id)

    async def is_refused_for_good(self, command: Command) -> bool:
        return await self._gateway.is_refused_for_good(command)

    async def reject(self, command_id: str, actor: Actor, note: str = "") -> Command:
        if self.failures:
            self.failures -= 1
            raise StoreError("database is locked")
        return await self._gateway.reject(command_id, actor, note)


async def test_a_command_that_is_just_being_kept_is_withdrawn_when_its_run_is_cancelled(
    rig: Rig, tmp_path: Path
):
    slow = Hindered(rig.gateway)
    async with life(tmp_path, commands=slow) as room:
        run_id = await room.begin(sets(TWO))
        await slow.is_asked.wait()
        await room.engine.cancel(run_id, "no longer needed")
        slow.may_go.set()
        assert (await room.ended(run_id)).state is RunState.CANCELLED

    assert (await rig.gateway.get(f"{run_id}-set")).state is CommandState.REJECTED


async def test_a_run_that_is_taken_up_and_cancelled_at_once_withdraws_its_command(
    rig: Rig, tmp_path: Path
):
    async with life(tmp_path, commands=rig.gateway) as room:
        run_id = await room.begin(sets(TWO))
        await asked(rig, room, run_id)
    slow = Hindered(rig.gateway)
    async with life(tmp_path, commands=slow) as room:
        await slow.is_asked.wait()
        await room.engine.cancel(run_id, "no longer needed")
        slow.may_go.set()
        await room.ended(run_id)

    assert (await rig.gateway.get(f"{run_id}-set")).state is CommandState.REJECTED


async def test_a_cancel_holds_though_the_store_refuses_it_for_a_while(rig: Rig, tmp_path: Path):
    hindered = Hindered(rig.gateway, failures=2)
    hindered.may_go.set()
    async with life(tmp_path, commands=hindered) as room:
        run_id = await room.begin(sets(TWO))
        command = await asked(rig, room, run_id)
        await room.engine.cancel(run_id, "no longer needed")
        assert (await room.ended(run_id)).state is RunState.CANCELLED

    assert hindered.failures == 0
    assert (await rig.gateway.get(command.id)).state is CommandState.REJECTED
    with pytest.raises(ConflictError, match="waits for no approval"):
        await rig.gateway.approve(command.id, BOB)


async def test_a_run_within_a_run_that_took_too_long_is_over_before_its_step_is(room: Room):
    undo = Undo(ActionKind.WAIT, {"seconds": 1})
    room.library["demo"] = Workflow(
        "demo",
        (
            Step("say", ActionKind.WAIT, with_={"seconds": 0}, compensate=undo),
            Step("ask", ActionKind.APPROVE, with_={"question": "Slower?"}, needs=("say",)),
        ),
    )
    call = Step("call", ActionKind.WORKFLOW, with_={"name": "demo"}, timeout_s=2.0)
    run_id = await room.begin(Workflow("mum", (call,)))
    run, child = await room.ended(run_id), await room.ended(f"{run_id}-call")

    (step,) = run.steps
    assert (run.state, child.state) == (RunState.FAILED, RunState.CANCELLED)
    assert "was not over in time" in step.error
    assert child.ended_at
    assert step.ended_at
    assert child.ended_at <= step.ended_at


async def test_a_wait_of_each_element_and_of_an_undo_lasts_as_long_as_it_says(room: Room):
    undo = Undo(ActionKind.WAIT, {"seconds": 0.1})
    waits = Step("each", ActionKind.WAIT, with_={"seconds": "${item}"}, for_each="${[0.1, 0.2]}")
    steps = (
        msgspec.structs.replace(waits, compensate=undo, parallel=2),
        Step("bad", ActionKind.WAIT, with_={"seconds": "${1 / 0}"}, needs=("each",)),
    )
    run = await room.ended(await room.begin(Workflow("demo", steps)))

    each = run.steps[0]
    assert (each.state, each.compensation) == (StepState.DONE, "done")
    assert run.ended_at
    assert (run.ended_at - run.started_at).total_seconds() < 20  # the time limits are 60 s

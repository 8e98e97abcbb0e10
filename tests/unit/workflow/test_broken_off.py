"""What a step that was broken off has done, from what it asked of others; over real parts."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.command import CommandState
from app.core.equipment import Equipment
from app.core.errors import BusError
from app.core.run import RunState, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, RunMode, Step, Undo, Workflow
from app.settings import Settings
from tests.processes import eventually
from tests.unit.commands.rig import BOB, FREE, SPEED, VALVE, Rig, acting, online, pump
from tests.unit.workflow.approval_room import Room, life
from tests.unit.workflow.command_room import rig as rig  # noqa: PLC0414  a fixture of these tests
from tests.unit.workflow.command_room import room as room  # noqa: PLC0414  a fixture of these tests

S = CommandState
ELSE = Undo(ActionKind.COMMAND, {"tag": VALVE, "value": 17})
BEFORE = Undo(
    ActionKind.COMMAND, {"tag": FREE, "value": "${steps.set.output.before}"}, timeout_s=30
)


def sets(tag: object = FREE, value: float = 2, **more: Any) -> Step:
    return Step("set", ActionKind.COMMAND, with_={"tag": tag, "value": value}, **more)


def flow(*steps: Step) -> Workflow:
    return Workflow("demo", steps)


def of(run: WorkflowRun, step: str = "set") -> StepRun:
    return next(each for each in run.steps if each.step == step)


def undone(rig: Rig) -> list[str]:
    """Return the commands by which something was taken back."""
    return [each.id for each in rig.told if "undo" in each.id]


async def cancelled(room: Room, run_id: str) -> WorkflowRun:
    await room.engine.cancel(run_id, "enough")
    return await room.ended(run_id)


def without_pauses() -> Equipment:
    """Return the pump whose tags may be changed again at once."""
    unit = pump()
    tags = [
        msgspec.structs.replace(tag, write=msgspec.structs.replace(tag.write, min_interval_s=0.0))
        if tag.write
        else tag
        for tag in unit.tags
    ]
    return msgspec.structs.replace(unit, tags=tuple(tags))


async def obeyed(rig: Rig, command_id: str) -> None:
    """Let the plant show what it is told until a command is verified."""

    def is_there() -> bool:
        rig.plant.obey()
        return rig.was_told(command_id, S.VERIFIED)

    await eventually(is_there, 20)


@pytest.mark.parametrize(("tag", "state"), [(SPEED, S.AWAITING_APPROVAL), (FREE, S.REQUESTED)])
async def test_a_command_that_was_never_sent_is_not_taken_back(
    rig: Rig, room: Room, tag: str, state: CommandState
):
    run_id = await room.begin(flow(sets(tag, compensate=ELSE)))
    await rig.came(f"{run_id}-set", state)
    run = await cancelled(room, run_id)

    assert (await rig.gateway.get(f"{run_id}-set")).state is S.REJECTED
    assert undone(rig) == []
    assert (of(run).compensation, of(run).may_have_acted, of(run).output) == ("", False, None)
    assert (of(run).error, run.reason) == ("The run was cancelled", "enough")


async def test_a_command_that_this_version_cannot_read_may_have_acted(rig: Rig, room: Room):
    undo = msgspec.structs.replace(ELSE, timeout_s=0.1)
    run_id = await room.begin(flow(sets(compensate=undo)))
    await rig.came(f"{run_id}-set", S.REQUESTED)
    rig.spoil_rows()
    run = await cancelled(room, run_id)

    assert (run.state, of(run).may_have_acted) == (RunState.CANCELLED, True)
    assert "cannot be read by Millwright" in of(run).error


async def test_elements_whose_commands_were_never_sent_are_not_taken_back(rig: Rig, room: Room):
    listed = sets(
        "${item}", for_each=f"['{SPEED}', '{FREE}', '{SPEED}']", parallel=2, compensate=ELSE
    )
    run_id = await room.begin(flow(listed))
    await rig.came(f"{run_id}-set-0", S.AWAITING_APPROVAL)
    await rig.came(f"{run_id}-set-1", S.REQUESTED)
    run = await cancelled(room, run_id)

    assert undone(rig) == []
    assert (of(run).compensation, of(run).may_have_acted) == ("", False)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (ActionKind.WAIT, {"seconds": 3600}),
        (ActionKind.WAIT, {"until": "1 > 2"}),
        (ActionKind.APPROVE, {"question": "Slower?"}),
    ],
)
async def test_what_only_waited_is_not_taken_back(
    rig: Rig, room: Room, kind: ActionKind, given: dict[str, Any]
):
    run_id = await room.asked(
        flow(Step("set", kind, with_=given, compensate=ELSE, timeout_s=7200.0))
    )
    run = await cancelled(room, run_id)

    assert undone(rig) == []
    assert (of(run).state, of(run).compensation) == (StepState.CANCELLED, "")


async def test_a_wait_that_took_too_long_is_not_taken_back(rig: Rig, room: Room):
    late = Step("set", ActionKind.WAIT, with_={"until": "1 > 2"}, compensate=ELSE, timeout_s=0.1)
    run = await room.ended(await room.begin(flow(late)))

    assert (run.state, of(run).compensation, undone(rig)) == (RunState.FAILED, "", [])


async def test_a_run_within_a_run_whose_turn_never_came_is_not_taken_back(rig: Rig, room: Room):
    ask = Step("ask", ActionKind.APPROVE, with_={"question": "Slower?"})
    inner = Workflow("inner", (ask,), runs=Concurrency(RunMode.QUEUED))
    room.library["inner"] = inner
    call = Step("set", ActionKind.WORKFLOW, with_={"name": "inner"}, compensate=ELSE)
    first = await room.asked(inner)
    run_id = await room.asked(flow(call))
    run = await cancelled(room, run_id)
    await room.decide(f"{first}:ask")

    assert (of(run).state, of(run).compensation) == (StepState.CANCELLED, "")
    assert undone(rig) == []


@pytest.mark.parametrize("listed", [{}, {"for_each": "[1, 2]"}])
async def test_what_was_never_sent_before_a_death_of_the_app_is_not_taken_back(
    rig: Rig, tmp_path: Path, listed: dict[str, Any]
):
    async with life(tmp_path, commands=rig.gateway) as room:
        run_id = await room.begin(flow(sets(SPEED, compensate=ELSE, **listed)))
        await rig.came(f"{run_id}-set-0" if listed else f"{run_id}-set", S.AWAITING_APPROVAL)
        await room.store.ask_cancel(run_id, "enough")
    async with life(tmp_path, commands=rig.gateway) as room:
        run = await room.ended(run_id)

    assert (of(run).compensation, of(run).may_have_acted, undone(rig)) == ("", False, [])
    assert (run.reason, of(run).attempts) == ("enough", 0)


async def test_a_command_that_had_acted_when_its_run_was_cancelled_is_taken_back_to_what_was(
    connected_settings: Settings, tmp_path: Path
):
    async with (
        online(connected_settings) as rig,
        acting(rig),
        life(tmp_path, commands=rig.gateway) as room,
    ):
        run_id = await room.begin(flow(sets(compensate=BEFORE)))
        await rig.came(f"{run_id}-set", S.ACKNOWLEDGED)
        await room.engine.cancel(run_id, "enough")
        await obeyed(rig, f"{run_id}-set-undo")
        run = await room.ended(run_id)

    assert rig.plant.writes == [(FREE, 2.0), (FREE, 0.0)]
    found = of(run)
    assert (found.state, found.compensation) == (StepState.CANCELLED, "done")
    assert found.error == f"The run was cancelled; command {FREE} = 2 is verified"
    assert found.output["before"] == 0
    assert found.output["state"] == "verified"
    assert found.output["id"] == f"{run_id}-set"


async def test_elements_that_had_acted_are_taken_back_each_to_what_it_was(
    connected_settings: Settings, tmp_path: Path
):
    listed = sets(
        "${item}",
        20,
        for_each=f"['{FREE}', '{VALVE}', '{SPEED}']",
        compensate=Undo(
            ActionKind.COMMAND, {"tag": "${item}", "value": "${steps.set.output.before}"}
        ),
        parallel=3,
    )
    async with online(connected_settings) as rig, acting(rig):
        rig.tags.declare(without_pauses())
        async with life(tmp_path, commands=rig.gateway) as room:
            run_id = await room.begin(flow(listed))
            await rig.came(f"{run_id}-set-0", S.ACKNOWLEDGED)
            await rig.came(f"{run_id}-set-1", S.ACKNOWLEDGED)
            await rig.came(f"{run_id}-set-2", S.AWAITING_APPROVAL)
            await room.engine.cancel(run_id, "enough")
            await obeyed(rig, f"{run_id}-set-0-undo")
            run = await room.ended(run_id)

    assert rig.plant.writes[2:] == [(VALVE, 50.0), (FREE, 0.0)]
    assert (of(run).compensation, of(run).output[2]) == ("done", None)
    assert f"element 2: command {VALVE} = 20 is verified" in of(run).error


async def test_a_command_of_unknown_end_is_taken_back_to_what_was(
    connected_settings: Settings, tmp_path: Path
):
    async with online(connected_settings) as rig, acting(rig):
        rig.plant.trouble, rig.plant.is_obedient = BusError("silent"), False

        def recover(command: Any) -> None:
            if command.state is S.UNKNOWN:
                rig.plant.trouble, rig.plant.is_obedient = None, True

        rig.gateway.on_change(recover)
        async with life(tmp_path, commands=rig.gateway) as room:
            run_id = await room.begin(flow(sets(compensate=BEFORE)))
            await obeyed(rig, f"{run_id}-set-undo")
            run = await room.ended(run_id)

    assert rig.plant.writes == [(FREE, 2.0), (FREE, 0.0)]
    found = of(run)
    assert (found.state, found.compensation) == (StepState.FAILED, "done")
    assert (found.output["before"], found.output["state"]) == (0, "unknown")


async def test_a_command_that_was_approved_as_its_run_was_cancelled_says_what_became_of_it(
    connected_settings: Settings, tmp_path: Path
):
    async with (
        online(connected_settings) as rig,
        acting(rig),
        life(tmp_path, commands=rig.gateway) as room,
    ):
        run_id = await room.begin(flow(sets(SPEED, 900)))
        await rig.came(f"{run_id}-set", S.AWAITING_APPROVAL)
        await rig.gateway.approve(f"{run_id}-set", BOB, "agreed")
        await room.engine.cancel(run_id, "enough")
        await obeyed(rig, f"{run_id}-set")
        run = await room.ended(run_id)

    assert of(run).error == f"The run was cancelled; command {SPEED} = 900 is verified"


async def test_a_command_that_was_done_while_the_app_was_down_is_taken_back_to_what_was(
    connected_settings: Settings, tmp_path: Path
):
    async with online(connected_settings) as rig, acting(rig):
        async with life(tmp_path, commands=rig.gateway) as room:
            run_id = await room.begin(flow(sets(compensate=BEFORE)))
            await rig.came(f"{run_id}-set", S.ACKNOWLEDGED)
            await room.store.ask_cancel(run_id, "enough")
        await obeyed(rig, f"{run_id}-set")
        async with life(tmp_path, commands=rig.gateway) as room:
            await obeyed(rig, f"{run_id}-set-undo")
            run = await room.ended(run_id)

    assert rig.plant.writes == [(FREE, 2.0), (FREE, 0.0)]
    assert of(run).error == f"The run was cancelled; command {FREE} = 2 is verified"
    assert (of(run).compensation, of(run).attempts) == ("done", 1)

"""Alarms and ends of runs start runs by themselves: which do, once, and which do not."""

from datetime import timedelta

import msgspec
import pytest

from app.core.alarm import AlarmState
from app.core.run import RunState, StartedBy, WorkflowRun
from app.workflow.triggers import NESTED
from tests.unit.workflow.trigger_rig import NOW, ON_ALARM, ON_END, UNIT, Rig, alarm, run


async def test_an_alarm_starts_a_run_once():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()
    rig.triggers.alarms([alarm(note="seen")])

    assert await rig.tick() == 1
    assert [given for _, given, _ in rig.started.values()] == [{"unit": UNIT}]


async def test_an_alarm_that_comes_again_starts_another_run():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()
    rig.triggers.alarms([alarm(active=False)])
    rig.triggers.alarms([alarm(raised_at=NOW + timedelta(minutes=1))])

    assert await rig.tick() == 2


async def test_an_alarm_heard_again_after_a_restart_has_the_same_id():
    before, after = Rig(), Rig()
    for rig in (before, after):
        await rig.use(ON_ALARM)
        rig.triggers.alarms([alarm()])
        await rig.tick()

    assert before.started.keys() == after.started.keys()


async def test_an_alarm_that_ends_before_its_debounce_starts_nothing():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, debounce_s=5))
    rig.triggers.alarms([alarm()])
    await rig.tick(3)
    rig.triggers.alarms([alarm(active=False)])

    assert await rig.tick(10) == 0


@pytest.mark.parametrize("state", [AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE])
async def test_an_alarm_that_operators_do_not_see_starts_nothing(state: AlarmState):
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm(state=state)])

    assert await rig.tick() == 0


async def test_two_alarms_of_a_unit_at_once_start_two_runs():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm("overheated"), alarm("imbalance")])

    assert await rig.tick() == 2


async def test_a_condition_that_does_not_hold_starts_nothing():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, when="event.priority < 1"))
    rig.triggers.alarms([alarm()])

    assert await rig.tick() == 0


async def test_the_ends_of_several_runs_at_once_start_a_run_each():
    rig = Rig()
    await rig.use(ON_END)
    for name in ("a", "b", "c"):
        rig.triggers.run_ended(run(name))

    assert await rig.tick() == 3


async def test_the_end_of_a_run_told_again_after_a_restart_has_the_same_id():
    before, after = Rig(), Rig()
    for rig in (before, after):
        await rig.use(ON_END)
        rig.triggers.run_ended(run("a"))
        await rig.tick()
        await rig.tick()

    assert before.started.keys() == after.started.keys()


@pytest.mark.parametrize(
    "ended",
    [run("a", state=RunState.FAILED), run("a", workflow="other"), run("a", is_dry=True)],
)
async def test_other_ends_of_runs_start_nothing(ended: WorkflowRun):
    rig = Rig()
    await rig.use(ON_END)
    rig.triggers.run_ended(ended)

    assert await rig.tick() == 0


async def test_runs_that_follow_from_each_other_in_a_circle_end():
    rig = Rig()
    await rig.use(ON_END)
    rig.triggers.run_ended(run("a", started_by=StartedBy("workflow", "system", {"depth": NESTED})))

    assert await rig.tick() == 0
    assert "followed from each other" in rig.triggers.refusals.of("demo")[0].why


async def test_the_end_of_a_run_is_heeded_by_who_carried_it_out():
    rig = Rig()
    rig.is_leader = False
    await rig.use(ON_END)
    rig.triggers.run_ended(run("a"))

    assert await rig.tick() == 1

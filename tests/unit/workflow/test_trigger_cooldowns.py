"""What a run began by a trigger cools, after a restart and with another leader, too."""

from typing import Any

import msgspec

from app.core.alarm import Alarm, Finding, Priority
from app.core.errors import StoreError
from app.core.run import WorkflowRun
from tests.unit.workflow.trigger_rig import NOON, NOW, ON_ALARM, ON_END, Rig, alarm, run

COOLED = msgspec.structs.replace(ON_ALARM, cooldown_s=600)


async def after_a_restart(*, changed: int = 0) -> Rig:
    """Return triggers that began a run in an earlier life, and live again."""
    before, after = Rig(), Rig()
    await before.use(COOLED)
    before.triggers.alarms([alarm()])
    assert await before.tick() == 1
    after.keep(before)
    await after.use(*[NOON] * changed, COOLED)
    return after


def later(rig: Rig, **fields: Any) -> Alarm:
    return alarm(raised_at=rig.clock.now(), **fields)


async def test_a_cooldown_outlives_a_restart():
    rig = await after_a_restart()
    await rig.tick(69)
    rig.triggers.alarms([later(rig)])
    assert await rig.tick() == 0

    await rig.tick(540)
    rig.triggers.alarms([alarm(active=False)])
    rig.triggers.alarms([later(rig)])
    assert await rig.tick() == 1


async def test_another_key_is_not_cooled_by_a_run_of_an_earlier_life():
    rig = await after_a_restart()
    finding = Finding(
        "watch", "overheated", "site/area/line/fan", NOW, Priority.HIGH, message="Hot"
    )
    rig.triggers.alarms([later(rig, finding=finding)])

    assert await rig.tick() == 1


async def test_a_run_that_a_person_or_another_trigger_began_cools_nothing():
    rig = await after_a_restart(changed=1)
    rig.kept.append(msgspec.structs.replace(run("demo"), started_at=NOW))
    rig.triggers.alarms([later(rig)])

    assert await rig.tick() == 1


async def test_an_event_waits_while_the_store_cannot_tell_its_cooldown():
    rig = await after_a_restart()
    rig.store_trouble = [StoreError("the disk is away") for _ in range(2)]
    rig.kept = []
    rig.triggers.alarms([later(rig)])

    assert [await rig.tick() for _ in range(3)] == [0, 0, 1]


async def test_a_cooldown_goes_over_to_the_next_leader():
    first, second = Rig(), Rig()
    for rig in (first, second):
        rig.is_leader = rig is first
        await rig.use(COOLED)
        rig.triggers.alarms([alarm()])
        await rig.tick()
    second.keep(first)
    second.is_leader = True
    second.triggers.alarms([later(second, finding=alarm().finding)])

    assert await second.tick() == 0


async def test_a_key_that_an_older_event_does_not_have_cools_nothing():
    rig = await after_a_restart()
    rig.kept[0].started_by.event.pop("equipment")
    await rig.use(msgspec.structs.replace(COOLED, key="${event.equipment}"))
    rig.triggers.alarms([later(rig)])

    assert await rig.tick() == 1


AFTER = msgspec.structs.replace(ON_END, cooldown_s=600)


async def begun_by_another(rig: Rig, end: WorkflowRun) -> None:
    """Have another orchestrator begin a run at the end of one that it carried out."""
    other = Rig(clock=rig.clock, is_shared=True)
    other.is_leader = False
    await other.use(AFTER)
    other.triggers.run_ended(end)
    await other.triggers.tick()
    ((run_id, (name, given, by)),) = other.started.items()
    made = msgspec.structs.replace(run(run_id), workflow=name, input=given, started_by=by)
    rig.kept.append(msgspec.structs.replace(made, started_at=rig.clock.now()))


async def test_a_run_that_another_orchestrator_began_at_an_end_cools_too():
    rig = Rig(is_shared=True)
    await rig.use(AFTER)
    rig.triggers.run_ended(run("one"))
    assert await rig.tick() == 1

    await rig.tick(700)
    await begun_by_another(rig, run("two"))
    rig.triggers.run_ended(run("three"))
    assert await rig.tick() == 1
    await rig.tick(700)
    rig.triggers.run_ended(run("four"))
    assert await rig.tick() == 2

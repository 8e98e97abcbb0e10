"""What goes wrong with one event or one trigger is told, and the others start their runs."""

import msgspec
import pytest

from app.core.errors import ConflictError, StoreError
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow
from tests.unit.workflow.trigger_rig import NOON, ON_ALARM, ON_END, Rig, alarm, run

NEVER = Trigger(TriggerKind.SCHEDULE, cron="0 0 31 2 *")


async def test_an_event_that_met_a_full_disk_starts_its_run_later():
    rig = Rig()
    rig.trouble = [StoreError("full"), StoreError("full")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])

    assert [await rig.tick() for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize("trouble", [ConflictError("it runs already"), StoreError("disk full")])
async def test_events_that_start_nothing_do_not_fill_the_log(
    trouble: Exception, caplog: pytest.LogCaptureFixture
):
    rig = Rig()
    await rig.use(ON_ALARM)
    for number in range(50):
        rig.trouble = [trouble]
        rig.triggers.alarms([alarm(f"hot-{number}")])
        await rig.tick()
    assert len(caplog.messages) == 1

    rig.trouble = [trouble]
    rig.triggers.alarms([alarm("hot-last")])
    await rig.tick(60)
    assert len(caplog.messages) == 2
    assert caplog.messages[-1].startswith("50 events")


async def test_a_refused_run_is_told_and_not_tried_again():
    rig = Rig()
    rig.trouble = [ConflictError("it runs already")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()

    assert await rig.tick() == 0
    assert [refusal.why for refusal in rig.triggers.refusals.of("demo")] == ["it runs already"]


async def test_an_expression_that_cannot_be_computed_is_told():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, when="event.gone"))
    rig.triggers.alarms([alarm()])

    assert await rig.tick() == 0
    assert "is not there" in rig.triggers.refusals.of("demo")[0].why


async def test_a_fault_of_the_app_with_one_event_does_not_lose_those_behind_it():
    rig = Rig()
    rig.trouble = [ZeroDivisionError("a fault")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm("first"), alarm("second"), alarm("third")])

    assert await rig.tick() == 2
    assert [each.why for each in rig.triggers.refusals.of("demo")] == ["ZeroDivisionError: a fault"]


async def test_a_trigger_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    steps = (Step("one", ActionKind.WAIT),)
    good = Workflow("good", steps, triggers=(NOON, ON_ALARM, ON_END))
    await rig.triggers.use([Workflow("bad", steps, triggers=(NEVER,)), good])
    await rig.triggers.use([Workflow("bad", steps, triggers=(NEVER, NEVER)), good])
    rig.triggers.alarms([alarm()])
    rig.triggers.run_ended(run("a"))
    await rig.tick(120)
    await rig.tick()

    kinds = sorted(by.kind for _, _, by in rig.started.values())
    assert kinds == ["alarm", "schedule", "workflow"]
    assert list(rig.triggers.troubles) == ["bad"]
    assert "CroniterBadDateError" in rig.triggers.troubles["bad"]
    assert len(caplog.messages) == 2  # one for each of its triggers, whatever often it is looked at


async def test_a_trigger_that_was_mended_or_is_gone_fails_no_more():
    rig = Rig()
    await rig.use(NEVER)
    await rig.tick()
    assert rig.triggers.troubles
    await rig.use(NOON)
    await rig.tick()
    assert not rig.triggers.troubles

    await rig.use(NEVER)
    await rig.tick()
    await rig.triggers.use([])
    assert not rig.triggers.troubles

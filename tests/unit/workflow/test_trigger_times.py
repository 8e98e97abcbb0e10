"""Times start runs by themselves: once, by the leader alone, and made up for after a stop."""

from tests.unit.workflow.trigger_rig import NOON, ON_ALARM, Rig, alarm


async def test_a_schedule_starts_a_run_at_its_time_once():
    rig = Rig()
    await rig.use(NOON)
    counts = [await rig.tick(30) for _ in range(6)]

    assert counts == [0, 0, 0, 1, 1, 1]


async def test_a_schedule_that_is_new_does_not_make_up_for_what_was_before():
    rig = Rig()
    await rig.use()
    await rig.clock.advance(300)
    await rig.use(NOON)

    assert await rig.tick() == 0


async def test_a_time_missed_while_the_app_was_down_is_made_up_for():
    rig = Rig()
    await rig.clock.advance(300)
    await rig.use(NOON)

    assert await rig.tick() == 1


async def test_of_several_orchestrators_only_the_leader_heeds_alarms_and_times():
    rig = Rig()
    rig.is_leader = False
    await rig.use(ON_ALARM, NOON)
    rig.triggers.alarms([alarm()])
    waited = [await rig.tick(30) for _ in range(5)]
    rig.is_leader = True

    assert waited == [0] * 5
    assert await rig.tick() == 1
    assert [by.kind for _, _, by in rig.started.values()] == ["schedule"]


def missed(rig: Rig) -> list[str]:
    return [each.why for each in rig.triggers.refusals.of("demo")]


async def test_a_time_that_the_clock_left_out_is_told():
    rig = Rig()
    await rig.use(NOON)
    await rig.tick()
    assert await rig.tick(3600) == 0
    await rig.tick()

    (why,) = missed(rig)
    assert why.startswith("Its time 2026-06-01 12:00 UTC was missed: from 11:58 to 12:58 UTC")


async def test_a_time_that_is_made_up_for_is_not_told_as_missed():
    rig = Rig()
    await rig.use(NOON)
    await rig.tick()

    assert await rig.tick(600) == 1
    assert missed(rig) == []


async def test_a_gap_without_a_time_in_it_misses_none():
    rig = Rig()
    await rig.clock.advance(3600)
    await rig.use(NOON)
    await rig.tick()
    await rig.tick(3600)

    assert missed(rig) == []


async def test_who_becomes_the_leader_later_has_missed_nothing():
    rig = Rig()
    rig.is_leader = False
    await rig.use(NOON)
    await rig.tick()
    await rig.tick(3600)
    rig.is_leader = True
    await rig.tick()
    await rig.tick()

    assert missed(rig) == []

"""The alarm service on a real journal, with time turned by hand."""

from datetime import datetime, timedelta

import pytest

from app.core.alarm import AlarmState, Finding, Priority
from app.core.errors import ConflictError, InputError, NotFoundError
from tests.unit.alarms.desk import ANNA, Desk, until


async def test_a_finding_becomes_an_alarm_that_is_journalled_and_published(desk: Desk) -> None:
    alarm = await desk.state()
    assert (alarm.state, alarm.active, alarm.count) == (AlarmState.UNACK, True, 1)
    assert desk.service.alarms() == [alarm]
    assert desk.events() == ["raise"]


async def test_an_absent_condition_that_never_was_leaves_no_trace(desk: Desk) -> None:
    await desk.service.handle([desk.finding(priority=None)])
    assert (desk.service.alarms(), desk.events(), desk.published) == ([], [], [])


async def test_a_finding_stated_again_does_not_raise_again(desk: Desk) -> None:
    await desk.state()
    await desk.clock.advance(60)
    await desk.state()
    assert desk.events() == ["raise"]
    assert len(desk.published) == 1


async def test_an_alarm_shows_the_newest_text_of_its_finding(desk: Desk) -> None:
    alarm = await desk.state()
    await desk.clock.advance(60)
    await desk.state()
    assert desk.service.get(alarm.id).finding.found_at == desk.clock.now()


async def test_two_units_and_two_conditions_are_four_alarms(desk: Desk) -> None:
    for agent in ("vibration", "maintenance"):
        await desk.service.handle([desk.finding(each, agent=agent) for each in ("hot", "worn")])
    assert len(desk.service.alarms()) == 4


async def test_a_worse_priority_announces_an_acknowledged_alarm_again(desk: Desk) -> None:
    alarm = await desk.state(priority=Priority.LOW)
    await desk.service.acknowledge(alarm.id, ANNA)
    worse = await desk.state(priority=Priority.CRITICAL)
    assert (worse.state, worse.acknowledged_by) == (AlarmState.UNACK, "")
    assert worse.finding.priority is Priority.CRITICAL
    assert desk.events() == ["raise", "acknowledge", "escalate"]


async def test_a_rise_in_priority_of_an_unacknowledged_alarm_is_journalled(desk: Desk) -> None:
    await desk.state(priority=Priority.LOW)
    await desk.state(priority=Priority.HIGH)
    assert desk.events() == ["raise", "escalate"]


async def test_a_better_priority_is_taken_over_quietly(desk: Desk) -> None:
    alarm = await desk.state(priority=Priority.CRITICAL)
    await desk.service.acknowledge(alarm.id, ANNA)
    eased = await desk.state(priority=Priority.LOW)
    assert (eased.state, eased.finding.priority) == (AlarmState.ACK, Priority.LOW)
    assert desk.events()[-1] == "ease"


async def test_a_late_finding_does_not_raise_what_has_returned(desk: Desk) -> None:
    late = desk.finding()
    await desk.service.handle([late])
    await desk.clock.advance(5)
    await desk.service.handle([desk.finding(priority=None)])
    await desk.service.handle([late])
    assert desk.service.alarms()[0].state is AlarmState.RTN_UNACK


async def test_a_late_absence_does_not_end_what_was_raised_after_it(desk: Desk) -> None:
    await desk.state()
    await desk.service.handle([desk.finding(priority=None, age_s=10)])
    assert desk.service.alarms()[0].active


async def test_a_finding_from_the_future_does_not_block_those_after_it(desk: Desk) -> None:
    await desk.service.handle([desk.finding(age_s=-3600)])
    await desk.clock.advance(5)
    await desk.service.handle([desk.finding(priority=None)])
    assert not desk.service.alarms()[0].active


async def test_a_time_without_zone_is_taken_as_utc(desk: Desk) -> None:
    finding = desk.finding()
    naive = Finding(
        agent=finding.agent,
        condition=finding.condition,
        equipment=finding.equipment,
        found_at=datetime(2026, 1, 1, 12),  # noqa: DTZ001  that is what an agent may send
        priority=Priority.LOW,
    )
    await desk.service.handle([naive, finding])
    assert len(desk.service.alarms()) == 1


async def test_acknowledging_tells_who_and_when(desk: Desk) -> None:
    alarm = await desk.state()
    done = await desk.service.acknowledge(alarm.id, ANNA, "seen")
    assert (done.state, done.acknowledged_by, done.note) == (AlarmState.ACK, "anna", "seen")
    (entry,) = desk.journal.entries(limit=1)
    assert (entry.actor, entry.source, entry.why) == ("anna", "ui", "seen")
    assert (entry.old, entry.new) == (AlarmState.UNACK, AlarmState.ACK)


async def test_an_unknown_alarm_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFoundError, match="no-such"):
        await desk.service.acknowledge("no-such", ANNA)


async def test_a_second_acknowledgement_conflicts(desk: Desk) -> None:
    alarm = await desk.state()
    await desk.service.acknowledge(alarm.id, ANNA)
    with pytest.raises(ConflictError):
        await desk.service.acknowledge(alarm.id, ANNA)
    assert desk.events() == ["raise", "acknowledge"]


@pytest.mark.parametrize("minutes", [0, -1, 481, float("nan"), float("inf")])
async def test_shelving_needs_a_time_within_bounds(desk: Desk, minutes: float) -> None:
    alarm = await desk.state()
    with pytest.raises(InputError, match="minutes"):
        await desk.service.shelve(alarm.id, ANNA, minutes, "why")


async def test_hiding_needs_a_reason(desk: Desk) -> None:
    alarm = await desk.state()
    with pytest.raises(InputError, match="note"):
        await desk.service.shelve(alarm.id, ANNA, 10, "  ")
    with pytest.raises(InputError, match="note"):
        await desk.service.suppress(alarm.id, ANNA, "")
    with pytest.raises(InputError, match="note"):
        await desk.service.out_of_service(alarm.id, ANNA, "")


async def test_a_note_has_a_bound(desk: Desk) -> None:
    alarm = await desk.state()
    with pytest.raises(InputError, match="longer"):
        await desk.service.acknowledge(alarm.id, ANNA, "x" * 501)


async def test_shelving_ends_by_the_clock(desk: Desk) -> None:
    alarm = await desk.state()
    shelved = await desk.service.shelve(alarm.id, ANNA, 10, "being repaired")
    assert shelved.shelved_until == desk.clock.now() + timedelta(minutes=10)
    await desk.clock.advance(599)
    assert desk.service.get(alarm.id).state is AlarmState.SHELVED
    await desk.clock.advance(2)
    await until(lambda: desk.service.get(alarm.id).state is AlarmState.UNACK)
    assert desk.service.get(alarm.id).shelved_until is None
    assert desk.events()[-1] == "expire"


async def test_a_condition_that_returns_while_shelved_keeps_the_end_of_shelving(
    desk: Desk,
) -> None:
    alarm = await desk.state()
    shelved = await desk.service.shelve(alarm.id, ANNA, 10, "being repaired")
    await desk.clock.advance(5)
    await desk.state(priority=None)
    assert desk.service.get(alarm.id).shelved_until == shelved.shelved_until


async def test_out_of_service_and_suppression_end_by_a_person(desk: Desk) -> None:
    alarm = await desk.state()
    await desk.service.suppress(alarm.id, ANNA, "unit is off")
    await desk.service.unsuppress(alarm.id, ANNA)
    await desk.service.out_of_service(alarm.id, ANNA, "sensor is being changed")
    back = await desk.service.return_to_service(alarm.id, ANNA)
    assert back.state is AlarmState.UNACK


async def test_a_latching_alarm_is_reset_by_a_person(desk: Desk) -> None:
    alarm = await desk.state(latching=True)
    await desk.clock.advance(1)
    assert (await desk.state(priority=None)).state is AlarmState.LATCHED
    await desk.service.acknowledge(alarm.id, ANNA)
    assert (await desk.service.reset(alarm.id, ANNA)).state is AlarmState.NORMAL
    assert desk.service.alarms() == []


async def test_the_lesser_limit_is_suppressed_while_the_worse_one_is_passed(desk: Desk) -> None:
    def limit(condition: str, priority: Priority | None) -> Finding:
        return desk.finding(condition, priority, agent="limits")

    await desk.service.handle([limit("high", Priority.MEDIUM)])
    await desk.service.handle([limit("high_high", Priority.HIGH)])
    states = {alarm.finding.condition: alarm.state for alarm in desk.service.alarms()}
    assert states == {
        "high": AlarmState.SUPPRESSED_BY_DESIGN,
        "high_high": AlarmState.UNACK,
    }
    await desk.clock.advance(1)
    await desk.service.handle([limit("high_high", None)])
    states = {alarm.finding.condition: alarm.state for alarm in desk.service.alarms()}
    assert states == {"high": AlarmState.UNACK, "high_high": AlarmState.RTN_UNACK}


async def test_hiding_the_worse_limit_shows_the_lesser_one(desk: Desk) -> None:
    await desk.service.handle([desk.finding("high", Priority.MEDIUM, agent="limits")])
    await desk.service.handle([desk.finding("high_high", Priority.HIGH, agent="limits")])
    worse = next(a for a in desk.service.alarms() if a.finding.condition == "high_high")
    await desk.service.shelve(worse.id, ANNA, 5, "known")
    lesser = next(a for a in desk.service.alarms() if a.finding.condition == "high")
    assert lesser.state is AlarmState.UNACK


async def test_what_a_person_suppressed_stays_so_when_the_worse_limit_returns(desk: Desk) -> None:
    lesser = await desk.state("high", Priority.MEDIUM, agent="limits")
    await desk.service.suppress(lesser.id, ANNA, "by me")
    await desk.service.handle([desk.finding("high_high", Priority.HIGH, agent="limits")])
    await desk.clock.advance(1)
    await desk.service.handle([desk.finding("high_high", None, agent="limits")])
    assert desk.service.get(lesser.id).state is AlarmState.SUPPRESSED_BY_DESIGN


async def test_an_alarm_that_comes_and_goes_chatters_and_stays_listed(desk: Desk) -> None:
    alarm = await desk.state()
    await desk.clock.advance(10)
    await desk.state(priority=None)
    await desk.clock.advance(10)
    assert (await desk.state()).chattering
    await desk.service.acknowledge(alarm.id, ANNA)
    await desk.clock.advance(10)
    gone = await desk.state(priority=None)
    assert (gone.state, gone.chattering) == (AlarmState.NORMAL, True)
    assert [each.id for each in desk.service.alarms()] == [alarm.id]


async def test_an_alarm_that_calms_down_chatters_no_more(desk: Desk) -> None:
    alarm = await desk.state()
    for priority in (None, Priority.HIGH):
        await desk.clock.advance(1)
        await desk.state(priority=priority)
    assert desk.service.get(alarm.id).chattering
    await desk.clock.advance(70)
    await until(lambda: not desk.service.get(alarm.id).chattering)
    assert desk.service.get(alarm.id).active


async def test_ten_new_alarms_are_a_flood_that_ends_by_the_clock(desk: Desk) -> None:
    told: list[int] = []
    desk.service.on_change(lambda changed: told.append(len(changed)))
    await desk.service.handle([desk.finding(f"c{index}") for index in range(10)])
    assert desk.service.summary().flood
    await desk.clock.advance(602)
    await until(lambda: told[-1:] == [0])
    assert not desk.service.summary().flood


async def test_the_summary_counts_by_priority_and_names_the_worst(desk: Desk) -> None:
    await desk.state("a", Priority.LOW)
    await desk.state("b", Priority.CRITICAL)
    await desk.clock.advance(1)
    newest = await desk.state("c", Priority.CRITICAL)
    seen = await desk.state("d", Priority.HIGH)
    await desk.service.acknowledge(seen.id, ANNA)
    summary = desk.service.summary()
    assert summary.counts == (2, 1, 0, 1)
    assert summary.unacknowledged == (2, 0, 0, 1)
    assert summary.worst == newest


async def test_a_hidden_alarm_is_counted_apart(desk: Desk) -> None:
    alarm = await desk.state()
    await desk.service.shelve(alarm.id, ANNA, 10, "known")
    summary = desk.service.summary()
    assert (summary.counts, summary.hidden, summary.worst) == ((0, 0, 0, 0), 1, None)

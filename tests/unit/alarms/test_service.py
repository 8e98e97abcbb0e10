"""The alarm service on a real journal, with time turned by hand."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.alarms.service import AlarmService
from app.clock import ManualClock
from app.core.actor import Actor
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.errors import ConflictError, InputError, NotFoundError, StoreError
from app.core.health import Health
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal, HistoryFilter

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANNA = Actor("anna", "ui")


class Desk:
    """A service with its journal, its clock and what it published."""

    def __init__(self, folder: Path, clock: ManualClock, settings: AlarmSettings) -> None:
        self.clock = clock
        self.path = folder / "alarms.sqlite"
        self.journal = AlarmJournal(self.path)
        self.journal.open()
        self.published: list[Alarm] = []
        self.service = AlarmService(settings, self.journal, clock, self.published.append)

    def finding(
        self,
        condition: str = "hot",
        priority: Priority | None = Priority.HIGH,
        *,
        latching: bool = False,
        agent: str = "vibration",
        age_s: float = 0.0,
    ) -> Finding:
        return Finding(
            agent=agent,
            condition=condition,
            equipment="site/area/line/P-102",
            found_at=self.clock.now() - timedelta(seconds=age_s),
            priority=priority,
            message=f"Pump is {condition}",
            latching=latching,
        )

    async def state(
        self,
        condition: str = "hot",
        priority: Priority | None = Priority.HIGH,
        *,
        latching: bool = False,
        agent: str = "vibration",
    ) -> Alarm:
        finding = self.finding(condition, priority, latching=latching, agent=agent)
        await self.service.handle([finding])
        return next(alarm for alarm in self.published[::-1] if alarm.finding.condition == condition)

    def events(self) -> list[str]:
        return [entry.event for entry in self.journal.entries()][::-1]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, clock, AlarmSettings())
    await made.service.start()
    yield made
    await made.service.stop()
    made.journal.close()


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        await asyncio.sleep(0.005)


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


async def test_everything_is_as_it_was_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    before = Desk(tmp_path, clock, AlarmSettings())
    await before.service.start()
    shelved = await before.state("shelved")
    await before.service.shelve(shelved.id, ANNA, 10, "known")
    await before.service.acknowledge((await before.state("seen")).id, ANNA)
    await before.state("latched", latching=True)
    await clock.advance(1)
    await before.state("latched", None)
    for index in range(10):
        await before.state(f"c{index}")
    expected, flood = before.service.alarms(), before.service.summary().flood
    await before.service.stop()
    before.journal.close()

    again = Desk(tmp_path, clock, AlarmSettings())
    await again.service.start()
    assert sorted(again.service.alarms(), key=lambda a: a.id) == sorted(
        expected, key=lambda a: a.id
    )
    assert again.service.summary().flood is flood is True
    await clock.advance(601)
    await until(lambda: again.service.get(shelved.id).state is AlarmState.UNACK)
    await again.service.stop()


async def test_nothing_shows_when_the_journal_cannot_be_written(desk: Desk) -> None:
    desk.journal.close()
    with pytest.raises(StoreError):
        await desk.service.handle([desk.finding("unknown")])
    assert (desk.service.alarms(), desk.published) == ([], [])
    assert desk.service.status.state is Health.FAILED


async def test_the_service_recovers_when_the_journal_does(desk: Desk) -> None:
    desk.journal.close()
    with pytest.raises(StoreError):
        await desk.service.handle([desk.finding()])
    desk.journal.open()
    await desk.state()
    assert desk.service.status.state is Health.OK
    assert desk.events() == ["raise"]


async def test_a_lost_journal_is_an_alarm_until_the_next_start(
    tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / "alarms.sqlite").write_bytes(b"no database" * 100)
    desk = Desk(tmp_path, clock, AlarmSettings())
    await desk.service.start()
    (alarm,) = desk.service.alarms()
    assert "corrupt-1" in alarm.finding.message
    await desk.service.stop()
    desk.journal.close()

    await clock.advance(1)
    again = Desk(tmp_path, clock, AlarmSettings())
    await again.service.start()
    assert again.service.get(alarm.id).state is AlarmState.RTN_UNACK
    await again.service.stop()


async def test_a_hundred_thousand_conditions_find_a_bound_and_a_reason(
    tmp_path: Path, clock: ManualClock
) -> None:
    desk = Desk(tmp_path, clock, AlarmSettings(max_alarms=100))
    await desk.service.start()
    await desk.service.handle([desk.finding(f"c{index}") for index in range(100_000)])
    assert len(desk.service.alarms()) == 100
    assert desk.service.summary().refused == 99_900
    assert desk.service.status.state is Health.DEGRADED
    assert "full (100)" in desk.service.status.reason
    own = desk.finding("component_trouble", agent="system")
    await desk.service.handle([own])
    assert any(alarm.finding == own for alarm in desk.service.alarms())
    await desk.service.stop()


async def test_low_alarms_leave_room_for_urgent_ones(tmp_path: Path, clock: ManualClock) -> None:
    desk = Desk(tmp_path, clock, AlarmSettings(max_alarms=100))
    await desk.service.start()
    await desk.service.handle([desk.finding(f"c{index}", Priority.LOW) for index in range(200)])
    assert len(desk.service.alarms()) == 80
    assert "full (80)" in desk.service.status.reason
    urgent = [desk.finding(f"u{index}", Priority.CRITICAL) for index in range(30)]
    await desk.service.handle(urgent)
    assert len(desk.service.alarms()) == 100
    assert "full (100)" in desk.service.status.reason
    await desk.service.stop()


async def test_room_that_is_free_again_is_used(tmp_path: Path, clock: ManualClock) -> None:
    desk = Desk(tmp_path, clock, AlarmSettings(max_alarms=100))
    await desk.service.start()
    await desk.service.handle([desk.finding(f"c{index}") for index in range(101)])
    first = desk.service.alarms()[0]
    await clock.advance(1)
    await desk.service.handle([desk.finding(first.finding.condition, None)])
    await desk.service.acknowledge(first.id, ANNA)
    await desk.service.handle([desk.finding("new")])
    assert any(alarm.finding.condition == "new" for alarm in desk.service.alarms())
    await clock.advance(61)
    await until(lambda: desk.service.status.state is Health.OK)
    await desk.service.stop()


async def test_an_alarm_counts_its_raises_also_when_memory_forgot_it(
    tmp_path: Path, clock: ManualClock
) -> None:
    first = Desk(tmp_path, clock, AlarmSettings())
    await first.service.start()
    alarm = await first.state()
    await first.service.acknowledge(alarm.id, ANNA)
    await clock.advance(100)
    await first.state(priority=None)
    await first.service.stop()
    first.journal.close()

    again = Desk(tmp_path, clock, AlarmSettings())
    await again.service.start()
    with pytest.raises(NotFoundError):
        again.service.get(alarm.id)
    assert (await again.state()).count == 2
    await again.service.stop()


async def test_a_finding_cannot_fill_the_memory(desk: Desk) -> None:
    huge = Finding(
        agent="a",
        condition="c",
        equipment="site/area/line/unit",
        found_at=desk.clock.now(),
        priority=Priority.LOW,
        message="x" * 100_000,
        evidence={f"e{index}": 1.0 for index in range(10_000)},
    )
    await desk.service.handle([huge])
    (alarm,) = desk.service.alarms()
    assert len(alarm.finding.message) == 500
    assert len(alarm.finding.evidence) == 50


async def test_a_listener_that_fails_does_not_stop_the_alarms(desk: Desk) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a screen broke")

    desk.service.on_change(fail)
    await desk.state("a")
    await desk.state("b")
    assert len(desk.service.alarms()) == 2


async def test_a_stopped_service_refuses(desk: Desk) -> None:
    await desk.service.stop()
    with pytest.raises(StoreError, match="does not run"):
        await desk.service.handle([desk.finding()])


async def test_requests_at_the_same_time_are_all_answered(desk: Desk) -> None:
    await asyncio.gather(*(desk.service.handle([desk.finding(f"c{i}")]) for i in range(300)))
    assert len(desk.service.alarms()) == 300
    assert [entry.number for entry in desk.journal.entries()] == list(range(300, 0, -1))


async def test_the_journal_of_a_killed_app_holds_all_that_was_answered(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.service.handle([desk.finding(f"c{index}") for index in range(20)])
    copy = tmp_path / "copy"
    copy.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{desk.path}{suffix}", copy)
    journal = AlarmJournal(copy / desk.path.name)
    journal.open()
    assert len(journal.load()) == 20
    journal.close()


async def test_history_holds_each_time_an_alarm_was_raised(desk: Desk) -> None:
    for _ in range(3):
        await desk.state()
        await desk.clock.advance(100)
        await desk.state(priority=None)
        await desk.clock.advance(100)
    rows, total = await desk.service.history(HistoryFilter(), limit=2)
    assert (len(rows), total) == (2, 3)
    assert [row.current for row in rows] == [True, False]


async def test_a_finding_of_the_future_counts_as_found_now(desk: Desk, clock: ManualClock) -> None:
    late = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14)))
    await desk.service.handle([replace(desk.finding(), found_at=late)])
    assert desk.service.alarms()[0].finding.found_at == clock.now()


async def test_alarms_work_on_after_the_clock_was_set_back(tmp_path: Path) -> None:
    ahead = Desk(tmp_path, ManualClock(START + timedelta(hours=1)), AlarmSettings())
    await ahead.service.start()
    await ahead.state()
    await ahead.service.stop()
    ahead.journal.close()
    desk = Desk(tmp_path, ManualClock(START), AlarmSettings())
    await desk.service.start()
    assert (await desk.state(priority=None)).active is False
    assert (await desk.state()).active is True
    await desk.service.stop()
    desk.journal.close()

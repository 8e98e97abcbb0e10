"""The alarm service through restarts, floods, full disks and wrong clocks."""

import asyncio
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.clock import ManualClock
from app.core.alarm import AlarmState, Finding, Priority
from app.core.errors import NotFoundError, StoreError
from app.core.health import Health
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal, HistoryFilter
from tests.unit.alarms.desk import ANNA, START, Desk, until


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
    assert "quarantined-1" in alarm.finding.message
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

"""What the historian does beside committing: rolls, retention and tidying that fail."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

import pytest

from app.clock import ManualClock
from app.core.errors import StoreError
from app.core.health import Health
from app.settings import HistorySettings
from app.store.arrow import hot_schema
from app.store.history import Historian
from app.store.lance import Lance
from tests.unit.store.plant_readings import TAG, reading, readings

T = TypeVar("T")
DAY_S = 86_400
LONG_S = 40.0  # on a busy machine
DAY = "day_20260101.lance"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 6, 1, 12, tzinfo=UTC))


async def driven(clock: ManualClock, work: Awaitable[T], step_s: float = 0.05) -> T:
    """Turn the clock until the work is done."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(LONG_S):
        while not task.done():
            await clock.advance(step_s)
            await asyncio.sleep(0.001)
    return task.result()


async def driven_until(clock: ManualClock, is_so: Callable[[], bool]) -> None:
    """Turn the clock until something is so."""
    async with asyncio.timeout(LONG_S):
        while not is_so():
            await clock.advance(0.05)
            await asyncio.sleep(0.001)


@pytest.fixture
async def historian(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[Historian]:
    """Return a historian with one past day in two parts, not yet left alone for long enough."""
    made = Historian(HistorySettings(retention_days=10, roll_s=60), tmp_path, clock)
    await made.start()
    for second in (0, 100):
        await driven(clock, made.append([*readings(10), reading(second + 20)]))
        await driven(clock, made.roll())
    yield made
    await driven(clock, made.stop())


async def leave_alone(historian: Historian, clock: ManualClock) -> None:
    """Let the day be quiet for long enough to be tidied, which is done after a roll."""
    await clock.advance(200)
    await driven(clock, historian.roll())


async def usual_wait_s(historian: Historian, clock: ManualClock) -> float:
    """Return the median wait of a durable reading; the clock runs on while it is written."""
    waits: list[float] = []
    for second in range(40):
        began = clock.monotonic()
        await driven(clock, historian.append([reading(second)]), step_s=0.01)
        waits.append(clock.monotonic() - began)
    return median(waits)


def damage(data: Path) -> None:
    for file in (data / "lancedb" / DAY / "data").iterdir():
        file.write_bytes(b"rubbish")


def refuse_rewrites(data: Path) -> None:
    """Put a file where the day's table notes its commits; it can still be read."""
    (data / "lancedb" / DAY / "_transactions").rename(data / "away")
    (data / "lancedb" / DAY / "_transactions").write_text("in the way")


def allow_rewrites(data: Path) -> None:
    (data / "lancedb" / DAY / "_transactions").unlink()
    (data / "away").rename(data / "lancedb" / DAY / "_transactions")


def moved_aside(data: Path) -> list[str]:
    return [path.parent.name for path in data.glob(f"lancedb.quarantined-*/{DAY}/data")]


async def test_a_damaged_day_found_while_tidying_is_moved_aside(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    damage(tmp_path)
    await leave_alone(historian, clock)
    await driven_until(clock, lambda: bool(moved_aside(tmp_path)))
    await driven_until(clock, lambda: historian.status.reason.startswith("Day 2026-01-01"))
    assert "was moved" in historian.status.reason
    assert historian.stats.days == 0


async def test_a_failing_tidy_is_named_and_moves_no_day_that_can_be_read(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    refuse_rewrites(tmp_path)
    await leave_alone(historian, clock)
    await driven_until(clock, lambda: historian.status.state is Health.DEGRADED)
    assert historian.status.reason.startswith("History of 2026-01-01 cannot be tidied: Table")
    allow_rewrites(tmp_path)
    await driven_until(clock, lambda: historian.status.state is Health.OK)
    assert moved_aside(tmp_path) == []
    assert await driven(clock, historian.count(TAG)) == 12


async def test_a_failing_tidy_refuses_and_delays_no_durable_reading(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    usual_s = await usual_wait_s(historian, clock)
    await driven(clock, historian.roll())
    refuse_rewrites(tmp_path)
    await leave_alone(historian, clock)
    await driven_until(clock, lambda: historian.status.state is Health.DEGRADED)
    meanwhile_s = await usual_wait_s(historian, clock)
    assert "cannot be tidied" in historian.status.reason
    assert meanwhile_s < 4 * usual_s  # 0.14 s each here; a wait for the next try is 1 s and more
    allow_rewrites(tmp_path)


async def test_a_roll_is_done_though_the_retention_after_it_fails(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    await clock.advance(11 * DAY_S)
    (tmp_path / "history.tmp").mkdir()
    await driven(clock, historian.roll())
    await driven_until(clock, lambda: historian.status.state is Health.DEGRADED)
    assert historian.status.reason.startswith("History of 2026-01-01 cannot be dropped: Catalogue")
    (tmp_path / "history.tmp").rmdir()
    await driven_until(clock, lambda: historian.status.state is Health.OK)
    assert not (tmp_path / "lancedb" / DAY).exists()
    assert historian.stats.days == 0


async def test_a_roll_is_not_done_before_its_end_while_the_retention_fails(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    await clock.advance(11 * DAY_S)
    (tmp_path / "history.tmp").mkdir()
    await driven(clock, historian.roll())
    await driven(clock, historian.append([reading(2 * DAY_S)]))
    rolled = asyncio.ensure_future(historian.roll())  # fails too
    began = clock.monotonic()
    await driven_until(clock, lambda: clock.monotonic() > began + 20)
    assert not rolled.done()
    (tmp_path / "history.tmp").rmdir()
    await driven(clock, rolled)
    assert (tmp_path / "lancedb" / "day_20260103.lance").exists()


async def test_a_failing_roll_is_named_and_durable_readings_are_taken(
    historian: Historian, clock: ManualClock, tmp_path: Path
):
    (tmp_path / "history.tmp").mkdir()
    await driven(clock, historian.append([reading(50)]))
    rolled = asyncio.ensure_future(historian.roll())
    await driven_until(clock, lambda: historian.status.state is Health.DEGRADED)
    assert historian.status.reason.startswith("History of 2026-01-01 cannot be rolled: Catalogue")
    await driven(clock, historian.append([reading(51)]))
    (tmp_path / "history.tmp").rmdir()
    await driven(clock, rolled)
    assert await driven(clock, historian.count(TAG)) == 14


async def test_a_roll_after_the_stop_is_refused(tmp_path: Path, clock: ManualClock):
    historian = Historian(HistorySettings(), tmp_path, clock)
    await historian.start()
    await driven(clock, historian.stop())
    with pytest.raises(StoreError, match="stopped"):
        await asyncio.wait_for(historian.roll(), LONG_S)


async def test_an_empty_write_ahead_table_is_dropped(tmp_path: Path, clock: ManualClock):
    left = Lance(str(tmp_path / "lancedb"))  # by a process that died before its first commit
    left.create("telemetry_hot_00000001", hot_schema())
    historian = Historian(HistorySettings(), tmp_path, clock)
    await historian.start()
    await driven(clock, historian.roll())
    await driven(clock, historian.stop())
    assert left.names() == []

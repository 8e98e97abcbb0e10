"""The historian over real LanceDB tables in a scratch folder."""

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from msgspec.structs import replace

from app.clock import ManualClock, SystemClock
from app.core.errors import StoreError, StoreOpeningError, TopicError
from app.core.health import Health
from app.core.reading import Quality
from app.settings import HistorySettings
from app.store.history import Historian
from app.store.series import BAD, to_us
from tests.processes import eventually
from tests.unit.store.plant_readings import ALWAYS, START, TAG, reading, readings

T = TypeVar("T")
OTHER = "site/area/line/unit/other"


@asynccontextmanager
async def running(data: Path, **settings: float) -> AsyncGenerator[Historian]:
    historian = Historian(HistorySettings.model_validate(settings), data, SystemClock())
    await historian.start()
    try:
        yield historian
    finally:
        await historian.stop()


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[Historian]:
    async with running(tmp_path) as made:
        yield made


def hot_tables(data: Path) -> list[Path]:
    return sorted((data / "lancedb").glob("telemetry_hot_*.lance"))


def day_tables(data: Path) -> list[Path]:
    return sorted((data / "lancedb").glob("day_*.lance"))


def moved_aside(data: Path) -> list[str]:
    moved = {path.name for path in data.glob("lancedb.quarantined-*/*")}
    return sorted(moved - {"reason.txt"})


def spoil(table: Path, pattern: str = "data/*") -> None:
    for file in table.glob(pattern):
        file.write_bytes(b"rubbish")


async def test_starting_returns_before_the_store_is_open(tmp_path: Path):
    async with running(tmp_path) as historian:
        assert historian.status.state is Health.STARTING
        await historian.append([])
        assert historian.status.state is Health.OK


async def test_a_store_that_is_not_open_yet_is_soon_said_to_open(tmp_path: Path):
    historian = Historian(HistorySettings(), tmp_path, SystemClock())
    with pytest.raises(StoreOpeningError, match="still being opened") as refused:
        await asyncio.wait_for(historian.ready(), 10)
    assert "Historian on Health" in refused.value.hint
    await historian.stop()


async def test_a_store_that_cannot_be_opened_is_not_said_to_open(tmp_path: Path):
    (tmp_path / "file").touch()
    async with running(tmp_path / "file") as historian:
        await eventually(lambda: historian.status.state is Health.DEGRADED)
        with pytest.raises(StoreError, match="not open") as refused:
            await historian.ready()
    assert not isinstance(refused.value, StoreOpeningError)


async def test_a_stopped_store_is_not_said_to_open(tmp_path: Path):
    historian = Historian(HistorySettings(), tmp_path, SystemClock())
    await historian.stop()
    with pytest.raises(StoreError, match="stopped") as refused:
        await historian.ready()
    assert not isinstance(refused.value, StoreOpeningError)


async def test_live_readings_taken_while_the_store_opens_are_kept(tmp_path: Path):
    async with running(tmp_path) as historian:
        historian.add(readings(10))
        await historian.append([])
    async with running(tmp_path) as again:
        assert await again.count(TAG) == 10


async def test_recent_readings_are_there_again_after_a_restart(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(10))
    async with running(tmp_path) as historian:
        await historian.count(TAG)
        assert len(historian.recent(TAG, START)) == 10


async def test_history_survives_a_restart_before_and_after_a_roll(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(100))
        await historian.roll()
        await historian.append([reading(200, 7.0)])
    async with running(tmp_path) as again:
        series = await again.range(TAG, *ALWAYS, 1000)
        assert np.count_nonzero(np.isfinite(series.values)) == 101
        assert series.values[-1] == 7.0


async def test_a_stop_stores_what_waits(tmp_path: Path):
    async with running(tmp_path, flush_s=10) as historian:
        await historian.append([])
        historian.add(readings(5))
    async with running(tmp_path) as again:
        assert await again.count() == 5


async def test_readings_are_seen_at_once(historian: Historian):
    historian.add(readings(5))
    assert len(historian.recent(TAG, START)) == 5
    assert len(await historian.range(TAG, *ALWAYS, 100)) == 5


async def test_a_range_joins_day_tables_and_memory(historian: Historian):
    await historian.append(readings(50, every_s=3600))
    await historian.roll()
    historian.add([reading(50 * 3600, 50.0)])
    series = await historian.range(TAG, START, START + timedelta(hours=51), 1000)
    assert series.values.tolist() == [float(hour) for hour in range(51)]


async def test_a_range_takes_the_start_and_leaves_the_end(historian: Historian):
    await historian.append(readings(10, every_s=3600))
    await historian.roll()
    start, end = START + timedelta(hours=2), START + timedelta(hours=5)
    assert (await historian.range(TAG, start, end, 100)).values.tolist() == [2, 3, 4]


async def test_the_same_reading_again_counts_once(historian: Historian):
    await historian.append(readings(20))
    await historian.append(readings(20))
    await historian.roll()
    await historian.append(readings(20))
    await historian.roll()
    assert await historian.count() == 20


async def test_a_corrected_value_replaces_the_old_one(historian: Historian):
    await historian.append([reading(1, 1.0)])
    await historian.roll()
    await historian.append([reading(1, 2.0)])
    assert (await historian.range(TAG, *ALWAYS, 10)).values.tolist() == [2.0]
    await historian.roll()
    assert (await historian.range(TAG, *ALWAYS, 10)).values.tolist() == [2.0]


async def test_tags_and_times_do_not_mix(historian: Historian):
    await historian.append(readings(30, tags=(TAG, OTHER)))
    await historian.roll()
    assert await historian.counts() == {OTHER: 30, TAG: 30}


async def test_quality_and_missing_values_are_kept(historian: Historian):
    bad = replace(reading(1, None), quality=Quality.BAD)
    await historian.append([reading(0), bad, reading(2)])
    await historian.roll()
    series = await historian.range(TAG, *ALWAYS, 10)
    assert np.isnan(series.values).tolist() == [False, True, False]
    assert series.qualities[1] == BAD


async def test_export_has_every_reading_with_words_for_quality(historian: Historian):
    await historian.append(readings(3, tags=(TAG, OTHER)))
    await historian.roll()
    table = await historian.export([TAG, OTHER], *ALWAYS)
    assert table.column_names == ["tag", "source_time", "value", "quality"]
    assert table.num_rows == 6
    first = table.to_pylist()[0]
    assert (first["tag"], to_us(first["source_time"]), first["quality"]) == (
        TAG,
        to_us(START),
        "good",
    )


async def test_an_export_of_nothing_has_its_columns(historian: Historian):
    table = await historian.export([], *ALWAYS)
    assert (table.num_rows, table.column_names[0]) == (0, "tag")


@pytest.mark.parametrize("tag", ["a/b", "a/b/c/d/e' OR '1'='1", "a/b/c/d/e f", "", "a//c/d/e"])
async def test_a_tag_that_is_no_path_is_refused_everywhere(historian: Historian, tag: str):
    with pytest.raises(TopicError):
        await historian.range(tag, *ALWAYS, 10)
    with pytest.raises(TopicError):
        await historian.export([tag], *ALWAYS)
    with pytest.raises(TopicError):
        await historian.append([reading(0), reading(1, tag=tag)])
    historian.add([reading(2, tag=tag)])
    assert historian.stats.dropped == 1
    assert await historian.count() == 0


async def test_an_unknown_tag_has_no_history(historian: Historian):
    assert len(await historian.range(TAG, *ALWAYS, 10)) == 0
    assert await historian.count(TAG) == 0


async def test_a_crash_between_day_table_and_write_ahead_doubles_nothing(tmp_path: Path):
    data, copy = tmp_path / "data", tmp_path / "copy"
    async with running(data) as historian:
        await historian.append(readings(100))
    (hot,) = hot_tables(data)
    shutil.copytree(hot, copy)
    async with running(data) as historian:
        await historian.roll()
    assert hot_tables(data) == []
    shutil.copytree(copy, hot)  # as if the roll had died before it dropped the table
    async with running(data) as historian:
        await historian.roll()
        assert await historian.count() == 100


async def test_a_disk_that_refuses_fails_appends_and_keeps_live_readings(tmp_path: Path):
    async with running(tmp_path, flush_s=0.1) as historian:
        await historian.append([reading(0)])
        (hot,) = hot_tables(tmp_path)
        shutil.move(hot / "data", hot / "away")
        (hot / "data").write_text("in the way")
        with pytest.raises(StoreError):
            await historian.append([reading(1, tag=OTHER)])
        historian.add([reading(2)])
        assert historian.status.state is Health.DEGRADED
        assert "Free disk space" not in historian.status.remedy  # there is enough
        assert "telemetry_hot" in historian.status.reason
        (hot / "data").unlink()
        shutil.move(hot / "away", hot / "data")
        await eventually(lambda: historian.status.state is Health.OK)
        await historian.append([])
    async with running(tmp_path) as again:
        assert await again.count(TAG) == 2


@pytest.mark.parametrize("what", ["data", "_versions", "."])
async def test_a_write_ahead_table_that_goes_while_running_is_replaced(tmp_path: Path, what: str):
    async with running(tmp_path, flush_s=0.1) as historian:
        await historian.append([reading(0)])
        (hot,) = hot_tables(tmp_path)
        shutil.rmtree(hot / what)
        (hot if what == "." else hot / what).write_text("in the way")
        historian.add([reading(1)])
        await eventually(lambda: historian.status.state is Health.DEGRADED)
        await eventually(lambda: historian.status.state is Health.OK)
        await historian.append([reading(2)])
        await historian.roll()
    async with running(tmp_path) as again:
        assert await again.count(TAG) == 3


async def test_too_many_waiting_readings_are_dropped_and_counted(tmp_path: Path):
    historian = Historian(HistorySettings(), tmp_path, SystemClock())
    part = readings(50_000)
    for _ in range(5):
        historian.add(part)
    assert historian.stats.dropped == 50_000
    with pytest.raises(StoreError):
        await historian.append(part)


async def test_an_append_after_the_stop_is_refused(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append([reading(0)])
    with pytest.raises(StoreError):
        await historian.append([reading(1)])
    assert historian.status.state is Health.STOPPED


async def test_a_store_that_is_a_file_is_moved_aside(tmp_path: Path):
    (tmp_path / "lancedb").write_text("not a folder")
    async with running(tmp_path) as historian:
        await historian.append([reading(0)])
        assert historian.status.state is Health.DEGRADED
        assert "quarantined" in historian.status.reason
    assert moved_aside(tmp_path) == ["lancedb"]


async def test_a_damaged_write_ahead_table_is_moved_aside_and_the_days_stay(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(10))
        await historian.roll()
        await historian.append([reading(99)])
    (hot,) = hot_tables(tmp_path)
    spoil(hot, "**/*.manifest")
    async with running(tmp_path) as again:
        assert await again.count() == 10
        assert "moved" in again.status.reason
        await again.append([reading(100)])
        assert await again.count() == 11
    assert moved_aside(tmp_path) == [hot.name]


@pytest.mark.parametrize("parts", [(), ("_versions", "_transactions"), ("_versions", "data")])
@pytest.mark.parametrize("name", ["telemetry_hot_00000099", "day_20260301"])
async def test_an_empty_folder_that_a_full_disk_left_is_dropped_and_no_damage(
    tmp_path: Path, name: str, parts: tuple[str, ...]
):
    async with running(tmp_path) as historian:
        await historian.append(readings(10))
    empty = tmp_path / "lancedb" / f"{name}.lance"
    for part in ("", *parts):
        (empty / part).mkdir()
    async with running(tmp_path) as again:
        assert await again.count() == 10
        assert (again.status.state, again.status.reason) == (Health.OK, "")
        await again.append([reading(99)])
        assert await again.count() == 11
    assert (moved_aside(tmp_path), empty.exists()) == ([], False)


@pytest.mark.parametrize("part", ["data", "_versions"])
async def test_a_table_of_which_something_is_left_is_moved_aside_and_not_dropped(
    tmp_path: Path, part: str
):
    async with running(tmp_path) as historian:
        await historian.append(readings(10))
    (hot,) = hot_tables(tmp_path)
    shutil.rmtree(hot / part)
    async with running(tmp_path) as again:
        assert await again.count() == 0
        assert "moved" in again.status.reason
    assert moved_aside(tmp_path) == [hot.name]


async def test_a_damaged_day_is_left_out_moved_aside_and_named(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(4, every_s=86_400))
        await historian.roll()
    damaged = day_tables(tmp_path)[1]
    spoil(damaged)
    async with running(tmp_path) as again:
        assert (await again.range(TAG, *ALWAYS, 10)).values.tolist() == [0, 2, 3]
        await eventually(lambda: moved_aside(tmp_path) == [damaged.name])
        assert await again.count() == 3
        await eventually(lambda: "2026-01-02" in again.status.reason)


async def test_counting_past_a_damaged_day_moves_it_aside(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(4, every_s=86_400))
        await historian.roll()
    damaged = day_tables(tmp_path)[1]
    spoil(damaged)
    async with running(tmp_path) as again:
        assert await again.counts() == {TAG: 3}
        await eventually(lambda: moved_aside(tmp_path) == [damaged.name])


@pytest.mark.parametrize("pattern", ["data/*", "_versions/*"])
async def test_a_roll_into_a_damaged_day_moves_it_aside_and_is_done_again(
    tmp_path: Path, pattern: str
):
    async with running(tmp_path) as historian:
        await historian.append(readings(10))
        await historian.roll()
    (damaged,) = day_tables(tmp_path)
    spoil(damaged, pattern)
    async with running(tmp_path) as again:
        await again.append([reading(11), reading(12)])
        await asyncio.wait_for(again.roll(), 15)
        assert await again.count() == 2
        assert "2026-01-01" in again.status.reason
    assert moved_aside(tmp_path) == [damaged.name]


async def test_a_damaged_catalogue_is_made_anew_from_the_tables(tmp_path: Path):
    async with running(tmp_path) as historian:
        await historian.append(readings(3, every_s=86_400))
        await historian.roll()
    (tmp_path / "history.json").write_text('{"2026-01-01": rubbish')
    async with running(tmp_path) as again:
        assert await again.count() == 3
        assert again.stats.days == 3


async def driven(clock: ManualClock, work: Awaitable[T]) -> T:
    """Turn the clock until the work is done."""
    task = asyncio.ensure_future(work)
    async with asyncio.timeout(20):
        while not task.done():
            await clock.advance(0.05)
            await asyncio.sleep(0.001)
    return task.result()


async def test_a_day_is_dropped_when_its_last_write_is_older_than_the_retention(tmp_path: Path):
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    historian = Historian(HistorySettings(retention_days=10), tmp_path, clock)
    await historian.start()
    await driven(clock, historian.append(readings(2, every_s=86_400)))
    await driven(clock, historian.roll())
    assert historian.stats.days == 2  # replayed from January, written now: not dropped
    await clock.advance(9 * 86_400)
    await driven(clock, historian.append([reading(1)]))
    await driven(clock, historian.roll())
    assert historian.stats.days == 2
    await clock.advance(2 * 86_400)
    await driven(clock, historian.append([reading(30 * 86_400)]))
    await driven(clock, historian.roll())
    assert historian.stats.oldest == START.date()  # written again nine days later
    assert await driven(clock, historian.count()) == 3
    await driven(clock, historian.stop())

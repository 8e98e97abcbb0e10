"""Day tables over real LanceDB tables."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import StoreError
from app.store.arrow import chunk_rows
from app.store.catalogue import Catalogue, Day
from app.store.chunks import DayTables, by_day, table_name
from app.store.lance import Lance
from app.store.series import BAD, HOUR_US, Columns, columns, join, to_us

DAY = date(2026, 1, 1)
BEGIN_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))
NEXT_DAY = datetime(2026, 1, 2, 6, tzinfo=UTC)
TAGS = [f"s/a/l/u/t{number}" for number in range(5)]
QUIET = timedelta(hours=2)


def series(first_s: int, count: int, value: float = 1.0) -> dict[str, Columns]:
    times = [BEGIN_US + (first_s + second) * 1_000_000 for second in range(count)]
    return {tag: columns(times, [value] * count, [0] * count) for tag in TAGS}


@pytest.fixture
def lance(tmp_path: Path) -> Lance:
    return Lance(str(tmp_path / "lancedb"))


@pytest.fixture
def tables(lance: Lance, tmp_path: Path) -> DayTables:
    made = DayTables(lance, Catalogue.load(tmp_path / "history.json"))
    made.find(NEXT_DAY)
    return made


def values(tables: DayTables, tag: str = TAGS[0]) -> list[float]:
    return tables.read(tag, BEGIN_US, BEGIN_US + 24 * HOUR_US).values.tolist()


def test_late_readings_of_an_hour_are_read_with_the_others(tables: DayTables):
    tables.put(DAY, series(10, 3, 2.0), NEXT_DAY)
    tables.put(DAY, series(0, 3, 1.0), NEXT_DAY)
    assert values(tables) == [1, 1, 1, 2, 2, 2]


def test_tidying_joins_parts_into_one_row_a_tag_hour_and_changes_no_answer(
    tables: DayTables, lance: Lance
):
    tables.put(DAY, series(0, 100, 1.0), NEXT_DAY)
    tables.put(DAY, series(50, 100, 2.0), NEXT_DAY)
    before = values(tables)
    assert lance.open(table_name(DAY)).count() == 10
    tables.tidy(DAY, NEXT_DAY)
    assert lance.open(table_name(DAY)).count() == 5
    assert values(tables) == before == [1.0] * 50 + [2.0] * 100
    assert tables.counts(without=()) == dict.fromkeys(TAGS, 150)
    assert tables.catalogue.days[DAY].rows == 750


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[DayTables, Columns]:
    """Return three days, one in parts with late and repeated readings, one tidied, and all rows."""
    home = tmp_path_factory.mktemp("three")
    made = DayTables(Lance(str(home / "lancedb")), Catalogue.load(home / "history.json"))
    everything: list[Columns] = []
    for number, (first_s, step_s) in enumerate([(7200, 600), (0, 600), (6900, 450)] * 3):
        times = BEGIN_US + (number // 3 * 86_400 + first_s + np.arange(100) * step_s) * 1_000_000
        part = Columns(times, np.arange(100.0) + 1000 * number, np.zeros(100, np.uint8))
        everything.append(part)
        for day, of_day in by_day({TAGS[0]: part, TAGS[1]: part}).items():
            made.put(day, of_day, NEXT_DAY)
    made.tidy(DAY + timedelta(days=1), NEXT_DAY)
    return made, join(everything)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.integers(-3600, 3 * 86_400 + 3600), st.integers(0, 3 * 86_400))
def test_any_span_gives_what_was_last_written_in_it(
    three_days: tuple[DayTables, Columns], first_s: int, span_s: int
):
    tables, everything = three_days
    start_us = BEGIN_US + first_s * 1_000_000
    end_us = start_us + span_s * 1_000_000
    wanted, found = everything.between(start_us, end_us), tables.read(TAGS[0], start_us, end_us)
    assert np.array_equal(found.times_us, wanted.times_us)
    assert np.array_equal(found.values, wanted.values)


def test_a_day_that_was_read_before_shows_what_is_written_after(lance: Lance, tables: DayTables):
    tables.put(DAY, series(0, 2, 1.0), NEXT_DAY)
    again = DayTables(Lance(lance.uri), tables.catalogue)
    assert values(again) == [1, 1]
    again.put(DAY, series(2, 2, 2.0), NEXT_DAY)
    assert values(again) == [1, 1, 2, 2]
    again.drop(DAY)
    again.put(DAY, series(0, 1, 3.0), NEXT_DAY)
    assert values(again) == [3]


def test_a_tidied_day_takes_late_readings_again(tables: DayTables):
    tables.put(DAY, series(0, 2, 1.0), NEXT_DAY)
    tables.tidy(DAY, NEXT_DAY)
    tables.put(DAY, series(1, 2, 3.0), NEXT_DAY)
    assert values(tables) == [1, 3, 3]


@pytest.mark.parametrize(
    ("parts", "left_alone_s", "is_untidy"),
    [(1, 86_400, False), (2, 86_400, True), (2, 60, False)],
)
def test_only_past_days_in_parts_that_were_left_alone_are_tidied(
    tables: DayTables, parts: int, left_alone_s: float, is_untidy: bool
):
    for part in range(parts):
        tables.put(DAY, series(part, 1), NEXT_DAY)
    now = NEXT_DAY + timedelta(seconds=left_alone_s)
    assert (tables.untidy(now, QUIET) == DAY) is is_untidy


def test_today_is_left_in_parts(tables: DayTables):
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for part in range(3):
        tables.put(DAY, series(part, 1), noon)
    assert tables.untidy(noon + timedelta(hours=11), QUIET) is None


def test_a_dropped_day_is_gone_and_no_error(tables: DayTables):
    tables.put(DAY, series(0, 1), NEXT_DAY)
    tables.drop(DAY)
    assert values(tables) == []
    assert tables.unreadable == {}


def test_a_damaged_day_is_left_out_of_the_counts(tables: DayTables, tmp_path: Path):
    tables.put(DAY, series(0, 3), NEXT_DAY)
    tables.put(NEXT_DAY.date(), series(86_400, 2), NEXT_DAY)
    for file in (tmp_path / "lancedb" / f"{table_name(DAY)}.lance" / "data").iterdir():
        file.write_bytes(b"rubbish")
    assert tables.counts(without=()) == dict.fromkeys(TAGS, 2)
    assert list(tables.unreadable) == [DAY]


def test_a_foreign_table_is_no_day(tables: DayTables, lance: Lance):
    lance.create("day_one", chunk_rows(series(0, 1), 0).schema)
    lance.create("day_20269999", chunk_rows(series(0, 1), 0).schema)
    tables.find(NEXT_DAY)
    assert tables.catalogue.days == {}


def test_readings_are_split_at_midnight():
    times = [BEGIN_US - 1, BEGIN_US, BEGIN_US + 24 * HOUR_US]
    days = by_day({TAGS[0]: columns(times, [1, 2, 3], [0, 0, 0])})
    assert [(day, part[TAGS[0]].values.tolist()) for day, part in days.items()] == [
        (date(2025, 12, 31), [1]),
        (date(2026, 1, 1), [2]),
        (date(2026, 1, 2), [3]),
    ]


def test_a_row_tells_least_greatest_and_mean_of_usable_values():
    times = [BEGIN_US, BEGIN_US + 1, BEGIN_US + 2, BEGIN_US + HOUR_US]
    given = columns(times, [1.0, 3.0, 99.0, float("nan")], [0, 1, BAD, BAD])
    first, second = chunk_rows({TAGS[0]: given}, 0).to_pylist()
    assert (first["minimum"], first["maximum"], first["mean"], first["count"]) == (1, 3, 2, 3)
    assert np.isnan([second["minimum"], second["maximum"], second["mean"]]).all()


def test_a_catalogue_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    catalogue = Catalogue(tmp_path / "file" / "history.json", {})
    with pytest.raises(StoreError, match=r"history\.json"):
        catalogue.put(DAY, Day(NEXT_DAY))


def test_a_time_that_no_calendar_holds_stops_no_roll():
    beyond = to_us(datetime.max.replace(tzinfo=UTC)) + 14 * HOUR_US
    times = [-(10**17), BEGIN_US, beyond]
    assert list(by_day({TAGS[0]: columns(times, [1.0] * 3, [0] * 3)})) == [DAY]


def bytes_on_disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_a_tidied_day_is_rid_of_the_files_of_before_once_nobody_reads_them(
    tables: DayTables, lance: Lance
):
    for hour in range(6):
        tables.put(DAY, series(hour * 2000, 2000, hour * 1.1), NEXT_DAY)
    seen = values(tables)
    tables.tidy(DAY, NEXT_DAY)
    with_old = bytes_on_disk(Path(lance.uri))
    assert tables.littered(NEXT_DAY + timedelta(minutes=29)) is None
    assert tables.littered(NEXT_DAY + timedelta(minutes=31)) == DAY
    tables.clean(DAY)
    assert bytes_on_disk(Path(lance.uri)) < 0.7 * with_old
    assert values(tables) == seen
    assert tables.littered(NEXT_DAY + timedelta(days=9)) is None


@pytest.mark.parametrize("work", ["tidy", "clean"])
def test_a_day_that_cannot_be_read_is_noted_by_who_works_on_it_and_left_alone_then(
    tables: DayTables, tmp_path: Path, work: str
):
    for part in range(2):
        tables.put(DAY, series(part, 1), NEXT_DAY)
    for file in (tmp_path / "lancedb" / f"{table_name(DAY)}.lance" / "data").iterdir():
        file.write_bytes(b"rubbish")
    works = {"tidy": lambda: tables.tidy(DAY, NEXT_DAY), "clean": lambda: tables.clean(DAY)}
    with pytest.raises(StoreError):
        works[work]()
    assert list(tables.unreadable) == [DAY]
    assert tables.untidy(NEXT_DAY + QUIET, QUIET) is None


def test_a_disk_that_refuses_to_tidy_a_day_that_can_be_read_is_no_damage(
    tables: DayTables, tmp_path: Path
):
    for part in range(2):
        tables.put(DAY, series(part, 1), NEXT_DAY)
    commits = tmp_path / "lancedb" / f"{table_name(DAY)}.lance" / "_transactions"
    commits.rename(tmp_path / "away")
    commits.write_text("in the way")
    with pytest.raises(StoreError, match="rewritten"):
        tables.tidy(DAY, NEXT_DAY)
    assert tables.unreadable == {}
    assert tables.untidy(NEXT_DAY + QUIET, QUIET) == DAY


def test_a_day_that_could_not_be_dropped_is_dropped_the_next_time(
    tables: DayTables, lance: Lance, tmp_path: Path
):
    tables.put(DAY, series(0, 1), NEXT_DAY)
    (tmp_path / "history.tmp").mkdir()
    with pytest.raises(StoreError, match=r"history\.json"):
        tables.drop(DAY)
    (tmp_path / "history.tmp").rmdir()
    assert tables.expired(NEXT_DAY + QUIET, QUIET / 2) == [DAY]
    tables.drop(DAY)
    assert lance.names() == []

"""The alarm journal: append-only, without gaps, on disk, and readable after trouble."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.core.alarm import AlarmState, Finding, JournalEntry, Priority
from app.core.alarm_record import AlarmRecord, Change, alarm_id, first_record
from app.core.errors import StoreError
from app.store.journal import AlarmJournal, HistoryFilter

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> AlarmJournal:
    made = AlarmJournal(tmp_path / "alarms.sqlite")
    made.open()
    return made


def record(condition: str = "hot", unit: str = "P-1", second: float = 0) -> AlarmRecord:
    at = START + timedelta(seconds=second)
    finding = Finding(
        agent="limits",
        condition=condition,
        equipment=f"site/area/line/{unit}",
        found_at=at,
        priority=Priority.HIGH,
        message=f"{condition} at {unit}",
    )
    fresh = first_record(finding, at)
    return replace(fresh, alarm=replace(fresh.alarm, state=AlarmState.UNACK, active=True))


def change(taken: AlarmRecord, event: str = "raise", second: float = 0) -> Change:
    finding = taken.alarm.finding
    entry = JournalEntry(
        number=0,
        at=START + timedelta(seconds=second),
        alarm_id=taken.alarm.id,
        actor="system",
        event=event,
        old=AlarmState.NORMAL,
        new=taken.alarm.state,
        why="because",
        priority=int(finding.priority or 4),
        equipment=finding.equipment,
        message=finding.message,
        value=1.5,
        source="system",
    )
    return Change(entry, taken)


def sql(journal: AlarmJournal, statement: str) -> None:
    with sqlite3.connect(journal._path) as connection:  # pyright: ignore[reportPrivateUsage]  an intruder opens the file
        connection.execute(statement)
    connection.close()


def test_lines_are_numbered_from_one_without_gaps(journal: AlarmJournal) -> None:
    first = journal.append([change(record()), change(record("cold"))])
    second = journal.append([change(record("wet"))])
    assert [entry.number for entry in first + second] == [1, 2, 3]


def test_a_line_is_read_as_it_was_written(journal: AlarmJournal) -> None:
    (written,) = journal.append([change(record())])
    assert journal.entries() == [written]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET actor = 'nobody'",
        "DELETE FROM journal",
        "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE number = 1",
        "INSERT INTO journal SELECT number + 7, at, alarm_id, actor, source, event, old, new,"
        " why, priority, equipment, message, value FROM journal WHERE number = 1",
    ],
)
def test_nobody_changes_what_was_written(journal: AlarmJournal, statement: str) -> None:
    written = journal.append([change(record())])
    with pytest.raises(sqlite3.IntegrityError, match="alarm journal"):
        sql(journal, statement)
    assert journal.entries() == written


def test_a_batch_that_fails_leaves_nothing_and_no_gap(journal: AlarmJournal) -> None:
    broken = change(record())
    broken = Change(replace(broken.entry, value="not a number"), broken.record)  # pyright: ignore[reportArgumentType]  that is the trouble
    with pytest.raises(StoreError):
        journal.append([change(record()), broken])
    assert journal.entries() == []
    assert journal.append([change(record())])[0].number == 1


def test_alarms_and_lines_are_there_after_a_restart(journal: AlarmJournal, tmp_path: Path) -> None:
    journal.append([change(record())])
    journal.close()
    again = AlarmJournal(tmp_path / "alarms.sqlite")
    again.open()
    assert again.load() == [record()]
    assert again.moved_aside is None


def test_a_normal_alarm_is_not_loaded_but_found(journal: AlarmJournal) -> None:
    normal = record()
    normal = replace(normal, alarm=replace(normal.alarm, state=AlarmState.NORMAL))
    journal.append([change(normal)])
    assert journal.load() == []
    assert journal.find([normal.alarm.id, "unknown"]) == [normal]


def test_a_damaged_page_is_found_when_the_file_is_opened(
    journal: AlarmJournal, tmp_path: Path
) -> None:
    journal.append([change(record(f"c{index}")) for index in range(300)])
    journal.close()
    path = tmp_path / "alarms.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 6] = b"\xff" * 8192
    path.write_bytes(bytes(content))
    again = AlarmJournal(path)
    again.open()
    assert again.moved_aside is not None
    assert again.load() == []


def test_a_closed_journal_says_so(journal: AlarmJournal) -> None:
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="not open"):
        journal.append([change(record())])


def test_an_alarm_of_another_version_hides_no_other(journal: AlarmJournal) -> None:
    old, ours = record("old"), record("ours")
    journal.append([change(old), change(ours)])
    sql(journal, "UPDATE alarms SET record = x'7b' WHERE occurrence = 1")
    sql(journal, "UPDATE occurrences SET alarm = x'7b' WHERE number = 1")
    assert [each.alarm.id for each in journal.load()] == [ours.alarm.id]
    assert journal.find([old.alarm.id]) == []
    assert [each.alarm.id for each in journal.occurrences(HistoryFilter(), 9)] == [ours.alarm.id]
    journal.append([change(old, second=1)])
    assert len(journal.load()) == 2


def test_lines_are_found_by_time_and_alarm(journal: AlarmJournal) -> None:
    journal.append([change(record(), second=second) for second in (0, 10, 20)])
    journal.append([change(record("cold"), second=15)])
    within = journal.entries(START + timedelta(seconds=10), START + timedelta(seconds=20))
    assert [entry.number for entry in within] == [4, 2]
    assert [entry.number for entry in journal.entries(alarm_id=record("cold").alarm.id)] == [4]


def test_lines_are_paged_by_number(journal: AlarmJournal) -> None:
    journal.append([change(record(), second=second) for second in range(5)])
    page = journal.entries(limit=2)
    assert [entry.number for entry in page] == [5, 4]
    assert [entry.number for entry in journal.entries(limit=2, before=4)] == [3, 2]


def test_each_time_an_alarm_is_raised_is_an_occurrence(journal: AlarmJournal) -> None:
    first, second = record(), record(second=60)
    journal.append([change(first), change(first, "acknowledge", 5), change(second, second=60)])
    rows = journal.occurrences(HistoryFilter(), 10)
    assert [(row.number, row.current) for row in rows] == [(3, True), (1, False)]
    assert journal.count_occurrences(HistoryFilter()) == 2


@pytest.mark.parametrize(
    ("wanted", "units"),
    [
        (HistoryFilter(equipment="site/area/line/P-1"), {"P-1"}),
        (HistoryFilter(equipment="site/area"), {"P-1", "P-10", "P_1"}),
        (HistoryFilter(equipment="site/area/line/P_1"), {"P_1"}),
        (HistoryFilter(equipment="site/are"), set[str]()),
        (HistoryFilter(text="AT p-1"), {"P-1", "P-10"}),
        (HistoryFilter(text="%"), set[str]()),
        (HistoryFilter(text="'; DROP TABLE journal; --"), set[str]()),
        (HistoryFilter(priorities=(2,)), {"P-1", "P-10", "P_1"}),
        (HistoryFilter(priorities=(1, 3)), set[str]()),
        (HistoryFilter(states=(AlarmState.UNACK,)), {"P-1", "P-10", "P_1"}),
        (HistoryFilter(states=(AlarmState.SHELVED,)), set[str]()),
        (HistoryFilter(end=START), set[str]()),
    ],
)
def test_history_is_filtered(journal: AlarmJournal, wanted: HistoryFilter, units: set[str]) -> None:
    journal.append([change(record(unit=unit)) for unit in ("P-1", "P-10", "P_1")])
    rows = journal.occurrences(wanted, 10)
    assert {row.alarm.finding.equipment.rpartition("/")[2] for row in rows} == units
    assert journal.count_occurrences(wanted) == len(units)


def test_an_alarm_keeps_its_id_for_ever() -> None:
    # Ids stand in retained topics, links and journals: a change of the hash would orphan them.
    assert alarm_id(record().alarm.finding) == "4ba7cadbfc600f07"

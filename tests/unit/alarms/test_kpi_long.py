"""Key figures of more journal lines than one reading takes."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.alarms.kpi import compute_kpi
from app.alarms.service import AlarmService
from app.clock import ManualClock
from app.core.alarm import AlarmState, JournalEntry
from app.core.errors import InputError
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal
from tests.unit.alarms.desk import START

LINES = 100_600
END = START + timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def filled(path: Path, lines: int, step: timedelta) -> AlarmJournal:
    """Return a journal in which 40 alarms come in turn, each acknowledged a step later."""
    journal = AlarmJournal(path)
    journal.open()
    journal.close()
    first = (START - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
    moves = (("raise", "normal", "unack"), ("acknowledge", "unack", "ack"))
    rows = (
        (
            index + 1,
            first + index * (step // MICROSECOND),
            f"alarm-{index // 2 % 40}",
            *moves[index % 2],
            1 + index // 2 % 4,
        )
        for index in range(lines)
    )
    connection = sqlite3.connect(path)
    with connection:
        connection.executemany(
            "INSERT INTO journal VALUES (?,?,?,'anna','ui',?,?,?,'',?,'site/area','hot',NULL)",
            rows,
        )
    connection.close()
    journal.open()
    return journal


def announcements(count: int, keys: int) -> list[JournalEntry]:
    """Return alarms that all come at once, then their acknowledgements."""
    normal, unack = AlarmState.NORMAL, AlarmState.UNACK
    return [
        JournalEntry(index, START, f"k{index % keys}", "system", "raise", normal, unack)
        for index in range(count)
    ]


async def test_every_line_of_the_range_counts_however_many_there_are(
    tmp_path: Path, clock: ManualClock
) -> None:
    step = (END - START) / LINES
    journal = filled(tmp_path / "alarms.sqlite", LINES, step)
    service = AlarmService(AlarmSettings(), journal, clock, print)
    computed = await service.kpi(START, END)
    journal.close()
    assert computed.announced == LINES // 2
    assert sum(sum(bar.counts) for bar in computed.bars) == LINES // 2
    assert computed.acknowledge_median_s == pytest.approx(step.total_seconds(), rel=1e-4)
    assert computed.floods == 1


def test_lines_of_one_moment_are_each_read_once(tmp_path: Path) -> None:
    journal = filled(tmp_path / "alarms.sqlite", 12, timedelta())
    numbers = [line.number for line in journal.lines(START, END, at_once=5)]
    journal.close()
    assert numbers == list(range(1, 13))


def test_lines_end_before_the_end_of_the_range(tmp_path: Path) -> None:
    journal = filled(tmp_path / "alarms.sqlite", 12, timedelta(hours=1))
    found = list(journal.lines(START + timedelta(hours=2), START + timedelta(hours=9), at_once=3))
    journal.close()
    assert [line.number for line in found] == [3, 4, 5, 6, 7, 8, 9]


def test_more_different_alarms_than_memory_is_kept_for_are_refused() -> None:
    with pytest.raises(InputError, match="100,000 different alarms") as refused:
        compute_kpi(announcements(100_001, keys=100_001), (), START, END, AlarmSettings())
    assert refused.value.hint == "Ask for a shorter range of time"

"""What the historian tells of itself while the disk refuses."""

import errno
import os

import pytest

from app.clock import ManualClock
from app.core.errors import StoreError
from app.core.health import Health
from app.store.writer_status import WriterStatus
from tests.unit.store.plant_readings import START


@pytest.fixture
def status() -> WriterStatus:
    return WriterStatus(ManualClock(START))


def refused(number: int) -> StoreError:
    error = StoreError(f"Table cannot be written: {os.strerror(number)}")
    error.__cause__ = OSError(number, os.strerror(number))
    return error


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "Free disk space"), (errno.EACCES, "rights"), (errno.ENOTDIR, "log")],
)
def test_the_remedy_follows_from_what_the_disk_said(
    status: WriterStatus, number: int, word: str
) -> None:
    status.show([refused(number)], "3 readings wait")
    assert status.shown.state is Health.DEGRADED
    assert "3 readings wait" in status.shown.reason
    assert word in status.shown.remedy


def test_all_that_fails_is_told_and_the_first_gives_the_remedy(status: WriterStatus) -> None:
    status.show([refused(errno.ENOSPC), StoreError("History of 2026-01-01 cannot be tidied")])
    assert status.shown.reason.endswith(
        "No space left on device; History of 2026-01-01 cannot be tidied"
    )
    assert "Free disk space" in status.shown.remedy


def test_what_was_moved_stays_told_when_nothing_fails_any_more(status: WriterStatus) -> None:
    status.note("Day 2026-01-02 was moved")
    status.show([refused(errno.ENOSPC)])
    status.show([])
    assert status.shown.state is Health.DEGRADED
    assert status.shown.reason == "Day 2026-01-02 was moved"
    assert "backup" in status.shown.remedy


def test_a_state_lasts_since_it_was_first_shown() -> None:
    clock = ManualClock(START)
    status = WriterStatus(clock)
    status.show([refused(errno.ENOSPC)])
    since = status.shown.since
    status.show([refused(errno.EACCES)])
    assert status.shown.since == since

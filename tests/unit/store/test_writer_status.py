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
    status.fail(refused(number), "3 readings wait")
    assert status.shown.state is Health.DEGRADED
    assert "3 readings wait" in status.shown.reason
    assert word in status.shown.remedy


def test_the_wait_until_the_next_try_doubles_up_to_a_bound(status: WriterStatus) -> None:
    waits: list[float] = []
    for _ in range(6):
        status.fail(refused(errno.ENOSPC), "")
        waits.append(status.next_try_in_s)
    assert waits == [1, 2, 4, 8, 8, 8]


def test_success_forgets_the_failures_and_keeps_what_was_moved(status: WriterStatus) -> None:
    status.note("Day 2026-01-02 was moved")
    status.fail(refused(errno.ENOSPC), "")
    status.succeed(0)
    assert (status.failures, status.shown.state) == (0, Health.DEGRADED)
    assert status.shown.reason == "Day 2026-01-02 was moved"


def test_trouble_nobody_foresaw_is_logged_with_its_traceback_once(
    status: WriterStatus, caplog: pytest.LogCaptureFixture
) -> None:
    status.fail(refused(errno.ENOSPC), "")
    for error in (KeyError("a"), KeyError("a"), KeyError("b")):
        status.fail_unforeseen(error, "")
    traced = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert [repr(error) for error in traced] == ["KeyError('a')", "KeyError('b')"]
    assert (status.failures, status.shown.state) == (4, Health.DEGRADED)

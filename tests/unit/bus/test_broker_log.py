"""What is kept of the broker's log and what goes on to ours."""

import logging
from datetime import UTC, datetime

import pytest

from app.bus.broker_engine import Sign
from app.bus.broker_log import BrokerLog
from app.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def test_the_worst_line_is_remembered_not_the_last(clock: ManualClock):
    log = BrokerLog(clock)
    log.add("[1] [WRN] consumer metafile: checksums do not match")
    log.add("[1] [ERR] something else")
    assert (log.worst, log.worst_text) == (
        Sign.DAMAGED,
        "consumer metafile: checksums do not match",
    )


def test_a_new_run_begins_without_the_old_signs(clock: ManualClock):
    log = BrokerLog(clock)
    log.add("[1] [ERR] something")
    log.begin()
    assert log.worst is Sign.NOTHING
    assert log.lines() == ["something"]


def test_lines_that_are_kept_are_bounded(clock: ManualClock):
    log = BrokerLog(clock)
    for number in range(10_000):
        log.add(f"[1] [INF] line {number}")
    assert len(log.lines()) == 200
    assert log.lines()[-1] == "line 9999"


async def test_our_own_log_is_not_flooded(clock: ManualClock, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    log = BrokerLog(clock)
    for number in range(500):
        log.add(f"[1] [ERR] bad client {number}")
    assert len(caplog.records) == 20
    await clock.advance(61)
    log.add("[1] [ERR] bad client again")
    assert [record.getMessage() for record in caplog.records[20:]] == [
        "480 more lines of the broker",
        "bad client again",
    ]


def test_what_the_broker_does_all_day_stays_out_of_our_log(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    BrokerLog(clock).add("[1] [INF] Server is ready")
    assert not caplog.records

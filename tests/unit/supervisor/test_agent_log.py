"""The output of one agent, in memory and on disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.supervisor.agent_log import FILE_LIMIT_BYTES, AgentLog


@pytest.fixture
def log(tmp_path: Path) -> AgentLog:
    clock = ManualClock(datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC))
    return AgentLog(tmp_path / "logs" / "vibration.log", 300, clock)


def test_lines_carry_their_time(log: AgentLog):
    log.add("model loaded")
    assert log.lines() == ["2026-05-04T12:00:00Z model loaded"]
    assert log.last_words == "model loaded"


def test_an_agent_that_said_nothing_has_no_last_words(log: AgentLog):
    assert log.last_words == ""


def test_memory_is_bounded_however_much_is_said(log: AgentLog):
    for number in range(100_000):
        log.add(f"line {number}")
    assert len(log.lines()) == 300
    assert log.last_words == "line 99999"


def test_each_line_is_written_once(log: AgentLog, tmp_path: Path):
    log.add("one")
    log.write()
    log.add("two")
    log.write()
    log.write()
    text = (tmp_path / "logs" / "vibration.log").read_text()
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == ["one", "two"]


def test_a_quiet_agent_makes_no_file(log: AgentLog, tmp_path: Path):
    log.write()
    assert not (tmp_path / "logs").exists()


def test_a_full_file_is_turned_over(log: AgentLog, tmp_path: Path):
    path = tmp_path / "logs" / "vibration.log"
    path.parent.mkdir()
    path.write_text("x" * (FILE_LIMIT_BYTES + 1))
    log.add("fresh")
    log.write()
    assert path.read_text().endswith("fresh\n")
    assert path.stat().st_size < 100
    assert path.with_suffix(".log.1").stat().st_size > FILE_LIMIT_BYTES


def test_a_file_that_cannot_be_written_leaves_the_last_lines(log: AgentLog, tmp_path: Path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    log.add("kept in memory")
    with pytest.raises(OSError, match="exists"):
        log.write()
    assert log.last_words == "kept in memory"

"""The board of latest findings."""

from datetime import UTC, datetime

from app.core.alarm import Finding, Priority
from app.live.findings import FindingBoard

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"


def finding(agent: str, priority: Priority | None) -> Finding:
    return Finding(agent, "high", f"{UNIT}/flow", NOW, priority=priority)


def test_a_limit_that_was_never_passed_is_no_news():
    board = FindingBoard()
    board.add([finding("limits", None)])
    assert board.history("limits", 10) == []


def test_a_limit_that_is_passed_no_longer_is_absent():
    board = FindingBoard()
    board.add([finding("limits", Priority.HIGH), finding("limits", None)])
    assert board.present(UNIT) == []
    assert len(board.history("limits", 10)) == 2


def test_an_agent_that_finds_nothing_says_so():
    board = FindingBoard()
    board.add([finding("vibration", None)])
    assert len(board.history("vibration", 10)) == 1

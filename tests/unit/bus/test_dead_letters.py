from datetime import UTC, datetime

from app.bus.dead_letters import DeadLetters
from app.clock import ManualClock

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def letters(limit: int = 3) -> DeadLetters:
    return DeadLetters(limit, ManualClock(NOW))


def test_a_refused_message_is_kept_with_its_reason():
    kept = letters()

    kept.add("plant/a", b"{nan", "not JSON")

    letter = kept.list()[0]
    assert (letter.number, letter.at, letter.topic) == (1, NOW, "plant/a")
    assert (letter.reason, letter.payload_head, letter.size) == ("not JSON", "{nan", 4)


def test_the_oldest_goes_when_it_is_full_and_the_newest_comes_first():
    kept = letters(limit=2)

    for reason in ("one", "two", "three"):
        kept.add("t", b"", reason)

    assert [letter.reason for letter in kept.list()] == ["three", "two"]
    assert kept.total == 3


def test_clearing_does_not_reset_the_count():
    kept = letters()
    kept.add("t", b"", "r")

    kept.clear()

    assert (kept.list(), kept.total) == ([], 1)


def test_a_large_payload_and_topic_are_cut():
    kept = letters()

    kept.add("t" * 65_535, b"\xff" * 1_000_000, "r" * 10_000)

    letter = kept.list()[0]
    assert letter.size == 1_000_000
    assert max(len(letter.topic), len(letter.payload_head), len(letter.reason)) <= 300

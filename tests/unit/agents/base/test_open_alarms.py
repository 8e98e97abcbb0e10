from datetime import UTC, datetime, timedelta

import pytest

from agents.base.open_alarms import OpenAlarms
from app.bus.client import Bus, Received
from app.bus.codec import encode
from app.clock import ManualClock
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.topics import alarm_topic
from app.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT_BYTES = 262_144


class Rig:
    """Open alarms on a bus that is not started, and what they told."""

    def __init__(self, settings: Settings) -> None:
        self.bus = Bus(settings, "test", ManualClock(NOW))
        self.told: list[tuple[str, bool]] = []
        self.alarms = OpenAlarms(self.bus, LIMIT_BYTES, self._hear)

    def say(self, payload: bytes, alarm_id: str = "a") -> None:
        self.alarms.take([Received(alarm_topic(alarm_id), payload, NOW, True)])

    def _hear(self, alarm_id: str, alarm: Alarm | None) -> None:
        self.told.append((alarm_id, alarm is not None))


@pytest.fixture
def rig(settings: Settings) -> Rig:
    return Rig(settings)


def alarm(seconds: float = 0, state: AlarmState = AlarmState.UNACK) -> Alarm:
    at = NOW + timedelta(seconds=seconds)
    return Alarm("a", Finding("limits", "high", "s/a/l/u", NOW, Priority.LOW), state, True, NOW, at)


async def test_an_alarm_stands_until_an_empty_message(rig: Rig):
    rig.say(encode(alarm()))
    stood = dict(rig.alarms.by_id)
    rig.say(b"")

    assert (stood, rig.alarms.by_id) == ({"a": alarm()}, {})
    assert rig.told == [("a", True), ("a", False)]


async def test_the_end_of_an_unknown_alarm_is_told_too(rig: Rig):
    rig.say(b"")

    assert rig.told == [("a", False)]


async def test_an_older_message_changes_nothing(rig: Rig):
    rig.say(encode(alarm(60, AlarmState.ACK)))
    rig.say(encode(alarm()))

    assert rig.alarms.by_id["a"].state is AlarmState.ACK
    assert len(rig.told) == 1


@pytest.mark.parametrize(
    "payload", [b"x", b"{}", b"\xff", b"[" * 100_000, b" " * (LIMIT_BYTES + 1)]
)
async def test_what_is_no_alarm_is_refused_and_the_rest_goes_on(payload: bytes, rig: Rig):
    rig.say(payload)
    rig.say(encode(alarm()))

    assert len(rig.bus.dead_letters.list()) == 1
    assert list(rig.alarms.by_id) == ["a"]

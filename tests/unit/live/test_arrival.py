"""What a message on the bus says of a tag."""

from datetime import UTC, datetime, timedelta

import pytest

from app.bus.route import Received
from app.core.errors import InputError, TopicError
from app.core.reading import Quality, Reading, ReadingMessage, Reason
from app.live.arrival import reading_of

PATH = "site/area/line/P-102/flow"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def heard(at: datetime | None = None, path: str = PATH, *, retained: bool = False) -> Reading:
    message = Received(f"plant/{path}", ReadingMessage(v=1, t=at), NOW, retained)
    return reading_of(message, is_known=False)


def test_a_message_without_a_time_is_of_now():
    assert heard() == Reading(PATH, 1.0, Quality.GOOD, NOW, NOW)


@pytest.mark.parametrize(
    ("ahead", "is_doubted", "at"),
    [
        (timedelta(seconds=5), False, NOW + timedelta(seconds=5)),
        (timedelta(seconds=6), True, NOW + timedelta(seconds=6)),
        (timedelta(days=1), True, NOW + timedelta(days=1)),
        (timedelta(days=1, seconds=1), True, NOW),
        (timedelta(days=-365 * 40), True, NOW),
        (timedelta(days=-365 * 30), False, NOW + timedelta(days=-365 * 30)),
    ],
)
def test_the_clock_of_the_source_is_doubted(ahead: timedelta, is_doubted: bool, at: datetime):
    reading = heard(NOW + ahead)
    assert (reading.quality is Quality.UNCERTAIN, reading.source_time) == (is_doubted, at)
    assert reading.reason is (Reason.CONFIG if is_doubted else Reason.NONE)


def test_a_value_the_broker_had_kept_is_as_old_as_its_source_time():
    at = NOW - timedelta(hours=1)
    assert heard(at, retained=True).received_time == at
    assert heard(at).received_time == NOW


def test_a_malformed_path_is_refused():
    with pytest.raises(TopicError):
        heard(path="site/area/flow")


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="has no zone; end it with Z"):
        heard(NOW.replace(tzinfo=None))

"""Time ranges of query strings."""

from datetime import UTC, datetime, timedelta

import pytest

from app.api.times import span
from app.core.errors import InputError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_nothing_given_is_the_last_hour() -> None:
    assert span("", "", NOW) == (NOW - timedelta(hours=1), NOW)


def test_an_end_alone_takes_the_hour_before_it() -> None:
    assert span("", "2026-11-20T08:00:00Z", NOW).start == datetime(2026, 11, 20, 7, tzinfo=UTC)


def test_another_zone_becomes_utc() -> None:
    assert span("2026-11-21T08:00:00+01:00", "", NOW).start == datetime(2026, 11, 21, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        ("yesterday", "", "start"),
        ("", "12", "end"),
        ("2026-11-21T08:00:00", "", "zone"),
        ("2026-11-21T12:00:00Z", "", "before"),
        ("2026-11-21T13:00:00Z", "2026-11-21T12:30:00Z", "before"),
        ("2026-13-01T00:00:00Z", "", "start"),
        ("0001-01-01T00:00:00+14:00", "", "1970"),
        ("", "9999-12-31T23:59:59-14:00", "1970"),
    ],
)
def test_a_wrong_range_is_named(start: str, end: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        span(start, end, NOW)

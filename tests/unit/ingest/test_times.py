from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.ingest.times import parse_time, source_time

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOON = datetime(2024, 3, 1, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        "2024-03-01T11:00:00Z",
        "2024-03-01T12:00:00+01:00",
        "2024-03-01 12:00:00",
        "2024-03-01T12:00",
        " 2024-03-01 12:00:00.000 ",
        "01/03/2024 12:00",
        "1/3/2024 12:00:00",
        "01.03.2024 12:00:00",
        "2024/03/01 12:00:00",
        1709290800,
        1709290800.0,
        "1709290800",
        1709290800_000,
        1709290800_000_000,
        1709290800_000_000_000,
    ],
)
def test_every_form_gives_the_same_time(raw: object):
    assert source_time(raw, BERLIN, NOW) == NOON


@pytest.mark.parametrize(
    "raw",
    ["", "noon", "2024-13-01", "32/01/2024 00:00", None, True, [], {}, "1e9", 1e30, "9" * 40],
)
def test_what_is_no_time_is_refused_and_quoted(raw: object):
    with pytest.raises(InputError, match="no time"):
        source_time(raw, BERLIN, NOW)


def test_a_time_before_1990_is_refused_for_its_unit_is_wrong():
    with pytest.raises(InputError, match="before 1990"):
        source_time(12.5, BERLIN, NOW)


def test_a_time_in_the_future_is_refused():
    with pytest.raises(InputError, match="future"):
        source_time((NOW + timedelta(days=2)).isoformat(), BERLIN, NOW)


def test_an_hour_that_occurs_twice_is_the_first_of_them():
    at = source_time("2024-10-27 02:30:00", BERLIN, NOW)
    assert at == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_an_hour_that_does_not_occur_is_shifted():
    at = source_time("2024-03-31 02:30:00", BERLIN, NOW)
    assert at == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


def test_the_first_and_last_year_do_not_overflow():
    assert parse_time("0001-01-01T00:00:00", ZoneInfo("Asia/Tokyo")) is None
    assert parse_time("9999-12-31T23:59:59", ZoneInfo("America/New_York")) is None


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_anything_gives_a_time_or_none(raw: object):
    at = parse_time(raw, BERLIN)
    assert at is None or at.tzinfo is UTC

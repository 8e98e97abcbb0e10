"""The plant works by its own wall clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agents.simulator.calendar import Calendar, hall_temperature, shift_at

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("hour", "name"), [(6, "early"), (13, "early"), (14, "late"), (21, "late"), (22, "night")]
)
def test_the_shift_follows_the_hour(hour: int, name: str) -> None:
    assert shift_at(datetime(2026, 11, 18, hour, 30, tzinfo=BERLIN)).name == name


def test_the_night_shift_goes_on_after_midnight() -> None:
    shift = shift_at(datetime(2026, 11, 18, 2, 10, tzinfo=BERLIN))
    assert (shift.name, shift.is_break) == ("night", True)


def test_crews_pause_for_half_an_hour() -> None:
    moments = [shift_at(datetime(2026, 11, 18, 10, m, tzinfo=BERLIN)) for m in range(60)]
    assert sum(moment.is_break for moment in moments) == 30
    assert not any(moment.is_working for moment in moments[:30])


def test_a_shift_begins_with_a_changeover() -> None:
    assert shift_at(datetime(2026, 11, 18, 14, 9, tzinfo=BERLIN)).is_changeover
    assert not shift_at(datetime(2026, 11, 18, 14, 10, tzinfo=BERLIN)).is_changeover


def test_the_weekend_is_reduced_and_cheap() -> None:
    friday = shift_at(datetime(2026, 11, 20, 11, 0, tzinfo=BERLIN))
    sunday = shift_at(datetime(2026, 11, 22, 11, 0, tzinfo=BERLIN))
    assert sunday.load < friday.load
    assert (sunday.is_weekend, sunday.is_peak_tariff, friday.is_peak_tariff) == (True, False, True)


def test_the_hall_is_warmest_in_the_afternoon_and_in_summer() -> None:
    night = hall_temperature(datetime(2026, 7, 1, 3, tzinfo=BERLIN))
    afternoon = hall_temperature(datetime(2026, 7, 1, 15, tzinfo=BERLIN))
    winter = hall_temperature(datetime(2026, 1, 1, 15, tzinfo=BERLIN))
    assert night < afternoon
    assert winter < afternoon


def test_the_plant_clock_decides_and_not_utc() -> None:
    shift, _ = Calendar("Asia/Tokyo").at(datetime(2026, 11, 18, 5, 30, tzinfo=UTC))
    assert shift.name == "late"


def test_the_hour_that_summer_time_repeats_keeps_its_shift() -> None:
    calendar = Calendar("Europe/Berlin")
    first, _ = calendar.at(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    second, _ = calendar.at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert (first.name, second.name) == ("night", "night")
    assert not first.is_changeover

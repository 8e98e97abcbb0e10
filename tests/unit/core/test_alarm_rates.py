"""Chattering of one alarm and floods of all, at their exact bounds."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.alarm_rates import Chatter, FloodMeter

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def chatter(*seconds: float) -> Chatter:
    counter = Chatter(3, 60)
    for second in seconds:
        counter.add(at(second))
    return counter


@pytest.mark.parametrize(
    ("moves", "now", "expected"),
    [
        ((0, 1), 1, False),
        ((0, 1, 2), 2, True),
        ((0, 30, 59.9), 59.9, True),
        ((0, 30, 60), 60, False),
        ((0, 1, 2), 60.5, False),
        ((0, 100, 110, 120), 120, True),
    ],
)
def test_three_transitions_within_a_minute_chatter(
    moves: tuple[float, ...], now: float, *, expected: bool
) -> None:
    assert chatter(*moves).is_chattering(at(now)) is expected


def flood(*seconds: float) -> FloodMeter:
    meter = FloodMeter(10, 5, 600)
    for second in seconds:
        meter.add(at(second))
    return meter


def test_nine_new_alarms_are_no_flood() -> None:
    assert not flood(*range(9)).is_flood(at(9))


def test_ten_new_alarms_in_ten_minutes_are_a_flood() -> None:
    assert flood(*range(0, 600, 60)).is_flood(at(541))


def test_ten_new_alarms_in_more_than_ten_minutes_are_no_flood() -> None:
    assert not flood(*range(0, 670, 67)).is_flood(at(604))


def test_a_flood_goes_on_while_five_remain_in_the_window() -> None:
    assert flood(*range(10)).is_flood(at(604.5))


def test_a_flood_ends_when_four_remain_in_the_window() -> None:
    assert not flood(*range(10)).is_flood(at(605.5))


def test_a_flood_that_ended_needs_ten_again_to_begin() -> None:
    meter = flood(*range(10))
    meter.is_flood(at(700))
    meter.add(at(701))
    assert not meter.is_flood(at(702))


def test_a_huge_flood_ends_like_any_other() -> None:
    meter = flood(*range(500))
    assert meter.is_flood(at(499 + 600 - 5))
    assert not meter.is_flood(at(499 + 600 - 3))

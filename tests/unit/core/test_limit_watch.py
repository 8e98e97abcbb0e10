"""Limits of one tag: delays, deadband, quality, and the worse limit over the lesser."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from app.core.alarm import Finding, Priority
from app.core.equipment import Limits, Tag
from app.core.limit_watch import TagWatch
from app.core.reading import Quality, Reading, Reason
from app.core.response import Response, Responses

START = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "site/area/line/P-102/bearing_temperature"
TAG = Tag(
    path=PATH,
    description="Bearing temperature",
    unit="Cel",
    limits=Limits(low_low=5.0, low=10.0, high=85.0, high_high=95.0),
    deadband=2.0,
    stale_after_s=3600.0,
)


def reading(value: float | None, second: float = 0, quality: Quality = Quality.GOOD) -> Reading:
    at = START + timedelta(seconds=second)
    reason = Reason.NONE if quality is Quality.GOOD else Reason.SENSOR_FAULT
    return Reading(PATH, value, quality, at, at, reason)


def said(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(finding.condition, finding.priority is not None) for finding in findings]


def watch(tag: Tag = TAG, bad_quality_s: float = 30.0) -> TagWatch:
    """Return a watch that has seen a normal value."""
    made = TagWatch(tag, bad_quality_s)
    made.apply(reading(50.0))
    return made


def tag(**changes: float) -> Tag:
    return Tag(
        path=PATH,
        limits=Limits(high=85.0),
        stale_after_s=3600.0,
        on_delay_s=changes.get("on_delay_s", 0.0),
        off_delay_s=changes.get("off_delay_s", 0.0),
    )


@pytest.mark.parametrize(
    ("value", "condition", "priority"),
    [
        (85.1, "high", Priority.MEDIUM),
        (95.1, "high_high", Priority.HIGH),
        (9.9, "low", Priority.MEDIUM),
        (4.9, "low_low", Priority.HIGH),
    ],
)
def test_a_value_beyond_a_limit_is_a_finding(
    value: float, condition: str, priority: Priority
) -> None:
    (finding,) = watch().apply(reading(value, 1))
    assert (finding.condition, finding.priority, finding.value) == (condition, priority, value)


def test_a_finding_says_what_an_operator_needs() -> None:
    (finding,) = watch().apply(reading(92.13, 1))
    assert finding.message == "Bearing temperature 92.1 °C above 85.0"
    assert (finding.agent, finding.equipment) == ("limits", PATH)
    assert (finding.limit, finding.unit) == (85.0, "Cel")
    assert "below 85.0 °C" in finding.response


def test_a_finding_carries_the_response_and_priority_its_source_declares() -> None:
    declared = Responses(high=Response("Throttle the valve.", Priority.LOW))
    (finding,) = watch(replace(TAG, responses=declared)).apply(reading(90, 1))
    assert (finding.response, finding.priority) == ("Throttle the valve.", Priority.LOW)


@pytest.mark.parametrize("value", [85.0, 10.0, 50.0])
def test_a_value_on_or_within_a_limit_is_none(value: float) -> None:
    assert watch().apply(reading(value, 1)) == []


def test_a_value_that_stays_beyond_is_stated_once() -> None:
    watched = watch()
    watched.apply(reading(90, 1))
    assert watched.apply(reading(91, 2)) == []


@pytest.mark.parametrize(("value", "expected"), [(83.1, []), (83.0, [("high", False)])])
def test_a_value_returns_when_it_has_come_back_by_the_deadband(
    value: float, expected: list[tuple[str, bool]]
) -> None:
    watched = watch()
    watched.apply(reading(90, 1))
    assert said(watched.apply(reading(value, 2))) == expected


def test_a_value_that_swings_within_the_deadband_makes_one_alarm() -> None:
    watched = watch()
    swings = [84.5 if second % 2 else 85.5 for second in range(2, 60)]
    findings = [
        finding
        for second, value in enumerate(swings, 2)
        for finding in watched.apply(reading(value, second))
    ]
    assert said(findings) == [("high", True)]


def test_a_short_excursion_within_the_on_delay_is_no_alarm() -> None:
    watched = watch(tag(on_delay_s=10))
    assert watched.apply(reading(90, 1)) == []
    assert watched.apply(reading(90, 10)) == []
    assert watched.apply(reading(80, 10.5)) == []
    assert watched.apply(reading(90, 12)) == []


def test_a_lasting_excursion_is_an_alarm_when_the_on_delay_is_over() -> None:
    watched = watch(tag(on_delay_s=10))
    watched.apply(reading(90, 1))
    assert said(watched.apply(reading(90, 11))) == [("high", True)]


def test_the_on_delay_runs_out_without_a_further_reading() -> None:
    watched = watch(tag(on_delay_s=10))
    watched.apply(reading(90, 1))
    assert watched.tick(START + timedelta(seconds=10)) == []
    assert said(watched.tick(START + timedelta(seconds=11))) == [("high", True)]


def test_a_delay_does_not_run_out_on_a_stale_value() -> None:
    stale_soon = Tag(path=PATH, limits=Limits(high=85.0), stale_after_s=5.0, on_delay_s=10.0)
    watched = watch(stale_soon)
    watched.apply(reading(90, 1))
    assert watched.tick(START + timedelta(seconds=20)) == []


def test_the_off_delay_holds_an_alarm_that_dips() -> None:
    watched = watch(tag(off_delay_s=10))
    watched.apply(reading(90, 1))
    assert watched.apply(reading(80, 2)) == []
    assert watched.apply(reading(90, 5)) == []
    assert watched.apply(reading(80, 6)) == []
    assert said(watched.apply(reading(80, 16))) == [("high", False)]


@pytest.mark.parametrize(
    ("value", "quality"),
    [
        (200.0, Quality.BAD),
        (200.0, Quality.UNCERTAIN),
        (None, Quality.GOOD),
        (float("nan"), Quality.GOOD),
        (float("inf"), Quality.GOOD),
    ],
)
def test_what_is_not_good_raises_no_process_alarm(value: float | None, quality: Quality) -> None:
    watched = watch()
    assert watched.apply(reading(value, 1, quality)) == []


def test_bad_quality_holds_an_alarm_that_stands() -> None:
    watched = watch()
    watched.apply(reading(90, 1))
    assert watched.apply(reading(0, 2, Quality.BAD)) == []
    assert said(watched.apply(reading(50, 3))) == [("high", False)]


def test_bad_quality_starts_a_running_delay_anew() -> None:
    watched = watch(tag(on_delay_s=10))
    watched.apply(reading(90, 1))
    watched.apply(reading(90, 5, Quality.BAD))
    assert watched.apply(reading(90, 12)) == []


def test_quality_bad_for_long_is_a_low_alarm_of_the_sensor() -> None:
    watched = watch(bad_quality_s=30)
    watched.apply(reading(None, 1, Quality.BAD))
    assert watched.tick(START + timedelta(seconds=30)) == []
    (finding,) = watched.tick(START + timedelta(seconds=31))
    assert (finding.condition, finding.priority) == ("bad_quality", Priority.LOW)


def test_the_sensor_alarm_says_what_to_do_by_the_latest_reason() -> None:
    watched = watch(bad_quality_s=30)
    watched.apply(reading(None, 1, Quality.BAD))
    watched.apply(replace(reading(None, 2, Quality.BAD), reason=Reason.COMM_LOST))
    (finding,) = watched.tick(START + timedelta(seconds=31))
    assert "switch of the source" in finding.response
    assert "high 85.0" in finding.response


def test_the_sensor_alarm_goes_with_the_first_good_reading() -> None:
    watched = watch(bad_quality_s=1)
    watched.apply(reading(None, 1, Quality.BAD))
    watched.apply(reading(None, 5, Quality.BAD))
    assert said(watched.apply(reading(50, 6))) == [("bad_quality", False)]


def test_quality_that_is_bad_now_and_then_is_no_alarm() -> None:
    watched = watch(bad_quality_s=30)
    seconds = [(second, Quality.BAD if second % 20 else Quality.GOOD) for second in range(1, 200)]
    findings = [watched.apply(reading(50, second, quality)) for second, quality in seconds]
    assert not any(findings)


def test_the_worse_limit_alone_is_stated_when_both_are_passed() -> None:
    watched = watch()
    watched.apply(reading(90, 1))
    assert said(watched.apply(reading(97, 2))) == [("high_high", True)]


def test_the_lesser_limit_is_stated_when_the_value_falls_between_them() -> None:
    watched = watch()
    watched.apply(reading(97, 1))
    assert said(watched.apply(reading(90, 2))) == [("high_high", False), ("high", True)]


def test_the_lesser_limit_goes_first_when_the_value_falls_below_both() -> None:
    watched = watch()
    watched.apply(reading(97, 1))
    assert said(watched.apply(reading(50, 2))) == [("high", False), ("high_high", False)]


def test_the_first_good_reading_says_what_is_absent() -> None:
    watched = TagWatch(TAG, 30.0)
    assert set(said(watched.apply(reading(50)))) == {
        (condition, False) for condition in ("bad_quality", "high", "high_high", "low", "low_low")
    }


def test_nothing_is_said_of_limits_before_a_good_reading() -> None:
    watched = TagWatch(TAG, 30.0)
    assert watched.apply(reading(50, 0, Quality.UNCERTAIN)) == []


def test_what_is_present_is_stated_again_with_its_present_value() -> None:
    watched = watch()
    watched.apply(reading(90, 1))
    watched.apply(reading(91, 2))
    (finding,) = watched.present(START)
    assert (finding.condition, finding.value) == ("high", 91)

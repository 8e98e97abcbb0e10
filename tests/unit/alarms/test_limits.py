"""All tags against their limits, and what a tag without limits costs."""

import time
from datetime import UTC, datetime, timedelta

from app.alarms.limits import LimitWatcher
from app.core.equipment import Limits, Tag
from app.core.reading import Quality, Reading, Reason

START = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "site/area/line/P-102/temperature"
LIMITED = Tag(path=PATH, limits=Limits(high=85.0), stale_after_s=3600.0)
PLAIN = Tag(path=PATH)


def reading(value: float | None, second: float = 0, quality: Quality = Quality.GOOD) -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(PATH, value, quality, at, at, Reason.NONE)


def test_a_tag_without_limits_raises_nothing() -> None:
    watcher = LimitWatcher()
    watcher.apply(PLAIN, reading(50))
    assert watcher.apply(PLAIN, reading(1e9, 1)) == []


def test_an_alarm_of_an_earlier_run_is_said_to_be_absent() -> None:
    stated = LimitWatcher().apply(PLAIN, reading(50))
    assert {finding.condition for finding in stated} == {
        "high", "high_high", "low", "low_low", "bad_quality",
    }  # fmt: skip
    assert all(finding.priority is None for finding in stated)


def test_limits_given_later_count_from_then_on() -> None:
    watcher = LimitWatcher()
    watcher.apply(PLAIN, reading(90))
    conditions = [
        finding.condition
        for finding in watcher.apply(LIMITED, reading(90, 1))
        if finding.priority is not None
    ]
    assert conditions == ["high"]


def test_the_alarm_of_a_limit_taken_away_is_said_to_be_absent() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(90))
    stated = watcher.apply(PLAIN, reading(90, 1))
    assert ("high", None) in [(finding.condition, finding.priority) for finding in stated]


def test_the_sensor_alarm_of_a_tag_without_limits_comes_by_clock() -> None:
    watcher = LimitWatcher(bad_quality_s=30)
    watcher.apply(PLAIN, reading(50))
    watcher.apply(PLAIN, reading(None, 1, Quality.BAD))
    conditions = [finding.condition for finding in watcher.tick(START + timedelta(seconds=31))]
    assert "bad_quality" in conditions


def test_what_is_present_is_stated_again_each_minute() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(50))
    watcher.apply(LIMITED, reading(90, 1))
    watcher.tick(START + timedelta(seconds=2))
    assert watcher.tick(START + timedelta(seconds=30)) == []
    again = watcher.tick(START + timedelta(seconds=62))
    assert [finding.condition for finding in again] == ["high"]


def test_a_tag_without_limits_costs_two_microseconds_at_most() -> None:
    watcher, one = LimitWatcher(), reading(50)
    watcher.apply(PLAIN, one)
    fastest_s = min(_time_s(watcher, one) for _ in range(20))
    assert fastest_s / 1000 < 2e-6


def _time_s(watcher: LimitWatcher, one: Reading) -> float:
    begin = time.perf_counter()
    for _ in range(1000):
        watcher.apply(PLAIN, one)
    return time.perf_counter() - begin


CONDITIONS = {"high", "high_high", "low", "low_low", "bad_quality"}


def test_a_forgotten_tag_has_nothing_wrong_and_the_reason_is_told() -> None:
    stated = LimitWatcher().forget([PATH], START)  # its alarm may be left from an earlier run
    assert {finding.condition for finding in stated} == CONDITIONS
    assert {(finding.equipment, finding.priority) for finding in stated} == {(PATH, None)}
    assert {finding.message for finding in stated} == {"The tag is not declared any more"}


def test_a_forgotten_tag_is_stated_no_more() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(90))
    assert watcher.tick(START) != []
    watcher.forget([PATH], START + timedelta(seconds=1))
    assert watcher.tick(START + timedelta(seconds=62)) == []


def test_a_forgotten_tag_that_sends_again_is_a_new_one() -> None:
    watcher = LimitWatcher()
    watcher.apply(PLAIN, reading(50))
    assert watcher.apply(PLAIN, reading(50, 1)) == []
    watcher.forget([PATH], START)
    again = watcher.apply(PLAIN, reading(50, 2))
    assert {finding.condition for finding in again} == CONDITIONS


def test_a_tag_that_is_not_forgotten_stands() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(90))
    watcher.forget([f"{PATH}_2"], START)
    assert [finding.condition for finding in watcher.tick(START)] == ["high"]

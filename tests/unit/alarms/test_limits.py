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


def test_a_tag_that_is_gone_is_forgotten_with_its_alarm() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(90))
    stated = watcher.forget_gone(lambda path: False, START + timedelta(seconds=1))
    assert ("high", None) in [(finding.condition, finding.priority) for finding in stated]
    assert len(watcher) == 0
    assert watcher.tick(START + timedelta(seconds=62)) == []


def test_a_tag_that_is_known_is_not_forgotten() -> None:
    watcher = LimitWatcher()
    watcher.apply(LIMITED, reading(90))
    assert watcher.forget_gone(lambda path: True, START) == []
    assert len(watcher) == 1

"""Votes over waveforms and zones over time: what raises, what holds, what clears."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.vibration.diagnose import Condition, Diagnosis
from agents.vibration.monitor import (
    UnitState,
    Vote,
    ZoneState,
    decide,
    decide_zone,
    vote,
    watch_velocity,
)
from agents.vibration.trend import Trend, follow, slope_per_hour
from agents.vibration.zones import Zone, ZoneLimit
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment

START = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = ZoneLimit("2", "rigid", 1.4, 2.8, 4.5)
UNIT = Equipment(path="s/a/l/pump", name="Pump")


def _diagnosis(probability: float, kurtosis: float = 3.0) -> Diagnosis:
    evidence = {"kurtosis": kurtosis}
    return Diagnosis(Condition.BEARING_OUTER_RACE, probability, evidence, "Outer race defect")


def _votes(*probabilities: float, kurtosis: float = 3.0) -> Vote:
    belief = Vote()
    for probability in probabilities:
        belief = vote(belief, _diagnosis(probability, kurtosis))
    return belief


@pytest.mark.parametrize(
    ("probabilities", "is_active"),
    [
        ((0.9,), False),
        ((0.9, 0.1, 0.9), False),
        ((0.49, 0.49, 0.49), False),
        ((0.9, 0.9), True),
        ((0.9, 0.9, 0.1, 0.1), True),
        ((0.9, 0.9, 0.1, 0.1, 0.4, 0.1), True),
        ((0.9, 0.9, 0.1, 0.1, 0.1), False),
    ],
)
def test_one_waveform_neither_raises_nor_clears(
    probabilities: tuple[float, ...], is_active: bool
) -> None:
    assert _votes(*probabilities).is_active == is_active


def _stated(belief: Vote) -> Finding:
    (finding,) = decide(UNIT, {"bearing_outer_race": belief}, [_diagnosis(0.9)], START)
    return finding


def test_impacts_once_seen_keep_the_priority_high() -> None:
    late = _votes(0.9, 0.9, kurtosis=12.0)
    later = vote(late, _diagnosis(0.9, kurtosis=4.0))
    assert _stated(later).priority == Priority.HIGH


def test_a_fresh_defect_is_of_medium_priority() -> None:
    assert _stated(_votes(0.9, 0.9)).priority == Priority.MEDIUM


def test_an_absent_condition_is_stated_without_priority_or_response() -> None:
    finding = _stated(Vote())
    assert finding.priority is None
    assert finding.response == ""


def _zone_after(*readings: tuple[float, float]) -> Zone:
    state = ZoneState()
    for seconds, velocity in readings:
        state = watch_velocity(state, velocity, LIMITS, START + timedelta(seconds=seconds))
    return state.zone


@pytest.mark.parametrize(
    ("readings", "zone"),
    [
        (((0, 3.0),), Zone.A),
        (((0, 3.0), (9, 3.0)), Zone.A),
        (((0, 3.0), (10, 3.0)), Zone.C),
        (((0, 3.0), (9, 1.0), (11, 3.0), (20, 3.0)), Zone.A),
        (((0, 3.0), (10, 3.0), (11, 2.75), (40, 2.75)), Zone.C),
        (((0, 3.0), (10, 3.0), (11, 2.5), (30, 2.5)), Zone.B),
        (((0, 9.0), (10, 9.0)), Zone.D),
    ],
    ids=["at once", "too short", "held", "interrupted", "in deadband", "below it", "far beyond"],
)
def test_a_zone_counts_when_it_lasts(readings: tuple[tuple[float, float], ...], zone: Zone) -> None:
    assert _zone_after(*readings) == zone


@pytest.mark.parametrize(
    ("zone", "priorities"),
    [
        (Zone.A, [None, None]),
        (Zone.B, [None, None]),
        (Zone.C, [Priority.MEDIUM, None]),
        (Zone.D, [None, Priority.HIGH]),
    ],
)
def test_zones_c_and_d_are_stated(zone: Zone, priorities: list[Priority | None]) -> None:
    found = decide_zone(UNIT, zone, LIMITS, velocity_rms_mm_s=3.0, trend_mm_s_per_h=None, at=START)
    assert [finding.priority for finding in found] == priorities


def test_a_rise_stands_in_the_message() -> None:
    found, _ = decide_zone(
        UNIT, Zone.C, LIMITS, velocity_rms_mm_s=3.0, trend_mm_s_per_h=0.52, at=START
    )
    assert found.message == "Vibration 3.0 mm/s RMS, +0.5 mm/s an hour; zone C begins at 2.8 mm/s"
    assert found.evidence["trend_mm_s_per_h"] == 0.52


def test_the_slope_of_a_steady_rise_is_found() -> None:
    trend = Trend()
    for second in range(0, 1800, 10):
        trend = follow(trend, 2 + second / 3600, START + timedelta(seconds=second))
    assert slope_per_hour(trend) == pytest.approx(1.0, rel=1e-3)


def test_a_few_minutes_have_no_slope() -> None:
    trend = Trend()
    for second in range(0, 540, 10):
        trend = follow(trend, 2.0, START + timedelta(seconds=second))
    assert slope_per_hour(trend) is None


def test_a_reading_from_the_past_does_not_bend_the_trend() -> None:
    trend = follow(Trend(), 2.0, START)
    assert follow(trend, 99.0, START - timedelta(hours=1)) == trend


def test_a_new_unit_begins_without_beliefs() -> None:
    assert UnitState().votes == {}
    assert not UnitState().baseline.is_learned

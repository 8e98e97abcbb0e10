"""From figures to conditions: thresholds, what rules what out, what needs a baseline."""

from dataclasses import replace
from typing import Any

import pytest

from agents.vibration.baseline import LEARN, Baseline, learn
from agents.vibration.bearings import BearingFault
from agents.vibration.diagnose import Condition, diagnose
from agents.vibration.envelope import Band, Envelope, OrderScore
from agents.vibration.features import Features
from agents.vibration.zones import ZoneLimit
from app.core.equipment import EquipmentKind

LIMITS = ZoneLimit("2", "rigid", 1.4, 2.8, 4.5)
USUAL = Baseline(once=1.0, twice=0.25, high=0.5, count=LEARN)
PUMP, SPINDLE = EquipmentKind.MOTOR_PUMP, EquipmentKind.CNC_SPINDLE


def _score(ratio: float = 1.0, rival: float = 1.0) -> OrderScore:
    return OrderScore(order=3.58, amplitude=0.5, ratio=ratio, sideband_ratio=1, rival_ratio=rival)


def _envelope(outer: OrderScore, inner: OrderScore, **changes: Any) -> Envelope:
    scores = {BearingFault.OUTER_RACE: outer, BearingFault.INNER_RACE: inner}
    return replace(Envelope(Band(2000, 4000, 0.3), rms=0.5, scores=scores), **changes)


WELL = Features(
    velocity_rms_mm_s=0.8,
    acceleration_rms_m_s2=0.8,
    peak_m_s2=3.0,
    kurtosis=3.0,
    crest=3.8,
    high_rms_m_s2=0.5,
    shaft_mm_s=(1.0, 0.25, 0.1, 0.1, 0.1),
    shaft_prominence=(9.0, 9.0),
    envelope=_envelope(_score(), _score()),
    speed_rpm=1000.0,
)


def _found(features: Features, baseline: Baseline = USUAL, kind: EquipmentKind = PUMP) -> list[str]:
    diagnoses = diagnose(features, baseline, LIMITS, kind)
    return [each.condition.value for each in diagnoses if each.probability >= 0.5]


def test_a_healthy_waveform_shows_nothing() -> None:
    assert _found(WELL) == []


@pytest.mark.parametrize(
    ("features", "condition"),
    [
        (replace(WELL, envelope=_envelope(_score(6), _score(2))), Condition.BEARING_OUTER_RACE),
        (replace(WELL, envelope=_envelope(_score(2), _score(6))), Condition.BEARING_INNER_RACE),
        (replace(WELL, shaft_mm_s=(4.0, 0.3, 0.1)), Condition.IMBALANCE),
        (replace(WELL, shaft_mm_s=(1.5, 2.0, 0.5)), Condition.MISALIGNMENT),
        (replace(WELL, high_rms_m_s2=2.0), Condition.CAVITATION),
    ],
)
def test_each_condition_is_named_alone(features: Features, condition: Condition) -> None:
    assert _found(features) == [condition]


@pytest.mark.parametrize(
    "features",
    [
        replace(WELL, envelope=_envelope(_score(6, rival=7), _score(2))),
        replace(WELL, envelope=_envelope(_score(6), _score(2), rms=1e-6)),
        replace(WELL, envelope=None),
        replace(WELL, envelope=Envelope(Band(2000, 4000, 0.3), 0.5, {})),
    ],
    ids=["a whole order is stronger", "the band is silent", "no envelope", "bearing not known"],
)
def test_no_bearing_is_blamed_without_its_own_order(features: Features) -> None:
    assert _found(features) == []


def test_a_change_of_speed_is_no_imbalance() -> None:
    faster = replace(WELL, speed_rpm=3000.0, shaft_mm_s=(3.0, 0.75, 0.3), high_rms_m_s2=1.5)
    assert _found(faster) == []


def test_a_rise_that_stays_far_below_zone_a_is_nobodys_concern() -> None:
    quiet = Baseline(once=0.05, twice=0.02, high=0.5, count=LEARN)
    tiny = replace(WELL, shaft_mm_s=(0.3, 0.02, 0.01))
    assert _found(tiny, quiet) == []


def test_knocking_is_not_taken_for_cavitation() -> None:
    knocking = _envelope(_score(6), _score(2), band=Band(2000, 4000, 5.0))
    found = _found(replace(WELL, high_rms_m_s2=2.0, envelope=knocking))
    assert found == [Condition.BEARING_OUTER_RACE]


@pytest.mark.parametrize("shaft_mm_s", [(4.0, 0.3, 0.1), (1.5, 2.0, 0.5)], ids=["once", "twice"])
def test_noise_at_shaft_speed_is_no_rotor_fault(shaft_mm_s: tuple[float, ...]) -> None:
    assert _found(replace(WELL, shaft_mm_s=shaft_mm_s, shaft_prominence=(2.0, 2.0))) == []


def test_a_coasting_shaft_says_nothing_of_its_rotor() -> None:
    coasting = replace(WELL, speed_rpm=500.0, shaft_mm_s=(4.0, 0.3, 0.1))
    assert _found(coasting) == []
    assert learn(Baseline(), coasting) == Baseline()


def test_only_pumps_cavitate() -> None:
    assert _found(replace(WELL, high_rms_m_s2=2.0), kind=SPINDLE) == []


def test_without_a_baseline_only_bearings_are_judged() -> None:
    loud = replace(
        WELL,
        shaft_mm_s=(9.0, 9.0, 1.0),
        high_rms_m_s2=9.0,
        envelope=_envelope(_score(6), _score(2)),
    )
    assert _found(loud, Baseline()) == [Condition.BEARING_OUTER_RACE]


def test_a_silent_baseline_is_no_division_by_zero() -> None:
    assert _found(WELL, Baseline(count=LEARN)) == []


def test_a_learned_baseline_is_not_dragged_along() -> None:
    assert learn(USUAL, replace(WELL, shaft_mm_s=(9.0, 9.0, 1.0))) == USUAL


def test_evidence_carries_the_figures_of_the_message() -> None:
    outer = diagnose(
        replace(WELL, envelope=_envelope(_score(6.2), _score(2))), USUAL, LIMITS, PUMP
    )[0]
    assert outer.evidence["bpfo_ratio_to_floor"] == 6.2
    assert "6.2 times" in outer.message
    assert "kurtosis 3.0" in outer.message

"""Features against signals whose figures are known by formula."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from agents.vibration.bearings import BearingFault, bearing_orders
from agents.vibration.features import Features, vibration_features
from agents.vibration.waveform import Waveform

RATE_HZ = 25_600.0
COUNT = 4096
SHAFT_HZ = 25.0
ORDERS = bearing_orders({"bearing": "6205-2RS"})


def _time() -> npt.NDArray[np.float64]:
    return np.arange(COUNT) / RATE_HZ


def _features(samples: npt.NDArray[np.float64], rate_hz: float = RATE_HZ) -> Features:
    return vibration_features(Waveform(samples, rate_hz, SHAFT_HZ * 60), ORDERS)


def _sine(hz: float, amplitude: float) -> npt.NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hz * _time())


def _noise(seed: int = 1) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(0, 1, COUNT)


def _struck(order: float, seed: int = 1) -> npt.NDArray[np.float64]:
    """Noise plus a 4 kHz resonance struck `order` times a turn, 1 % jitter."""
    random = np.random.default_rng(seed)
    samples = random.normal(0, 1, COUNT)
    period_s = 1 / (order * SHAFT_HZ)
    strikes = np.cumsum(period_s * random.normal(1, 0.01, int(COUNT / RATE_HZ / period_s)))
    since = _time()[:, None] - strikes[None, :]
    ring = np.where(since >= 0, np.exp(-800 * np.maximum(since, 0)), 0)
    return samples + (8 * ring * np.sin(2 * np.pi * 4000 * since)).sum(axis=1)


def test_orders_of_a_6205_are_those_of_the_tables() -> None:
    expected = {"bpfo": 3.585, "bpfi": 5.415, "bsf": 2.357, "ftf": 0.398}
    assert {fault.value: round(order, 3) for fault, order in ORDERS.items()} == expected


@pytest.mark.parametrize("nameplate", [{}, {"bearing": ""}, {"bearing": "999"}, {"bpfo": "x"}])
def test_an_unknown_bearing_has_no_orders(nameplate: dict[str, str]) -> None:
    assert bearing_orders(nameplate) == {}


def test_the_makers_own_order_wins() -> None:
    assert bearing_orders({"bearing": "6205", "bpfo": "3.6"})[BearingFault.OUTER_RACE] == 3.6


@pytest.mark.parametrize("hz", [50.0, 123.4, 997.0 / 3, 900.0])
def test_velocity_of_a_sine_is_acceleration_over_angular_frequency(hz: float) -> None:
    expected = 3 / (2 * math.pi * hz) / math.sqrt(2) * 1000
    assert _features(_sine(hz, 3)).velocity_rms_mm_s == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("hz", [3000.0, 8000.0])
def test_what_lies_above_1000_hz_is_no_severity(hz: float) -> None:
    inside = _features(_sine(100.0, 3)).velocity_rms_mm_s
    assert _features(_sine(hz, 3)).velocity_rms_mm_s < 0.2 * inside


def test_shape_of_a_sine() -> None:
    features = _features(_sine(200.0, 2))
    assert features.acceleration_rms_m_s2 == pytest.approx(math.sqrt(2), rel=1e-3)
    assert features.peak_m_s2 == pytest.approx(2, rel=1e-3)
    assert features.kurtosis == pytest.approx(1.5, rel=1e-3)
    assert features.crest == pytest.approx(math.sqrt(2), rel=1e-3)


def test_a_constant_offset_changes_nothing() -> None:
    assert _features(_noise() + 1000).kurtosis == pytest.approx(_features(_noise()).kurtosis)


def test_all_amplitudes_scale_with_the_signal_and_shapes_do_not() -> None:
    one, ten = _features(_noise()), _features(10 * _noise())
    assert ten.velocity_rms_mm_s == pytest.approx(10 * one.velocity_rms_mm_s)
    assert ten.kurtosis == pytest.approx(one.kurtosis)
    assert one.envelope is not None
    assert ten.envelope is not None
    outer = BearingFault.OUTER_RACE
    assert ten.envelope.scores[outer].ratio == pytest.approx(one.envelope.scores[outer].ratio)


def test_shaft_orders_are_told_apart() -> None:
    samples = _sine(SHAFT_HZ, 1) + _sine(2 * SHAFT_HZ, 4)
    expected = [1000 / (2 * math.pi * SHAFT_HZ), 4000 / (2 * math.pi * 2 * SHAFT_HZ)]
    assert _features(samples).shaft_mm_s[:2] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("fault", [BearingFault.OUTER_RACE, BearingFault.INNER_RACE])
def test_strikes_at_a_fault_order_stand_above_the_floor_at_that_order(fault: BearingFault) -> None:
    envelope = _features(_struck(ORDERS[fault])).envelope
    assert envelope is not None
    best = max(envelope.scores, key=lambda each: envelope.scores[each].ratio)
    assert best == fault
    assert envelope.scores[fault].ratio > 5
    assert envelope.scores[fault].rival_ratio < envelope.scores[fault].ratio
    assert envelope.scores[fault].order == pytest.approx(ORDERS[fault], rel=0.02)
    assert envelope.band.low_hz < 4000 < envelope.band.high_hz


@pytest.mark.parametrize("seed", range(20))
def test_noise_has_no_fault_order(seed: int) -> None:
    envelope = _features(_noise(seed)).envelope
    assert envelope is not None
    assert max(score.ratio for score in envelope.scores.values()) < 2.8


def test_strikes_at_a_whole_order_are_no_bearing_fault() -> None:
    envelope = _features(_struck(4.0)).envelope
    assert envelope is not None
    score = envelope.scores[BearingFault.OUTER_RACE]
    assert score.rival_ratio > score.ratio


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_dead_sensor_gives_zeros_not_errors(value: float) -> None:
    features = _features(np.full(COUNT, value))
    assert features.velocity_rms_mm_s == pytest.approx(0, abs=1e-9)
    assert features.kurtosis == 0
    assert features.envelope is None


def test_a_sample_rate_too_low_for_the_speed_gives_no_envelope() -> None:
    features = _features(_noise(), rate_hz=400.0)
    assert features.envelope is None
    assert features.acceleration_rms_m_s2 > 0


def test_without_a_known_bearing_no_order_is_scored() -> None:
    features = vibration_features(Waveform(_noise(), RATE_HZ, 1500.0), {})
    assert features.envelope is not None
    assert features.envelope.scores == {}

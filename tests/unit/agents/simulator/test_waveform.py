"""A captured waveform says the same as the 1 Hz features, and shows the fault it carries."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from agents.simulator.bearing import SKF_6205
from agents.simulator.faults import HEALTHY, Faults
from agents.simulator.plant import PlantModel
from agents.simulator.vibration import Features, Rotor, Signature, features, signature
from agents.simulator.waveform import capture
from app.core.errors import InputError

ROTOR = Rotor(SKF_6205, 24.5)
RATE_HZ = 20_480.0
PUMP = "riverside/utilities/cooling/pump-101"
CASES = {
    "healthy": HEALTHY,
    "outer": Faults(bearing_outer_race=0.8),
    "inner": Faults(bearing_inner_race=0.8),
    "imbalance": Faults(imbalance=0.8),
    "misalignment": Faults(misalignment=0.8),
}


def measured(wave: npt.NDArray[np.float64]) -> Features:
    """Return the features of a waveform, found the long way round."""
    spectrum = np.fft.rfft(wave - wave.mean())
    frequency = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    band = (frequency >= 10) & (frequency <= 1000)
    speed = np.where(band, spectrum / (2j * np.pi * np.where(band, frequency, 1)), 0)
    # Parseval: each line of a one-sided spectrum carries its power twice.
    velocity = math.sqrt(2 * float(np.sum(np.abs(speed) ** 2))) / len(wave) * 1000
    rms = float(wave.std())
    kurtosis = float((((wave - wave.mean()) / rms) ** 4).mean())
    return Features(velocity, rms, kurtosis, float(np.abs(wave).max() / rms))


def envelope(wave: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the spectrum of the envelope between 2 and 5 kHz, one bin is RATE / samples."""
    spectrum = np.fft.fft(wave)
    frequency = np.fft.fftfreq(len(wave), 1 / RATE_HZ)
    analytic = np.fft.ifft(np.where((frequency > 2000) & (frequency < 5000), 2 * spectrum, 0))
    squared = np.abs(analytic) ** 2
    return np.abs(np.fft.rfft(squared - squared.mean()))


def prominence(lines: npt.NDArray[np.float64], frequency_hz: float, samples: int) -> float:
    """Return the height of a line over the median of its neighbourhood."""
    at = round(frequency_hz * samples / RATE_HZ)
    wide = lines[max(2, at - 60) : at + 60]
    return float(lines[at - 2 : at + 3].max() / np.median(wide))


def shaking(faults: Faults, hiss: float = 0.0) -> Signature:
    return signature(ROTOR, 24.5, 0.9, faults, hiss)


@pytest.mark.parametrize("name", list(CASES))
def test_features_of_the_bus_agree_with_those_of_the_waveform(name: str) -> None:
    random = np.random.default_rng(3)
    expected = features(shaking(CASES[name]))
    waves = [measured(capture(shaking(CASES[name]), random, 16_384)) for _ in range(24)]
    columns = zip(*waves, strict=True)
    found = Features(*[sum(column) / len(waves) for column in columns])
    assert found.velocity == pytest.approx(expected.velocity, rel=0.08)
    assert found.acceleration == pytest.approx(expected.acceleration, rel=0.05)
    assert found.kurtosis == pytest.approx(expected.kurtosis, rel=0.12)
    assert found.crest == pytest.approx(expected.crest, rel=0.1)


@pytest.mark.parametrize(
    ("name", "order"), [("outer", SKF_6205.outer_order), ("inner", SKF_6205.inner_order)]
)
def test_the_envelope_shows_the_defect_frequency(name: str, order: float) -> None:
    wave = capture(shaking(CASES[name]), np.random.default_rng(5), 32_768)
    assert prominence(envelope(wave), order * 24.5, 32_768) > 12


@pytest.mark.parametrize("order", [SKF_6205.outer_order, SKF_6205.inner_order])
def test_a_healthy_envelope_shows_no_defect_frequency(order: float) -> None:
    wave = capture(shaking(HEALTHY), np.random.default_rng(5), 32_768)
    assert prominence(envelope(wave), order * 24.5, 32_768) < 6


def test_an_inner_race_defect_carries_sidebands_of_the_shaft() -> None:
    wave = capture(shaking(CASES["inner"]), np.random.default_rng(5), 65_536)
    lines = envelope(wave)
    sideband = (SKF_6205.inner_order - 1) * 24.5
    assert prominence(lines, sideband, 65_536) > 6


@pytest.mark.parametrize(("name", "order"), [("imbalance", 1), ("misalignment", 2)])
def test_the_strongest_line_of_velocity_tells_the_fault(name: str, order: int) -> None:
    wave = capture(shaking(CASES[name]), np.random.default_rng(5), 16_384)
    frequency = np.fft.rfftfreq(16_384, 1 / RATE_HZ)
    velocity = np.abs(np.fft.rfft(wave)) / np.maximum(frequency, 1)
    velocity[frequency < 10] = 0
    assert frequency[velocity.argmax()] == pytest.approx(order * 24.5, abs=1.5)


def test_cavitation_is_broadband() -> None:
    wave = capture(shaking(HEALTHY, hiss=5.0), np.random.default_rng(5), 16_384)
    power = np.abs(np.fft.rfft(wave)) ** 2
    low, high = power[800:4000].mean(), power[4000:8000].mean()
    assert low == pytest.approx(high, rel=0.15)
    assert measured(wave).kurtosis == pytest.approx(3.0, abs=0.2)


def test_a_stopped_machine_is_quiet() -> None:
    still = signature(ROTOR, 0.0, 0.0, Faults(bearing_outer_race=1.0))
    assert features(still).acceleration < 0.05
    assert capture(still, np.random.default_rng(1)).std() < 0.05


def test_noise_does_not_depend_on_the_sample_rate() -> None:
    slow = capture(shaking(HEALTHY, 9.0), np.random.default_rng(1), 32_768, 12_000)
    fast = capture(shaking(HEALTHY, 9.0), np.random.default_rng(1), 32_768, 48_000)
    assert fast.std() / slow.std() == pytest.approx(2.0, rel=0.1)


def test_the_plant_captures_what_it_was_asked_for(plant: PlantModel) -> None:
    wave = plant.capture(PUMP, samples=4096, sample_rate_hz=25_600)
    assert wave.shape == (4096,)
    assert wave.dtype == np.float64
    assert math.isfinite(wave.sum())
    assert plant.speed_rpm(PUMP) > 1000


@pytest.mark.parametrize("samples", [0, -1, 63, 131_073, 10**9])
def test_a_wrong_number_of_samples_is_refused(plant: PlantModel, samples: int) -> None:
    with pytest.raises(InputError, match="samples"):
        plant.capture(PUMP, samples=samples)


@pytest.mark.parametrize("rate", [0.0, -1.0, 11_999.0, 1e9, math.nan, math.inf])
def test_a_wrong_sample_rate_is_refused(plant: PlantModel, rate: float) -> None:
    with pytest.raises(InputError, match="sample_rate_hz"):
        plant.capture(PUMP, sample_rate_hz=rate)


@pytest.mark.parametrize(
    "unit",
    ["riverside/heat/ovens/oven-501", "riverside/control/network/tap-701", "", "x" * 5000],
)
def test_a_unit_without_a_shaft_has_no_waveform(plant: PlantModel, unit: str) -> None:
    with pytest.raises(InputError, match="equipment"):
        plant.capture(unit)

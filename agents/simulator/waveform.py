"""Acceleration waveforms, sample by sample, from a machine's signature."""

import numpy as np
import numpy.typing as npt

from agents.simulator.vibration import Impulses, Signature
from app.core.errors import InputError

SAMPLE_RATE_HZ = 20_480.0
SAMPLES = 8192
MAX_SAMPLES = 131_072
_MIN_RATE_HZ, _MAX_RATE_HZ = 12_000.0, 102_400.0
# Balls slip by one to two percent in the load zone (Randall and Antoni, Mech. Syst. Signal
# Process. 25 (2011) 485), which smears the harmonics of a defect frequency.
_SLIP_JITTER = 0.01


def capture(
    shaking: Signature,
    random: np.random.Generator,
    samples: int = SAMPLES,
    sample_rate_hz: float = SAMPLE_RATE_HZ,
) -> npt.NDArray[np.float64]:
    """Return an acceleration waveform, shape (samples,), m/s2.

    Raises:
        InputError: The number of samples or the sample rate is out of bounds.
    """
    check_capture(samples, sample_rate_hz)
    time = np.arange(samples) / sample_rate_hz
    wave: npt.NDArray[np.float64] = random.standard_normal(samples) * np.sqrt(
        shaking.noise_density * sample_rate_hz / 2
    )
    for frequency, velocity in shaking.lines:
        amplitude = velocity * 1e-3 * 2 * np.pi * frequency
        wave += amplitude * np.sin(2 * np.pi * frequency * time + random.uniform(0, 2 * np.pi))
    for train in shaking.impulses:
        wave += _ring_downs(train, shaking, random, time)
    return wave


def check_capture(samples: int, sample_rate_hz: float) -> None:
    """Check what a capture is asked for.

    Raises:
        InputError: Names the field and its bounds.
    """
    if not 64 <= samples <= MAX_SAMPLES:
        raise InputError(f"samples: {samples} is not between 64 and {MAX_SAMPLES}")
    if not _MIN_RATE_HZ <= sample_rate_hz <= _MAX_RATE_HZ:
        raise InputError(
            f"sample_rate_hz: {sample_rate_hz:g} is not between {_MIN_RATE_HZ:g} "
            f"and {_MAX_RATE_HZ:g}"
        )


def _ring_downs(
    train: Impulses,
    shaking: Signature,
    random: np.random.Generator,
    time: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the answer of the structure to one train of impacts."""
    step = time[1]
    duration = len(time) * step
    decay = shaking.damping * 2 * np.pi * shaking.resonance_hz
    tail_s = 8 / decay
    count = int(duration * train.rate_hz) + 20
    gaps = 1 + _SLIP_JITTER * random.standard_normal(count)
    hits = np.cumsum(gaps) / train.rate_hz + random.uniform(0, 1 / train.rate_hz) - tail_s
    hits = hits[hits < duration]
    strength = np.full(len(hits), train.peak)
    if train.modulation_hz:
        angle = 2 * np.pi * train.modulation_hz * hits + random.uniform(0, 2 * np.pi)
        strength *= (1 + np.cos(angle)) / 2
    # Each impact rings over a window of samples that begins at the sample after it.
    window = np.arange(int(tail_s / step) + 1)
    first = np.ceil(hits / step).astype(np.int64)
    index = first[:, None] + window[None, :]
    since = index * step - hits[:, None]
    # This phase lets the acceleration of one impact sum to nothing, so that none of it leaks
    # into the velocity band.
    swing = 2 * np.pi * shaking.resonance_hz * since + np.arctan(shaking.damping)
    ringing = strength[:, None] * np.exp(-decay * since) * np.cos(swing)
    inside = (index >= 0) & (index < len(time))
    wave = np.zeros(len(time))
    np.add.at(wave, index[inside], ringing[inside])
    return wave

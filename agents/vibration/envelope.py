"""Envelope analysis: impacts that a bearing defect makes ring in a resonance.

Method: Antoni & Randall (2006), spectral kurtosis and the kurtogram; Randall & Antoni (2011),
"Rolling element bearing diagnostics, a tutorial". Bands of constant width stand for the full
kurtogram; the analytic signal of a band is the inverse transform of its half of the spectrum.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.vibration.bearings import BearingFault
from agents.vibration.spectrum import Spectrum, spectrum
from agents.vibration.waveform import Waveform

Array = npt.NDArray[np.float64]
HARMONICS = 3  # of a fault order that are summed
SLIP = 0.02  # rolling elements slip 1-2 % (Randall & Antoni 2011, section 2)
_DIVISIONS = (3, 4, 6, 8, 12)  # bands per half spectrum, one row of the kurtogram each
_LOWEST_HZ = 500.0  # below it shaft orders dominate, not resonances
_EDGE = 16  # 1/16 of the samples at each end ring from the cut and are left out


@dataclass(frozen=True, slots=True)
class Band:
    """The band whose envelope is most impulsive.

    Attributes:
        low_hz: Lower edge.
        high_hz: Upper edge.
        kurtosis: Of the complex envelope minus 2: 0 for Gaussian noise, large for impacts.
    """

    low_hz: float
    high_hz: float
    kurtosis: float


@dataclass(frozen=True, slots=True)
class OrderScore:
    """How strongly a fault order stands in the envelope spectrum.

    Attributes:
        order: Strikes per turn, after slip as found.
        amplitude: Of the envelope at the first harmonic, m/s2.
        ratio: Sum of the harmonics over the sum of the floor around them; noise gives 0.8-2.3.
        sideband_ratio: The same for the lines one turn beside the harmonics.
        rival_ratio: The same for the stronger of the whole orders around this one: vanes, teeth
            and the shaft itself modulate at whole orders, bearings do not.
    """

    order: float
    amplitude: float
    ratio: float
    sideband_ratio: float
    rival_ratio: float


@dataclass(frozen=True, slots=True)
class Envelope:
    """Envelope of the chosen band and what is found in it."""

    band: Band
    rms: float
    scores: dict[BearingFault, OrderScore]


def analyse_envelope(waveform: Waveform, orders: Mapping[BearingFault, float]) -> Envelope | None:
    """Find the most impulsive band and score the bearing's fault orders in its envelope.

    Returns:
        None if no band is wide enough to show twice the highest fault order: the sample rate is
        too low for the speed.
    """
    samples = waveform.samples - waveform.samples.mean()
    half = np.fft.rfft(samples)
    highest_hz = max(orders.values(), default=1.0) * waveform.shaft_hz
    best: tuple[Band, Array] | None = None
    for low, high in _bands(len(half), waveform, min_width_hz=4 * highest_hz):
        magnitude = np.abs(np.fft.ifft(half[low:high])) * (2 * (high - low) / len(samples))
        edge = len(magnitude) // _EDGE
        band = _band(magnitude[edge:-edge], low, high, waveform.sample_rate_hz / len(samples))
        if best is None or band.kurtosis > best[0].kurtosis:
            best = band, magnitude
    if best is None:
        return None
    band, magnitude = best
    rate_hz = band.high_hz - band.low_hz
    lines = spectrum(magnitude, rate_hz)
    scores = {
        fault: score_order(lines, order, waveform.shaft_hz) for fault, order in orders.items()
    }
    return Envelope(band, float(np.sqrt(np.mean(magnitude**2))), scores)


def _bands(bins: int, waveform: Waveform, min_width_hz: float) -> Iterator[tuple[int, int]]:
    step_hz = waveform.sample_rate_hz / len(waveform.samples)
    for division in _DIVISIONS:
        width = bins // division
        if width * step_hz < min_width_hz or width < 64:
            continue
        for low in range(width // 2, bins - width + 1, width // 2):
            if low * step_hz >= _LOWEST_HZ:
                yield low, low + width


def _band(magnitude: Array, low: int, high: int, step_hz: float) -> Band:
    square = np.square(magnitude)
    mean = float(square.mean())
    # A silent band (all zeros) has no shape.
    kurtosis = float(np.square(square).mean()) / mean**2 - 2 if mean > 0 else 0.0
    return Band(low * step_hz, high * step_hz, kurtosis)


def score_order(lines: Spectrum, order: float, shaft_hz: float) -> OrderScore:
    """Compare the harmonics of an order with the noise floor around them."""
    found_hz = _found(lines, order * shaft_hz)
    harmonics = [n * found_hz for n in range(1, HARMONICS + 1)]
    sidebands = [hz + side * shaft_hz for hz in harmonics for side in (-1, 1)]
    return OrderScore(
        order=found_hz / shaft_hz,
        amplitude=lines.amplitude(found_hz),
        ratio=_ratio(lines, harmonics, shaft_hz),
        sideband_ratio=_ratio(lines, sidebands, shaft_hz),
        rival_ratio=max(
            _ratio(lines, [n * whole * shaft_hz for n in range(1, HARMONICS + 1)], shaft_hz)
            for whole in (max(math.floor(order), 1), math.ceil(order))
        ),
    )


def _found(lines: Spectrum, nominal_hz: float) -> float:
    """Return where the fault frequency is after slip: the strongest of a comb of harmonics."""
    shifts = np.linspace(1 - SLIP, 1 + SLIP, 9)
    sums = [
        sum(lines.amplitude(n * shift * nominal_hz) for n in range(1, HARMONICS + 1))
        for shift in shifts
    ]
    return float(shifts[int(np.argmax(sums))]) * nominal_hz


def _ratio(lines: Spectrum, centres_hz: list[float], shaft_hz: float) -> float:
    tops, floors = 0.0, 0.0
    for centre_hz in centres_hz:
        peak = lines.peak(centre_hz, lines.step_hz / 2)
        if peak is None:
            continue
        floors += lines.floor(centre_hz, max(round(1.5 * shaft_hz / lines.step_hz), 10))
        if lines.power[peak] >= lines.power[max(peak - 2, 1) : peak + 3].max():
            tops += lines.amplitude(peak * lines.step_hz)
        # else: the shoulder of a stronger line beside it, such as a whole order of the shaft
    return tops / floors if floors > 0 else 0.0

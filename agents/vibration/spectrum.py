"""Amplitude spectra of vibration: what turns with the shaft, and how strongly."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.vibration.waveform import Waveform

Array = npt.NDArray[np.float64]
BAND_HZ = (10.0, 1000.0)  # of the severity figure (ISO 20816-1, broad-band vibration)
_FLOOR_BINS = 8  # each side: wide enough for a median, narrow enough to stay at the line
_HANN_NOISE_BANDWIDTH = 1.5  # bins (Harris 1978, table I)


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One-sided power of a Hann-windowed signal.

    Attributes:
        power: (n // 2 + 1,) float64: the sum over any peak's bins is amplitude squared * 1.5.
        step_hz: Distance of two bins.
    """

    power: Array
    step_hz: float

    def amplitude(self, centre_hz: float, tolerance_hz: float = 0.0) -> float:
        """Return the amplitude of the strongest line within the tolerance; 0 beyond the range.

        The three bins of the line's main lobe are summed, so the figure does not depend on where
        the line falls between two bins.
        """
        peak = self.peak(centre_hz, tolerance_hz)
        if peak is None:
            return 0.0
        lobe = self.power[max(peak - 1, 1) : peak + 2]
        return float(np.sqrt(lobe.sum() / _HANN_NOISE_BANDWIDTH))

    def peak(self, centre_hz: float, tolerance_hz: float = 0.0) -> int | None:
        """Return the bin of the strongest line within the tolerance, None beyond the range."""
        low = int(np.floor((centre_hz - tolerance_hz) / self.step_hz))
        high = int(np.ceil((centre_hz + tolerance_hz) / self.step_hz))
        if low < 1 or high > len(self.power) - 2:
            return None
        return low + int(np.argmax(self.power[low : high + 1]))

    def floor(self, centre_hz: float, reach: int) -> float:
        """Return the amplitude that noise alone would have, the median of `reach` bins each side.

        The median, because lines of the shaft and of other faults stand in the same stretch.
        """
        centre = round(centre_hz / self.step_hz)
        around = self.power[max(centre - reach, 2) : centre + reach + 1]
        # Three bins are summed in `amplitude`; the floor is counted the same way.
        return float(np.sqrt(2 * np.median(around))) if len(around) else 0.0

    def rms(self, low_hz: float, high_hz: float) -> float:
        """Return the root mean square of everything between two frequencies."""
        low = max(round(low_hz / self.step_hz), 1)
        high = round(high_hz / self.step_hz)
        return float(np.sqrt(self.power[low : high + 1].sum() / _HANN_NOISE_BANDWIDTH / 2))


def spectrum(samples: Array, sample_rate_hz: float) -> Spectrum:
    """Return the spectrum of real samples; the mean is taken off first."""
    count = len(samples)
    window = np.hanning(count + 1)[:-1]  # periodic form: exact for whole periods
    amplitude = np.fft.rfft((samples - samples.mean()) * window) / count * 4
    return Spectrum(np.square(np.abs(amplitude)), sample_rate_hz / count)


def velocity_spectrum(acceleration: Spectrum) -> Spectrum:
    """Integrate an acceleration spectrum (m/s2) to velocity (mm/s), 10-1000 Hz only.

    Below 10 Hz sensor drift, divided by a small frequency, would outweigh the machine.
    """
    frequency = np.arange(len(acceleration.power)) * acceleration.step_hz
    half = acceleration.step_hz / 2
    inside = (frequency >= BAND_HZ[0] - half) & (frequency <= BAND_HZ[1] + half)
    power = np.zeros_like(acceleration.power)
    power[inside] = acceleration.power[inside] / np.square(2 * np.pi * frequency[inside] / 1000)
    return Spectrum(power, acceleration.step_hz)


def shaft_amplitudes(velocity: Spectrum, waveform: Waveform, harmonics: int = 5) -> list[float]:
    """Return the velocity amplitudes at 1x, 2x … of the shaft, mm/s peak.

    Tolerance 2 % of the order's frequency: speed reading and drift within the window.
    """
    orders = range(1, harmonics + 1)
    return [velocity.amplitude(n * waveform.shaft_hz, 0.02 * n * waveform.shaft_hz) for n in orders]


def shaft_prominence(acceleration: Spectrum, waveform: Waveform) -> tuple[float, float]:
    """Return how far 1x and 2x of the shaft stand above the noise around them."""
    once, twice = (_prominence(acceleration, n * waveform.shaft_hz) for n in (1, 2))
    return once, twice


def _prominence(acceleration: Spectrum, hz: float) -> float:
    floor = acceleration.floor(hz, _FLOOR_BINS)
    return acceleration.amplitude(hz, 0.02 * hz) / floor if floor > 0 else 0.0

"""All figures of one waveform: severity, shape, shaft orders and bearing orders."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agents.vibration.bearings import BearingFault
from agents.vibration.envelope import Envelope, analyse_envelope
from agents.vibration.spectrum import (
    BAND_HZ,
    shaft_amplitudes,
    shaft_prominence,
    spectrum,
    velocity_spectrum,
)
from agents.vibration.waveform import Waveform

HIGH_BAND_HZ = 2000.0  # above shaft, gear and vane orders of these machines: flow noise and impacts


@dataclass(frozen=True, slots=True)
class Features:
    """What a waveform says in numbers.

    Attributes:
        velocity_rms_mm_s: 10-1000 Hz (ISO 20816-1).
        acceleration_rms_m_s2: Of the whole band, mean taken off.
        peak_m_s2: Largest deflection from the mean.
        kurtosis: Fourth standardised moment; 3 for Gaussian noise, 1.5 for a sine.
        crest: Peak over RMS.
        high_rms_m_s2: RMS above 2 kHz (above a quarter of the sample rate when that is lower).
        shaft_mm_s: Velocity amplitude at 1x to 5x of the shaft, mm/s peak.
        shaft_prominence: How far 1x and 2x stand above the noise around them.
        envelope: Envelope analysis; None when the sample rate is too low for the speed.
        speed_rpm: Speed of the shaft.
    """

    velocity_rms_mm_s: float
    acceleration_rms_m_s2: float
    peak_m_s2: float
    kurtosis: float
    crest: float
    high_rms_m_s2: float
    shaft_mm_s: tuple[float, ...]
    shaft_prominence: tuple[float, float]
    envelope: Envelope | None
    speed_rpm: float

    @property
    def can_see_rotor(self) -> bool:
        """1x lies in the band of the severity figure; below it nothing is known of the rotor."""
        return self.speed_rpm / 60 >= BAND_HZ[0]


def vibration_features(waveform: Waveform, orders: Mapping[BearingFault, float]) -> Features:
    """Compute every figure of a waveform; a constant signal gives zeros."""
    centred = waveform.samples - waveform.samples.mean()
    square = np.square(centred)
    variance = float(square.mean())
    rms = variance**0.5
    peak = float(np.abs(centred).max())
    acceleration = spectrum(waveform.samples, waveform.sample_rate_hz)
    velocity = velocity_spectrum(acceleration)
    nyquist_hz = waveform.sample_rate_hz / 2
    return Features(
        velocity_rms_mm_s=velocity.rms(0, nyquist_hz),
        acceleration_rms_m_s2=rms,
        peak_m_s2=peak,
        kurtosis=float(np.square(square).mean()) / variance**2 if variance > 0 else 0.0,
        crest=peak / rms if rms > 0 else 0.0,
        high_rms_m_s2=acceleration.rms(min(HIGH_BAND_HZ, nyquist_hz / 2), nyquist_hz),
        shaft_mm_s=tuple(shaft_amplitudes(velocity, waveform)),
        shaft_prominence=shaft_prominence(acceleration, waveform),
        envelope=analyse_envelope(waveform, orders) if variance > 0 else None,
        speed_rpm=waveform.speed_rpm,
    )

"""What shakes a machine, and the 1 Hz features that follow from it without making a waveform.

The waveform of `agents.simulator.waveform` is built from the same `Signature`, so that the
features on the bus and the features of a captured waveform agree.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from agents.simulator.bearing import Bearing
from agents.simulator.faults import Faults

BANDWIDTH_HZ = 10_240.0
"""Bandwidth of the accelerometer chain behind the 1 Hz features, Hz."""
# Velocity is evaluated from 10 to 1000 Hz (ISO 20816-1, 4.3).
_VELOCITY_BAND = (1 / 10 - 1 / 1000) / (4 * math.pi**2)
# Mean square and mean fourth power of the load-zone modulation (1 + cos x) / 2.
_MODULATED_2 = 3 / 8
_MODULATED_4 = 35 / 128


class Line(NamedTuple):
    """A sine in the spectrum: frequency in Hz, velocity amplitude in mm/s."""

    frequency_hz: float
    velocity: float


class Impulses(NamedTuple):
    """A train of impacts that make the structure ring.

    Attributes:
        rate_hz: Impacts a second.
        peak: Acceleration at the impact, m/s2.
        modulation_hz: Turning frequency that carries the defect through the load zone; 0 if
            it stands still there.
    """

    rate_hz: float
    peak: float
    modulation_hz: float


@dataclass(frozen=True, slots=True)
class Signature:
    """All that shakes one machine at one moment.

    Attributes:
        speed_hz: Turning frequency, Hz.
        lines: Sines of rotation, coupling, blades, teeth.
        impulses: Bearing defects.
        noise_density: White acceleration noise, (m/s2)2/Hz.
        resonance_hz: Structural resonance that impacts excite, Hz.
        damping: Its damping ratio.
    """

    speed_hz: float
    lines: tuple[Line, ...]
    impulses: tuple[Impulses, ...]
    noise_density: float
    resonance_hz: float
    damping: float


@dataclass(frozen=True, slots=True)
class Rotor:
    """How one machine shakes when healthy and how sensitive it is to faults.

    Attributes:
        bearing: Bearing at the accelerometer.
        rated_hz: Turning frequency at which the amplitudes below hold, Hz.
        residual: Velocity amplitude of the residual imbalance, mm/s.
        passing: Blades, teeth or lobes a turn.
        passing_velocity: Velocity amplitude at the passing frequency at full load, mm/s.
        noise: RMS of the acceleration noise at rated speed and load, m/s2.
        resonance_hz: Structural resonance, Hz.
        damping: Its damping ratio.
    """

    bearing: Bearing
    rated_hz: float
    residual: float = 1.1
    passing: int = 6
    passing_velocity: float = 0.5
    noise: float = 0.7
    resonance_hz: float = 3200.0
    damping: float = 0.03


class Features(NamedTuple):
    """Vibration figures of one second.

    Attributes:
        velocity: RMS from 10 to 1000 Hz, mm/s.
        acceleration: RMS over the whole band, m/s2.
        kurtosis: Of the acceleration; 3 for Gaussian noise.
        crest: Peak over RMS of the acceleration.
    """

    velocity: float
    acceleration: float
    kurtosis: float
    crest: float


def signature(
    rotor: Rotor, speed_hz: float, load: float, faults: Faults, hiss: float = 0.0
) -> Signature:
    """Return what shakes a machine.

    Args:
        rotor: The machine.
        speed_hz: Turning frequency, Hz; at standstill only sensor noise is left.
        load: Torque over rated torque.
        faults: What is wrong.
        hiss: RMS of further broadband noise (cavitation, cutting), m/s2.
    """
    ratio = speed_hz / rotor.rated_hz
    if ratio < 0.02:
        quiet = 0.02**2 / BANDWIDTH_HZ
        return Signature(speed_hz, (), (), quiet, rotor.resonance_hz, rotor.damping)
    # An imbalance moves a soft rotor by a fixed way, so its velocity grows with speed.
    once = (rotor.residual + 8.5 * faults.imbalance + 1.8 * faults.misalignment) * ratio
    twice = (0.25 + 7.5 * faults.misalignment) * ratio * (0.6 + 0.4 * load)
    lines = (
        Line(speed_hz, once),
        Line(2 * speed_hz, twice),
        Line(3 * speed_hz, (0.1 + 1.8 * faults.misalignment) * ratio),
        Line(rotor.passing * speed_hz, rotor.passing_velocity * ratio * (0.4 + 0.6 * load)),
    )
    strength = ratio * (0.5 + 0.5 * min(load, 1.5))
    impulses: list[Impulses] = []
    if faults.bearing_outer_race > 0:
        rate = rotor.bearing.outer_order * speed_hz
        impulses.append(Impulses(rate, 26 * faults.bearing_outer_race * strength, 0.0))
    if faults.bearing_inner_race > 0:
        rate = rotor.bearing.inner_order * speed_hz
        impulses.append(Impulses(rate, 34 * faults.bearing_inner_race * strength, speed_hz))
    noise = rotor.noise * ratio * (0.7 + 0.3 * load)
    density = (noise * noise + hiss * hiss) / BANDWIDTH_HZ
    return Signature(speed_hz, lines, tuple(impulses), density, rotor.resonance_hz, rotor.damping)


def features(shaking: Signature) -> Features:
    """Return the expected features of a signature.

    Powers of independent parts add, and so do their fourth cumulants: -3/8 a^4 for a sine of
    amplitude a, 0 for Gaussian noise, m4 - 3 m2^2 for a train of ring-downs p exp(-d t) cos wt
    at rate f, with m2 = p^2 f / 4d and m4 = 3 p^4 f / 32d.
    """
    power = shaking.noise_density * BANDWIDTH_HZ
    velocity_power = shaking.noise_density * _VELOCITY_BAND * 1e6
    cumulant = 0.0
    amplitudes = 0.0
    for frequency, velocity in shaking.lines:
        amplitude = velocity * 1e-3 * 2 * math.pi * frequency
        power += amplitude * amplitude / 2
        amplitudes += amplitude
        cumulant -= 0.375 * amplitude**4
        if 10 <= frequency <= 1000:
            velocity_power += velocity * velocity / 2
    decay = shaking.damping * 2 * math.pi * shaking.resonance_hz
    strike = 0.0
    for rate, peak, modulation in shaking.impulses:
        second = peak * peak * rate / (4 * decay) * (_MODULATED_2 if modulation else 1.0)
        fourth = 3 * peak**4 * rate / (32 * decay) * (_MODULATED_4 if modulation else 1.0)
        power += second
        cumulant += fourth - 3 * second * second
        strike = max(strike, peak * 0.95)
    gauss = math.sqrt(shaking.noise_density * BANDWIDTH_HZ)
    # The expected extreme of one second of Gaussian samples is 4.1 sigma; sines meet it at 0.62
    # of their sum and an impact meets both at half their height (fitted to the waveforms, 6 %).
    smooth = 4.1 * gauss + 0.62 * amplitudes
    peak = max(smooth, strike + 0.5 * smooth) if strike else smooth
    rms = math.sqrt(power)
    return Features(math.sqrt(velocity_power), rms, 3 + cumulant / (power * power), peak / rms)

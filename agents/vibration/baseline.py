"""What is usual for one unit, learned from its first waveforms and then kept."""

import msgspec

from agents.vibration.features import Features

LEARN = 8  # waveforms; a few minutes at the usual interval, enough to halve the scatter twice


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Usual figures of one unit, divided by speed so that a change of speed is no rise.

    A rigid rotor's vibration velocity at 1x and 2x and its flow and bearing noise grow about with
    speed; what is left of the dependence stays well below the factors that `diagnose` asks for.

    Attributes:
        once: Velocity amplitude at 1x, mm/s per 1000 rpm.
        twice: The same at 2x.
        high: RMS above 2 kHz, m/s2 per 1000 rpm.
        count: Waveforms it rests on.
    """

    once: float = 0.0
    twice: float = 0.0
    high: float = 0.0
    count: int = 0

    @property
    def is_learned(self) -> bool:
        """Enough waveforms were seen."""
        return self.count >= LEARN


def relative(features: Features) -> Baseline:
    """Return one waveform's figures in the terms of a baseline."""
    krpm = features.speed_rpm / 1000
    return Baseline(
        once=features.shaft_mm_s[0] / krpm,
        twice=features.shaft_mm_s[1] / krpm,
        high=features.high_rms_m_s2 / krpm,
        count=1,
    )


def learn(baseline: Baseline, features: Features) -> Baseline:
    """Take one healthy waveform into the mean; a learned baseline stays as it is.

    It is not followed later on: a baseline that follows would take slow wear for usual.
    """
    if baseline.is_learned or not features.can_see_rotor:
        return baseline
    new = relative(features)
    share = 1 / (baseline.count + 1)
    return Baseline(
        once=baseline.once + share * (new.once - baseline.once),
        twice=baseline.twice + share * (new.twice - baseline.twice),
        high=baseline.high + share * (new.high - baseline.high),
        count=baseline.count + 1,
    )

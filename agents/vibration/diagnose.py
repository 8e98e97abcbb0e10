"""From the figures of one waveform to conditions with a probability; pure.

Each score is a ratio of a figure to the figure at which the condition is as likely as not, put
through a logistic curve of its logarithm. Where the thresholds and the steepness come from:
`millwright evaluate vibration` (simulated waveforms; results in docs/models.md).
"""

from dataclasses import dataclass
from enum import StrEnum

from agents.vibration.baseline import Baseline, relative
from agents.vibration.bearings import BearingFault
from agents.vibration.envelope import OrderScore
from agents.vibration.features import Features
from agents.vibration.zones import ZoneLimit
from app.core.equipment import EquipmentKind

BEARING_RATIO = 3.0  # 4,000 windows of noise stay below 2.8
_BEARING_STEEPNESS = 10.0
ONCE_RISE = 2.2  # over the baseline at 1x
TWICE_RISE = 2.5  # over the baseline at 2x
TWICE_TO_ONCE = 0.6  # misalignment shows at 2x (ISO 13373-3, annex A)
HIGH_RISE = 1.5  # of the noise above 2 kHz when a pump cavitates; load alone moves it by 1.2
_STEEPNESS = 8.0
_LEAST_SHARE = 0.2  # of the limit of zone A: a smaller line matters to nobody
_PROMINENT = 4.0  # over the noise around it: less is noise of flow or cutting, not a line
_SMOOTH_KURTOSIS = 1.0  # of the most impulsive band: bubbles hiss, defects knock
_SILENT_SHARE = 0.005  # of the whole RMS: a band this quiet holds rounding, not a bearing


class Condition(StrEnum):
    """What a waveform can show."""

    BEARING_OUTER_RACE = "bearing_outer_race"
    BEARING_INNER_RACE = "bearing_inner_race"
    IMBALANCE = "imbalance"
    MISALIGNMENT = "misalignment"
    CAVITATION = "cavitation"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """How likely one condition is, with the figures behind it.

    Attributes:
        condition: Which.
        probability: 0 to 1.
        evidence: Figures by name, each with its unit in the name.
        message: What an operator reads.
    """

    condition: Condition
    probability: float
    evidence: dict[str, float]
    message: str


def diagnose(
    features: Features, baseline: Baseline, limits: ZoneLimit | None, kind: EquipmentKind
) -> list[Diagnosis]:
    """Score every condition; without a learned baseline only those that need none."""
    found = _bearing(features)
    if baseline.is_learned and features.can_see_rotor:
        least_mm_s = _LEAST_SHARE * (limits.a if limits else 1.4) * 2**0.5
        found += [_imbalance(features, baseline, least_mm_s)]
        found += [_misalignment(features, baseline, least_mm_s)]
        if kind == EquipmentKind.MOTOR_PUMP:
            bearing = {Condition.BEARING_OUTER_RACE, Condition.BEARING_INNER_RACE}
            knocking = max(
                (each.probability for each in found if each.condition in bearing), default=0.0
            )
            found += [_cavitation(features, baseline, knocking)]
    return found


def _bearing(features: Features) -> list[Diagnosis]:
    envelope = features.envelope
    if envelope is None or envelope.rms < _SILENT_SHARE * features.acceleration_rms_m_s2:
        return []
    outer = envelope.scores.get(BearingFault.OUTER_RACE)
    inner = envelope.scores.get(BearingFault.INNER_RACE)
    if outer is None or inner is None:
        return []
    # Three times BPFO lies within slip of twice BPFI on common bearings, so each fault lifts the
    # other's score; the stronger one is named.
    return [
        _race(Condition.BEARING_OUTER_RACE, outer, inner, features),
        _race(Condition.BEARING_INNER_RACE, inner, outer, features),
    ]


def _race(
    condition: Condition, score: OrderScore, other: OrderScore, features: Features
) -> Diagnosis:
    is_outer = condition == Condition.BEARING_OUTER_RACE
    title, order_name = ("Outer race", "bpfo") if is_outer else ("Inner race", "bpfi")
    ruled_out = score.ratio < max(other.ratio, score.rival_ratio)
    probability = 0.0 if ruled_out else _logistic(score.ratio / BEARING_RATIO, _BEARING_STEEPNESS)
    hertz = score.order * features.speed_rpm / 60
    return Diagnosis(
        condition,
        probability,
        {
            f"{order_name}_amplitude_m_s2": score.amplitude,
            f"{order_name}_ratio_to_floor": score.ratio,
            f"{order_name}_sideband_ratio": score.sideband_ratio,
            f"{order_name}_order": score.order,
            **_general(features),
        },
        f"{title} defect: {score.order:.2f} orders ({hertz:.0f} Hz) stand "
        f"{score.ratio:.1f} times above the envelope's floor, kurtosis {features.kurtosis:.1f}",
    )


def _imbalance(features: Features, baseline: Baseline, least_mm_s: float) -> Diagnosis:
    once, twice = features.shaft_mm_s[:2]
    rise = relative(features).once / baseline.once if baseline.once > 0 else 0.0
    is_line = once > least_mm_s and features.shaft_prominence[0] > _PROMINENT
    is_alone = is_line and twice < TWICE_TO_ONCE * once
    return Diagnosis(
        Condition.IMBALANCE,
        _logistic(rise / ONCE_RISE) if is_alone else 0.0,
        {"once_mm_s": once, "once_rise": rise, "twice_mm_s": twice, **_general(features)},
        f"Imbalance: {once:.1f} mm/s at shaft speed, {rise:.1f} times the usual, "
        f"{features.velocity_rms_mm_s:.1f} mm/s RMS in all",
    )


def _misalignment(features: Features, baseline: Baseline, least_mm_s: float) -> Diagnosis:
    once, twice = features.shaft_mm_s[:2]
    rise = relative(features).twice / baseline.twice if baseline.twice > 0 else 0.0
    share = twice / once if once > 0 else 0.0
    is_line = twice > least_mm_s and features.shaft_prominence[1] > _PROMINENT
    probability = min(_logistic(rise / TWICE_RISE), _logistic(share / TWICE_TO_ONCE))
    return Diagnosis(
        Condition.MISALIGNMENT,
        probability if is_line else 0.0,
        {"twice_mm_s": twice, "twice_rise": rise, "twice_to_once": share, **_general(features)},
        f"Misalignment: {twice:.1f} mm/s at twice shaft speed, {share:.1f} times that at "
        f"shaft speed and {rise:.1f} times the usual",
    )


def _cavitation(features: Features, baseline: Baseline, knocking: float) -> Diagnosis:
    rise = relative(features).high / baseline.high if baseline.high > 0 else 0.0
    kurtosis = features.envelope.band.kurtosis if features.envelope else 0.0
    is_smooth = kurtosis < _SMOOTH_KURTOSIS and knocking < 0.5
    return Diagnosis(
        Condition.CAVITATION,
        _logistic(rise / HIGH_RISE) if is_smooth else 0.0,
        {"high_rms_m_s2": features.high_rms_m_s2, "high_rise": rise, **_general(features)},
        f"Cavitation: noise above 2 kHz is {features.high_rms_m_s2:.1f} m/s2, "
        f"{rise:.1f} times the usual, without knocking",
    )


def _general(features: Features) -> dict[str, float]:
    return {
        "velocity_rms_mm_s": features.velocity_rms_mm_s,
        "kurtosis": features.kurtosis,
        "crest": features.crest,
        "speed_rpm": features.speed_rpm,
    }


def _logistic(ratio: float, steepness: float = _STEEPNESS) -> float:
    """Return the logistic curve of the ratio's logarithm: 0.5 at a ratio of 1."""
    return 1 / (1 + ratio**-steepness) if ratio > 1e-3 else 0.0

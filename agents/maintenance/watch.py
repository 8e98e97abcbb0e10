"""From the model's probabilities over time to findings that do not flicker; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from agents.maintenance.classes import MODES
from agents.maintenance.words import feature_words
from app.core.alarm import Finding, Priority

RAISE_S = 60.0  # above the threshold this long: one fast mean, so one burst does not raise
CLEAR_S = 120.0
_HYSTERESIS = 0.6  # of the threshold, below which a mode counts as gone
_HIGH, _MEDIUM = 0.9, 0.7  # probability
_EVIDENCE = 4  # features named


class Belief(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one failure mode of one unit is held to be present.

    Attributes:
        is_active: It is.
        against_s: How long the model has said otherwise, s.
        peak: Highest probability since it became active; gives the priority, which therefore
            only grows worse while the mode lasts and never flickers.
    """

    is_active: bool = False
    against_s: float = 0.0
    peak: float = 0.0


def watch(
    beliefs: Mapping[str, Belief],
    probabilities: Mapping[str, float],
    thresholds: Mapping[str, float],
    dt_s: float,
) -> dict[str, Belief]:
    """Return the beliefs after the probabilities held for the last `dt_s` seconds."""
    return {
        mode: _judge(beliefs.get(mode, Belief()), probabilities[mode], threshold, dt_s)
        for mode, threshold in thresholds.items()
    }


def _judge(old: Belief, probability: float, threshold: float, dt_s: float) -> Belief:
    differs = probability < _HYSTERESIS * threshold if old.is_active else probability >= threshold
    peak = max(old.peak, probability) if old.is_active else 0.0
    if not differs:
        return Belief(old.is_active, 0.0, peak)
    against_s = old.against_s + dt_s
    if against_s < (CLEAR_S if old.is_active else RAISE_S):
        return Belief(old.is_active, against_s, peak)
    return Belief() if old.is_active else Belief(is_active=True, peak=probability)


def decide(
    equipment: str, beliefs: Mapping[str, Belief], probabilities: Mapping[str, float], at: datetime
) -> Iterator[Finding]:
    """State for each failure mode whether it holds."""
    for mode, belief in beliefs.items():
        if belief.is_active:
            stated = present(equipment, mode, probabilities[mode], at)
            yield msgspec.structs.replace(stated, priority=priority(belief.peak))
        else:
            yield absent(equipment, mode, probabilities[mode], at)


def present(equipment: str, mode: str, probability: float, at: datetime) -> Finding:
    """Return the finding of a failure mode that is there."""
    return Finding(
        agent="maintenance",
        condition=mode,
        equipment=equipment,
        found_at=at,
        priority=priority(probability),
        probability=round(probability, 3),
        message=f"{MODES[mode].title}: probability {100 * probability:.0f} % from process values",
        response=MODES[mode].response,
    )


def absent(equipment: str, mode: str, probability: float, at: datetime) -> Finding:
    """Return the finding that a failure mode is not there."""
    return Finding(
        agent="maintenance",
        condition=mode,
        equipment=equipment,
        found_at=at,
        probability=round(probability, 3),
        message=f"{MODES[mode].title} is not seen" if mode in MODES else "No failure mode is seen",
    )


def priority(probability: float) -> Priority:
    """Return how urgent a failure mode of this probability is."""
    if probability >= _HIGH:
        return Priority.HIGH
    return Priority.MEDIUM if probability >= _MEDIUM else Priority.LOW


def explain(
    stated: Finding, contributions: Mapping[str, float], features: Mapping[str, float]
) -> Finding:
    """Add the features that speak most for a finding, with their share and their value."""
    speaking = [name for name, share in contributions.items() if share > 0.01][:_EVIDENCE]
    evidence: dict[str, float] = {}
    for name in speaking:
        evidence[name] = round(features[name], 4)
        evidence[f"{name}_share"] = round(contributions[name], 3)
    named = " and ".join(feature_words(name) for name in speaking[:2])
    message = f"{stated.message}, mostly by {named}" if named else stated.message
    return msgspec.structs.replace(stated, evidence=evidence, message=message)

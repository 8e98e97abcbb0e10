"""What the agent knows of one unit, and what follows from one more waveform or reading; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import assert_never

import msgspec

from agents.vibration.baseline import Baseline, learn
from agents.vibration.diagnose import Condition, Diagnosis, diagnose
from agents.vibration.features import Features
from agents.vibration.zones import Zone, ZoneLimit
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment

RAISE_AT, CLEAR_AT = 0.5, 0.3  # probability
RAISE_AFTER, CLEAR_AFTER = 2, 3  # waveforms in a row: one window in 10,000 of noise scores
INTERVAL_S = 45.0  # between waveforms of one unit; the option interval_s of the agent wins
STANDING_S = 5.0  # until a standing or blind unit is tried again
LEAST_RPM = 60.0  # a slower shaft stands or coasts
_LEARNING_S = 5.0  # while the baseline is learned
_CONFIRM_S = 2.0  # when a waveform says otherwise than the belief
ZONE_DELAY_S = 10.0  # a start or a passing resonance is over by then
ZONE_DEADBAND = 0.05  # of the limit
_SEVERE_KURTOSIS = 8.0  # impacts dominate: late stage of a bearing

RESPONSES = {
    Condition.BEARING_OUTER_RACE: "Order the bearing and plan its change at the next stop; "
    "check lubrication now",
    Condition.BEARING_INNER_RACE: "Order the bearing and plan its change within days; "
    "inner race defects grow fast",
    Condition.IMBALANCE: "Look for deposits, loose or broken parts on the rotor; "
    "balance at the next stop",
    Condition.MISALIGNMENT: "Check coupling and foot bolts at the next stop and align the shafts",
    Condition.CAVITATION: "Check the suction strainer and the level before the pump; "
    "throttle the discharge until the noise ends",
}
_ZONE_RESPONSES = {
    Zone.C: "Plan a repair; the machine must not run like this for long",
    Zone.D: "Stop the machine as soon as the process allows; this vibration causes damage",
}
_ZONE_PRIORITY = {Zone.C: Priority.MEDIUM, Zone.D: Priority.HIGH}


class Vote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a condition holds.

    Attributes:
        is_active: It does.
        against: Waveforms in a row that say otherwise.
        is_severe: It was severe at least once while it held; keeps the priority from flickering.
    """

    is_active: bool = False
    against: int = 0
    is_severe: bool = False


class ZoneState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Zone of a unit, and the one it seems to be moving to.

    Attributes:
        zone: Confirmed.
        next: Seen since `since`, not yet confirmed.
        since: Source time at which `next` was first seen.
    """

    zone: Zone = Zone.A
    next: Zone = Zone.A
    since: datetime | None = None


class UnitState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that must outlive a restart, of one unit."""

    baseline: Baseline = Baseline()
    votes: dict[str, Vote] = {}
    zone: ZoneState = ZoneState()


def watch_waveform(
    state: UnitState, unit: Equipment, features: Features, limits: ZoneLimit | None
) -> tuple[UnitState, list[Diagnosis]]:
    """Take one waveform in and return the new state with what it shows."""
    diagnoses = diagnose(features, state.baseline, limits, unit.kind)
    votes = {
        each.condition.value: vote(state.votes.get(each.condition, Vote()), each)
        for each in diagnoses
    }
    is_healthy = all(each.probability < CLEAR_AT for each in diagnoses)
    is_calm = limits is None or limits.zone(features.velocity_rms_mm_s) in {Zone.A, Zone.B}
    usual = learn(state.baseline, features) if is_healthy and is_calm else state.baseline
    # Conditions that cannot be judged now (no envelope, no baseline) keep their vote.
    return UnitState(usual, {**state.votes, **votes}, state.zone), diagnoses


def pause_s(state: UnitState, interval_s: float) -> float:
    """Return the seconds until the unit's next waveform is due."""
    if any(each.against for each in state.votes.values()):
        return _CONFIRM_S
    return interval_s if state.baseline.is_learned else _LEARNING_S


def vote(old: Vote, diagnosis: Diagnosis) -> Vote:
    """Count one more waveform for or against the present belief."""
    probability = diagnosis.probability
    differs = probability < CLEAR_AT if old.is_active else probability >= RAISE_AT
    against = old.against + 1 if differs else 0
    if against >= (CLEAR_AFTER if old.is_active else RAISE_AFTER):
        return Vote(not old.is_active, 0, not old.is_active and _is_severe(diagnosis))
    severe = old.is_severe or (probability >= RAISE_AT and _is_severe(diagnosis))
    return Vote(old.is_active, against, old.is_active and severe)


def decide(
    unit: Equipment, votes: Mapping[str, Vote], diagnoses: list[Diagnosis], at: datetime
) -> Iterator[Finding]:
    """State for each condition judged now whether it holds."""
    for diagnosis in diagnoses:
        name = diagnosis.condition.value
        belief = votes[name]
        yield Finding(
            agent="vibration",
            condition=name,
            equipment=unit.path,
            found_at=at,
            priority=_priority(diagnosis.condition, belief) if belief.is_active else None,
            probability=round(diagnosis.probability, 3),
            message=diagnosis.message if belief.is_active else f"{_title(name)} is not seen",
            response=RESPONSES[diagnosis.condition] if belief.is_active else "",
            evidence={key: round(value, 4) for key, value in diagnosis.evidence.items()},
        )


def watch_velocity(
    state: ZoneState, velocity_rms_mm_s: float, limits: ZoneLimit, at: datetime
) -> ZoneState:
    """Take one reading of the RMS velocity in; a zone counts after `ZONE_DELAY_S` in it."""
    seen = limits.zone(velocity_rms_mm_s)
    if seen < state.zone and limits.zone(velocity_rms_mm_s / (1 - ZONE_DEADBAND)) >= state.zone:
        seen = state.zone
    if seen == state.zone:
        return ZoneState(state.zone, state.zone)
    if seen != state.next or state.since is None:
        return ZoneState(state.zone, seen, at)
    if (at - state.since).total_seconds() < ZONE_DELAY_S:
        return state
    return ZoneState(seen, seen)


def decide_zone(
    unit: Equipment,
    zone: Zone,
    limits: ZoneLimit,
    *,
    velocity_rms_mm_s: float,
    trend_mm_s_per_h: float | None,
    at: datetime,
) -> Iterator[Finding]:
    """State for zones C and D whether the unit is in them."""
    evidence = {"velocity_rms_mm_s": round(velocity_rms_mm_s, 3)}
    course = ""
    if trend_mm_s_per_h is not None:
        evidence["trend_mm_s_per_h"] = round(trend_mm_s_per_h, 3)
        course = f", {trend_mm_s_per_h:+.1f} mm/s an hour" if abs(trend_mm_s_per_h) >= 0.1 else ""
    for each, limit in ((Zone.C, limits.b), (Zone.D, limits.c)):
        is_present = zone == each
        yield Finding(
            agent="vibration",
            condition=f"zone_{each}",
            equipment=unit.path,
            found_at=at,
            priority=_ZONE_PRIORITY[each] if is_present else None,
            message=f"Vibration {velocity_rms_mm_s:.1f} mm/s RMS{course}; "
            f"zone {each.upper()} begins at {limit:g} mm/s",
            response=_ZONE_RESPONSES[each] if is_present else "",
            evidence=evidence,
            value=round(velocity_rms_mm_s, 3),
            limit=limit,
            unit="mm/s",
        )


def _is_severe(diagnosis: Diagnosis) -> bool:
    return diagnosis.evidence["kurtosis"] >= _SEVERE_KURTOSIS


def _priority(condition: Condition, belief: Vote) -> Priority:
    """Rotor faults are judged by the zone as well, so they rank below bearings that seize."""
    match condition:
        case Condition.BEARING_OUTER_RACE | Condition.BEARING_INNER_RACE:
            return Priority.HIGH if belief.is_severe else Priority.MEDIUM
        case Condition.CAVITATION:
            return Priority.MEDIUM
        case Condition.IMBALANCE | Condition.MISALIGNMENT:
            return Priority.LOW
        case _:
            assert_never(condition)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()

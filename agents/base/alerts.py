"""Decides which findings are worth a message: changes, and repetitions now and then."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from app.core.alarm import Finding, Priority

RESTATE_S = 60.0  # a listener that lost its store knows all conditions again after a minute

EVENT_TOPIC_OF = {"vibration": "events/anomaly"}
"""Topic of the seeds on which an agent tells only what is present, and once when it ends."""


class SeedFinding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A finding as the seeds' topics carry it (CONTRACT, seed topics)."""

    agent_id: str
    timestamp: datetime
    machine_id: str
    prediction: str
    probability: float | None
    level: str
    message: str
    response: str = ""
    evidence: dict[str, float] = {}


class _Statement(msgspec.Struct):
    priority: Priority | None
    at: datetime | None
    pending: Priority | None = None
    votes: int = 0


class Alerts:
    """What was last stated of each condition of each unit; pure, the caller sends."""

    def __init__(self, confirm_on: int, confirm_off: int, stated: dict[str, int | None]) -> None:
        self._confirm_on = confirm_on
        self._confirm_off = confirm_off
        self._statements = {
            key: _Statement(None if level is None else Priority(level), None)
            for key, level in stated.items()
        }

    def stated(self) -> dict[str, int | None]:
        """Return the last stated priority of each condition, for the checkpoint."""
        return {key: statement.priority for key, statement in self._statements.items()}

    def worth_stating(self, findings: Iterable[Finding], now: datetime) -> list[Finding]:
        """Return those that change what was stated, and those not stated for a minute.

        A change counts when it was decided `confirm_on` times in a row, a return to normal
        `confirm_off` times. The first finding of a condition is stated at once if it is absent.
        """
        return [clean(finding) for finding in findings if self._is_worth(finding, now)]

    def _is_worth(self, finding: Finding, now: datetime) -> bool:
        statement = self._statements.get(finding.key)
        if statement is None:
            # An alarm of an earlier life may still be standing, so absence is said once too.
            statement = self._statements[finding.key] = _Statement(None, None)
        if finding.priority == statement.priority:
            statement.votes = 0
            return self._restate(statement, now)
        if finding.priority != statement.pending:
            statement.pending, statement.votes = finding.priority, 0
        statement.votes += 1
        if statement.votes < (self._confirm_on if finding.priority else self._confirm_off):
            return False
        statement.priority, statement.at, statement.votes = finding.priority, now, 0
        return True

    def _restate(self, statement: _Statement, now: datetime) -> bool:
        if statement.at is not None and now - statement.at < timedelta(seconds=RESTATE_S):
            return False
        statement.at = now
        return True


class Events:
    """Which findings are events: conditions that are present, and the end of one that was."""

    def __init__(self) -> None:
        self._present: set[str] = set()

    def recall(self, stated: Mapping[str, int | None]) -> None:
        """Take over what was stated before a restart, so that the end of it is told."""
        self._present = {key for key, priority in stated.items() if priority is not None}

    def is_event(self, finding: Finding) -> bool:
        """Tell whether a stated finding is an event."""
        was_present = finding.key in self._present
        if finding.priority is None:
            self._present.discard(finding.key)
        else:
            self._present.add(finding.key)
        return was_present or finding.priority is not None


def clean(finding: Finding) -> Finding:
    """Leave out figures that JSON has no word for; a listener would refuse the whole finding."""
    evidence = {key: value for key, value in finding.evidence.items() if math.isfinite(value)}
    probability, value = _finite(finding.probability), _finite(finding.value)
    return msgspec.structs.replace(finding, evidence=evidence, probability=probability, value=value)


def seed_finding(finding: Finding, agent_id: str) -> SeedFinding:
    """Return `finding` in the shape of the seeds' topics."""
    return SeedFinding(
        agent_id=agent_id,
        timestamp=finding.found_at,
        machine_id=finding.equipment,
        prediction=finding.condition if finding.priority else "normal",
        probability=finding.probability,
        level=finding.priority.name.lower() if finding.priority else "normal",
        message=finding.message,
        response=finding.response,
        evidence=finding.evidence,
    )


def event_finding(finding: Finding, agent_id: str) -> SeedFinding:
    """Return `finding` for the topic of events; the end of a condition names the condition."""
    seed = seed_finding(finding, agent_id)
    if finding.priority is not None:
        return seed
    return msgspec.structs.replace(seed, message=finding.message or f"{finding.condition} ended")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

"""Judges one tag against its alarm limits: on-delay, off-delay, deadband, bad quality.

Pure: time comes in with each reading or tick. Only GOOD readings judge; other qualities
hold what stands and stop the delays, because nothing is known of the value meanwhile;
a delay does not run out on a stale value either.
On each side the worse limit stands for both: while `high_high` is passed, `high` is not
stated anew (docs/alarms.md says what becomes of a `high` alarm that stands already).
"""

import math
from dataclasses import dataclass, field
from datetime import datetime

from app.core.alarm import Finding, Priority
from app.core.equipment import Tag
from app.core.limit_words import limit_response, sensor_response, tag_words
from app.core.reading import Quality, Reading, Reason
from app.core.response import SUPERSEDES, LimitName
from app.core.units import unit_words

AGENT = "limits"
BAD_QUALITY = "bad_quality"
_WORSE_FIRST: tuple[LimitName, ...] = ("high_high", "high", "low_low", "low")
_LESSER_FIRST: tuple[LimitName, ...] = ("high", "high_high", "low", "low_low")


@dataclass(slots=True)
class LimitState:
    """What is remembered of one limit: passed, not passed, or None while not yet known."""

    condition: LimitName
    limit: float
    passed: bool | None = None
    since: datetime | None = None


@dataclass(slots=True)
class TagWatch:
    """Watches one tag; made anew when the tag's declaration changes."""

    tag: Tag
    bad_quality_s: float
    reading: Reading | None = None
    bad_since: datetime | None = None
    is_bad: bool | None = None
    bad_reason: Reason = Reason.NONE
    limits: list[LimitState] = field(default_factory=list[LimitState])

    def __post_init__(self) -> None:
        """Take over the limits of the tag, the worse ones first."""
        for condition in _WORSE_FIRST:
            limit: float | None = getattr(self.tag.limits, condition)
            if limit is not None:
                self.limits.append(LimitState(condition, limit))

    def first(self, now: datetime) -> list[Finding]:
        """State the conditions that cannot be present, because their limits do not exist."""
        known = {state.condition for state in self.limits}
        return [self._absent(name, now) for name in _LESSER_FIRST if name not in known]

    def apply(self, reading: Reading) -> list[Finding]:
        """Judge a reading; return what changed, absences of lesser limits first."""
        now = reading.received_time
        findings = self._judge_quality(reading, now)
        value = reading.value
        is_good = reading.quality is Quality.GOOD and value is not None and math.isfinite(value)
        if not is_good:
            self.reading = None
            for state in self.limits:
                state.since = None
            return findings
        self.reading = reading
        return findings + self._judge(now)

    def rest(self, reading: Reading) -> list[Finding]:
        """Take a reading of a unit that stands: its quality counts, its limits do not."""
        now = reading.received_time
        findings = self._judge_quality(reading, now)
        self.reading = None
        for state in self.limits:
            if state.passed is not False:
                findings.append(self._absent(state.condition, now))
            state.passed, state.since = False, None
        return findings

    def tick(self, now: datetime) -> list[Finding]:
        """Judge what only time can tell: a delay that ran out, quality bad for long."""
        findings: list[Finding] = []
        if self.bad_since is not None and self.is_bad is not True and self._bad_for_long(now):
            self.is_bad = True
            findings.append(self._bad(now))
        if self.is_pending and self._is_fresh(now):
            findings += self._judge(now)
        return findings

    def present(self, now: datetime) -> list[Finding]:
        """State again what is present, with the present value."""
        findings = [self._bad(now)] if self.is_bad else []
        if self.reading is not None:
            findings += [
                self._present(state, self.reading, now)
                for state in self.limits
                if state.passed and not self._is_superseded(state)
            ]
        return findings

    @property
    def is_pending(self) -> bool:
        """Tell whether a delay runs."""
        return any(state.since is not None for state in self.limits)

    @property
    def is_watched(self) -> bool:
        """Tell whether the passing of time may change a judgement."""
        return bool(self.is_bad) or self.bad_since is not None or self._stands

    @property
    def _stands(self) -> bool:
        return any(state.passed or state.since is not None for state in self.limits)

    def _judge(self, now: datetime) -> list[Finding]:
        reading = self.reading
        if reading is None or reading.value is None:
            return []
        changed = [state for state in self.limits if self._moves(state, reading.value, now)]
        gone = [state for state in reversed(changed) if not state.passed]
        come = [state for state in changed if state.passed]
        revealed = [
            state
            for state in self.limits
            if state.passed
            and state not in changed
            and any(SUPERSEDES.get(worse.condition) == state.condition for worse in gone)
        ]
        return [self._absent(state.condition, now) for state in gone] + [
            self._present(state, reading, now)
            for state in come + revealed
            if not self._is_superseded(state)
        ]

    def _moves(self, state: LimitState, value: float, now: datetime) -> bool:
        passed = _is_beyond(state, value, self.tag.deadband)
        if state.passed is None and not passed:
            state.passed, state.since = False, None
            return True
        if passed == bool(state.passed):
            state.since = None
            return False
        if state.since is None:
            state.since = now
        delay_s = self.tag.on_delay_s if passed else self.tag.off_delay_s
        if (now - state.since).total_seconds() < delay_s:
            return False
        state.passed, state.since = passed, None
        return True

    def _is_superseded(self, state: LimitState) -> bool:
        return any(
            worse.passed and SUPERSEDES.get(worse.condition) == state.condition
            for worse in self.limits
        )

    def _judge_quality(self, reading: Reading, now: datetime) -> list[Finding]:
        if reading.quality is Quality.BAD:
            self.bad_reason = reading.reason
            if self.bad_since is None:
                self.bad_since = now
            return self.tick(now)
        self.bad_since = None
        if self.is_bad is False or reading.quality is not Quality.GOOD:
            return []
        self.is_bad = False
        return [self._absent(BAD_QUALITY, now)]

    def _is_fresh(self, now: datetime) -> bool:
        reading = self.reading
        if reading is None:
            return False
        return (now - reading.received_time).total_seconds() <= self.tag.stale_after_s

    def _bad_for_long(self, now: datetime) -> bool:
        since = self.bad_since
        return since is not None and (now - since).total_seconds() >= self.bad_quality_s

    def _present(self, state: LimitState, reading: Reading, now: datetime) -> Finding:
        tag, side = self.tag, "above" if state.condition.startswith("high") else "below"
        unit = f" {unit_words(tag.unit)}".rstrip()
        value = 0.0 if reading.value is None else reading.value
        limit = f"{state.limit:.{tag.decimals}f}"
        return Finding(
            agent=AGENT,
            condition=state.condition,
            equipment=tag.path,
            found_at=now,
            priority=tag.responses.priority(state.condition),
            message=f"{tag_words(tag)} {value:.{tag.decimals}f}{unit} {side} {limit}",
            response=limit_response(tag, state.condition, state.limit),
            value=value,
            limit=state.limit,
            unit=tag.unit,
        )

    def _bad(self, now: datetime) -> Finding:
        return Finding(
            agent=AGENT,
            condition=BAD_QUALITY,
            equipment=self.tag.path,
            found_at=now,
            priority=Priority.LOW,
            message=f"{tag_words(self.tag)}: no good value for {self.bad_quality_s:.0f} s",
            response=sensor_response(self.tag, self.bad_reason),
        )

    def _absent(self, condition: str, now: datetime) -> Finding:
        return Finding(agent=AGENT, condition=condition, equipment=self.tag.path, found_at=now)


def nothing_wrong(path: str, now: datetime, why: str) -> list[Finding]:
    """State that no limit of a tag is passed and its quality is not bad, and why."""
    return [
        Finding(agent=AGENT, condition=condition, equipment=path, found_at=now, message=why)
        for condition in (*_LESSER_FIRST, BAD_QUALITY)
    ]


def _is_beyond(state: LimitState, value: float, deadband: float) -> bool:
    margin = deadband if state.passed else 0.0
    if state.condition.startswith("high"):
        return value > state.limit - margin
    return value < state.limit + margin

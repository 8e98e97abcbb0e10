"""Held write rules as an alarm, and what was heard of rules as lines for the audit; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.alarm import Finding, Priority
from app.core.command_follow import AGENT

CONDITION = "rule_changed"
QUIET = timedelta(seconds=60)
"""A declaration that comes and goes in a loop is one alarm, not one a turn."""
RESPONSE = (
    "Ask whoever maintains the unit whether its rules were changed on purpose. If so, an engineer "
    "accepts them on the unit's page; if not, keep the former and find out who sent them."
)


class HeldWatch:
    """States which units declare rules that are held; call `changes` about once a second."""

    def __init__(self) -> None:
        self._stated: dict[str, int] = {}
        self._seen: dict[str, datetime] = {}

    def changes(
        self, held: Mapping[str, int], decided: set[str], now: datetime
    ) -> Iterator[Finding]:
        """Yield what changed since the last call; the first look at a unit states it either way.

        Args:
            held: How many tags of a unit wait for a person, of every unit that was heard.
            decided: Units whose rules a person has just accepted or refused.
            now: UTC.
        """
        for unit in self._stated.keys() | held.keys():
            count, stated = held.get(unit, 0), self._stated.get(unit)
            if count:
                self._seen[unit] = now
            is_over = unit in decided or now - self._seen.get(unit, now - QUIET) >= QUIET
            if stated is None or (count > stated) or (count == 0 < stated and is_over):
                self._stated[unit] = count
                yield _finding(unit, count, now)
        for unit in [each for each in self._stated if each not in held and not self._stated[each]]:
            del self._stated[unit]
            self._seen.pop(unit, None)


def _finding(unit: str, count: int, now: datetime) -> Finding:
    if not count:
        return Finding(AGENT, CONDITION, unit, now, message="The rules it declares count")
    tags = "1 tag" if count == 1 else f"{count} tags"
    message = f"This unit declares other write rules for {tags}; the former ones stay in force"
    return Finding(AGENT, CONDITION, unit, now, Priority.HIGH, message=message, response=RESPONSE)


class Note(NamedTuple):
    """A line for the audit: what was heard of a unit's rules."""

    action: str
    unit: str
    why: str


WAITING = 1000
BURST = 100.0
REFILL_S = 10.0
AGAIN = timedelta(minutes=10)
OVERFLOW = "write rules not noted"


class RuleNotes:
    """Holds what is to be noted so that no sender can fill the audit.

    A unit and action are noted once in AGAIN, with the newest words; all together BURST at once
    and one each REFILL_S after that. WAITING may wait; of more only the number is noted.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], str] = {}
        self._noted: dict[tuple[str, str], datetime] = {}
        self._room = BURST
        self._last: datetime | None = None
        self._lost = 0

    def add(self, action: str, unit: str, why: str) -> None:
        """Have something noted when its time comes; the newest words of a unit count."""
        key = (action, unit)
        if key in self._waiting or len(self._waiting) < WAITING:
            self._waiting[key] = why
        else:
            self._lost += 1

    def retry(self, note: Note) -> None:
        """Take back what could not be noted, unless newer words wait."""
        self._noted.pop((note.action, note.unit), None)
        if note.action != OVERFLOW:
            self._waiting.setdefault((note.action, note.unit), note.why)

    def due(self, now: datetime) -> list[Note]:
        """Return what may be noted now; what cannot be written goes to `retry`."""
        passed_s = (now - self._last).total_seconds() if self._last else 0.0
        self._room = min(BURST, self._room + max(0.0, passed_s) / REFILL_S)
        self._last = now
        self._noted = {key: at for key, at in self._noted.items() if now - at < AGAIN}
        notes: list[Note] = []
        for key in [each for each in self._waiting if each not in self._noted]:
            if self._room < 1:
                return notes
            self._room -= 1
            self._noted[key] = now
            notes.append(Note(*key, self._waiting.pop(key)))
        if self._lost and self._room >= 1 and not self._waiting:
            self._room -= 1
            notes.append(Note(OVERFLOW, "-", f"{self._lost} more were heard than could be noted"))
            self._lost = 0
        return notes

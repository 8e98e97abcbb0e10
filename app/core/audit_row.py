"""One action as the audit shows it, and which of them are asked for."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from app.core.units import unit_words

_MEASURE = re.compile(r" = (\S+) (\S*) (?=\[[0-9a-f]{32}\])")
"""Value and UCUM unit in the target of a command, before its id."""


class Outcome(StrEnum):
    """What came of an action.

    UNKNOWN: none is noted; it is under way, or the app ended meanwhile, or an app noted it that
    wrote no outcomes. REFUSED: nothing was changed. FAILED: it was begun and did not succeed.
    """

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action: when (UTC), who, from where, what, on what, why, and what came of it.

    Attributes:
        number: Of its row in the chain; grows with each action.
        at: When it was asked for, before anything happened; 1970 if somebody spoiled the row.
        actor: Who asked.
        source: From where.
        action: What.
        target: On what.
        why: What the actor said.
        outcome: What came of it.
        reason: Why it was refused or failed.
    """

    number: int
    at: datetime
    actor: str
    source: str
    action: str
    target: str
    why: str
    outcome: Outcome = Outcome.UNKNOWN
    reason: str = ""


def target_words(target: str) -> str:
    """Return on what an action was, with the unit of a command's value as people write it."""
    return _MEASURE.sub(lambda it: f" = {it[1]} {unit_words(it[2])}".rstrip() + " ", target)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which actions are asked for; an empty field asks for all.

    Attributes:
        text: Part of actor, action, target, why or reason; any case for ASCII letters.
        actor: Who, in full.
        source: From where, in full.
        action: What, in full.
        outcome: What came of it.
        start: First moment, UTC.
        end: Moment after the last, UTC.
        before: Only rows with a smaller number, for the next page.
    """

    text: str = ""
    actor: str = ""
    source: str = ""
    action: str = ""
    outcome: Outcome | None = None
    start: datetime | None = None
    end: datetime | None = None
    before: int | None = None

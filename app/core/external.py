"""Alerts of other systems as findings; whoever may post one speaks as "external", as no agent."""

from collections.abc import Mapping
from datetime import datetime

from app.core.alarm import Finding, Priority
from app.core.errors import InputError
from app.core.topics import as_segment

AGENT = "external"
LEVELS: Mapping[str, Priority | None] = {
    "critical": Priority.CRITICAL,
    "high": Priority.HIGH,
    "warning": Priority.MEDIUM,
    "medium": Priority.MEDIUM,
    "low": Priority.LOW,
    "info": Priority.LOW,
    "normal": None,
    "cleared": None,
}
"""What other systems call a priority; the last two say that the condition is absent."""


def external_finding(level: str, kind: str, source: str, details: str, at: datetime) -> Finding:
    """Return the finding of an alert; the same `kind` and `source` speak of the same alarm.

    Raises:
        InputError: The level is none of LEVELS, or a name has no usable character.
    """
    known = level.strip().lower()
    if known not in LEVELS:
        raise InputError(f'level: "{level[:40]}" is none of {", ".join(LEVELS)}')
    priority = LEVELS[known]
    return Finding(
        agent=AGENT,
        condition=as_segment(kind),
        equipment=f"external/alerts/http/{as_segment(source)}",
        found_at=at,
        priority=priority,
        message=details or (kind if priority else ""),
    )

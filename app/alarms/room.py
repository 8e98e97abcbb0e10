"""How many alarms may stand before a finding finds no room."""

from app.core.alarm import Finding, Priority

SYSTEM_AGENT = "system"
_SYSTEM_RESERVE = 100
"""Room beyond the bound for alarms of the app itself, such as the one that the list is full."""
_URGENT_PART = 5
"""One place in this many is for priorities 1 and 2 alone; ISA-18.2 expects 5 % of alarms there."""


def room_for(finding: Finding, max_alarms: int) -> int:
    """Return how many alarms may stand before this finding is refused."""
    if finding.agent == SYSTEM_AGENT:
        return max_alarms + _SYSTEM_RESERVE
    is_urgent = finding.priority is not None and finding.priority <= Priority.HIGH
    return max_alarms if is_urgent else room_for_lesser(max_alarms)


def room_for_lesser(max_alarms: int) -> int:
    """Return how many alarms may stand before one of priority 3 or 4 is refused."""
    return max_alarms - max_alarms // _URGENT_PART

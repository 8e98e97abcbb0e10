"""What a shift left behind, as the backlog agent sums it up."""

import msgspec

from app.core.clock import AwareTime


class ShiftSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened from `start` until before `end`, as far as the backlog agent knows.

    Attributes:
        start: UTC.
        end: UTC.
        orders_opened: Orders made in that time.
        orders_closed: Orders closed in that time.
        orders_open: Orders open when this was made.
        alarms: Raises of alarms in that time.
        alarms_by_priority: The same, critical first.
        worst: Units and tags with most raises, and how many.
        heard_since: When the agent first listened to alarms, UTC.
        note: What the figures leave out; empty if nothing is known to be missing.
    """

    start: AwareTime
    end: AwareTime
    orders_opened: int
    orders_closed: int
    orders_open: int
    alarms: int
    alarms_by_priority: tuple[int, ...]
    worst: dict[str, int]
    heard_since: AwareTime
    note: str

"""Maintenance orders, as the backlog agent keeps them."""

from enum import StrEnum

import msgspec

from app.core.clock import AwareTime


class OrderState(StrEnum):
    """Life of an order."""

    OPEN = "open"
    CLOSED = "closed"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One maintenance order.

    Attributes:
        id: "MO-1" and up.
        equipment: Path of the unit.
        title: What is to be done, one line.
        opened_at: UTC.
        details: Further lines.
        priority: 1 critical to 4 low.
        due_at: When it should be done, UTC; None if no time was given.
        run: Workflow run that asked for it; empty for a person's.
        state: Open or closed.
        closed_at: UTC.
        note: What was said at closing.
    """

    id: str
    equipment: str
    title: str
    opened_at: AwareTime
    details: str = ""
    priority: int = 3
    due_at: AwareTime | None = None
    run: str = ""
    state: OrderState = OrderState.OPEN
    closed_at: AwareTime | None = None
    note: str = ""


class OrderListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of `list_orders`: the newest first."""

    orders: tuple[Order, ...]

"""Which orders the demo plant obeys: signed by the app, in their time, each once; pure."""

from datetime import datetime

import msgspec

from app.core.command import CommandOrder
from app.core.command_signature import is_signed
from app.core.errors import ConflictError, InputError

MOST = 4096
"""Obeyed orders that are remembered; only the app can sign one, and it sends far fewer a minute."""


class Obeyed(msgspec.Struct, frozen=True):
    """Checkpoint: when the orders that were obeyed expire, by their id.

    It outlives a restart: an order heard on the bus could else undo a later one.
    """

    until: dict[str, datetime] = {}


def check_order(order: CommandOrder, now: datetime, key: bytes) -> None:
    """Check that an order is the app's and in its time.

    Raises:
        InputError: It has no right signature.
        ConflictError: It has expired.
    """
    if not is_signed(order, key):
        raise InputError(
            "order: has no right signature",
            "Ask the app for the command; it signs the order for the actuator",
        )
    if order.expires_at <= now:
        late_s = (now - order.expires_at).total_seconds()
        raise ConflictError(f"order: came {late_s:.1f} s after it had expired")


def in_life(obeyed: Obeyed, now: datetime) -> Obeyed:
    """Return what must still be remembered: an expired order is refused anyway."""
    return Obeyed({name: until for name, until in obeyed.until.items() if until > now})


def with_order(obeyed: Obeyed, order: CommandOrder) -> Obeyed:
    """Remember one more order.

    Raises:
        ConflictError: So many are in their life that one more cannot be remembered.
    """
    if len(obeyed.until) >= MOST:
        raise ConflictError(
            f"order: {MOST} orders that have not expired were obeyed, no more are remembered",
            "Wait until some expire, or lower commands.expires_s",
        )
    return Obeyed({**obeyed.until, order.id: order.expires_at})

"""Which orders the actuator believes and which it follows; pure."""

import math
from datetime import datetime

from app.core.command import CommandOrder
from app.core.command_follow import AHEAD
from app.core.command_signature import is_signed
from app.core.topics import command_topic, is_segment

LONGEST_ID = 120


def why_disbelieved(order: CommandOrder, topic: str, key: bytes) -> str:
    """Return why an order is not the app's, "" if it is; nobody is answered about such a one.

    An answer to a forged order would speak of the command whose id it bears. The reason has no
    words of the order, because it goes to people who may never have heard of it.
    """
    if not is_signed(order, key):
        return "no right signature"
    if topic != command_topic(order.tag):
        return "on the topic of another tag"
    if not is_segment(order.id) or len(order.id) > LONGEST_ID:
        return f"its id is no path segment of at most {LONGEST_ID} characters"
    return ""


def why_refused(order: CommandOrder, now: datetime, *, retained: bool, longest_s: float) -> str:
    """Return why an order of the app is not followed, "" if it is.

    Args:
        order: Signed by the app.
        now: UTC.
        retained: The broker had kept it.
        longest_s: For how long the app signs an order, s. One that is valid for longer was signed
            before the clock was set back, and nobody knows how long ago.
    """
    if retained:
        return "It stood retained on the broker; an order counts only when it is sent"
    if order.expires_at <= now:
        late_s = (now - order.expires_at).total_seconds()
        return f"It came {late_s:.1f} s after it had expired"
    left_s = (order.expires_at - now).total_seconds()
    if left_s > longest_s + AHEAD.total_seconds():
        return (
            f"It is valid for {left_s:.0f} s, and commands.expires_s allows {longest_s:g}: "
            "the clock was set back, or the app's setting differs from the actuator's"
        )
    if not math.isfinite(order.value):
        return "Its value is no number"
    return ""

"""Signatures of orders and acknowledgements: HMAC-SHA256 with the plant's command key.

Whoever may publish on the broker can write an order; only the app and its actuators have the key.
"""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from app.core.command import CommandAck, CommandOrder

Signed = TypeVar("Signed", CommandOrder, CommandAck)

KEY_BYTES = 32
"""As many as SHA-256 gives out; RFC 2104, section 3, advises no fewer."""


def sign(message: Signed, key: bytes) -> Signed:
    """Return `message` with its signature."""
    return msgspec.structs.replace(message, signature=_signature(message, key))


def is_signed(message: CommandOrder | CommandAck, key: bytes) -> bool:
    """Tell whether the signature is that of `key`; takes the same time for any wrong one.

    False also for what nobody can have signed: a moment of year 1 or 9999 that has none in UTC.
    """
    given = message.signature.encode(errors="replace")
    try:
        right = _signature(message, key)
    except OverflowError:
        return False
    return hmac.compare_digest(given, right.encode())


def _signature(message: CommandOrder | CommandAck, key: bytes) -> str:
    # the name of the type goes in, so that no acknowledgement can pass for an order
    parts: list[object] = [type(message).__name__]
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if name != "signature":
            parts.append(value.astimezone(UTC) if isinstance(value, datetime) else value)
    return hmac.new(key, msgspec.json.encode(parts), hashlib.sha256).hexdigest()

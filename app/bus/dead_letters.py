"""Messages that were refused, kept with the reason until newer ones push them out."""

from collections import deque
from datetime import datetime

import msgspec

from app.core.clock import Clock

_HEAD_BYTES = 300
_TOPIC_CHARACTERS = 300
_KEPT = (
    "; the broker keeps it and sends it again at each start, until an empty retained message is "
    "published on its topic"
)


class DeadLetter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One refused message.

    Attributes:
        number: Grows by one a refusal since the process began.
        at: When it was refused, UTC.
        topic: Where it came in.
        reason: Why it was refused, in words an operator reads.
        payload_head: The first 300 bytes; bytes that are no UTF-8 show as U+FFFD.
        size: Bytes of the whole payload.
    """

    number: int
    at: datetime
    topic: str
    reason: str
    payload_head: str
    size: int


def kept_by_broker(reason: str) -> str:
    """Return why a retained message is refused, with what ends that it comes again."""
    return f"{reason[: _TOPIC_CHARACTERS - len(_KEPT)]}{_KEPT}"


class DeadLetters:
    """The newest `limit` refused messages; when full the oldest goes."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[DeadLetter] = deque(maxlen=limit)
        self._total = 0

    @property
    def total(self) -> int:
        """How many were refused since the process began, kept or not."""
        return self._total

    def add(self, topic: str, payload: bytes, reason: str) -> DeadLetter:
        """Keep a refused message and return it as kept."""
        self._total += 1
        letter = DeadLetter(
            number=self._total,
            at=self._clock.now(),
            topic=topic[:_TOPIC_CHARACTERS],
            reason=reason[:_TOPIC_CHARACTERS],
            payload_head=payload[:_HEAD_BYTES].decode("utf-8", "replace"),
            size=len(payload),
        )
        self._letters.append(letter)
        return letter

    def list(self) -> list[DeadLetter]:
        """Return the kept ones, newest first."""
        return list(reversed(self._letters))

    def clear(self) -> None:
        """Forget the kept ones; `total` goes on counting."""
        self._letters.clear()

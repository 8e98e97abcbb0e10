"""Remembers when messages without a time of their own came in, until they are acknowledged.

Such a message gets the time of its arrival. When the app is killed between storing it and
acknowledging it, the broker sends it again, marked as a duplicate: with the time it got before,
the second copy replaces the first instead of doubling it. The times of the last ten seconds are
kept, in a file that is replaced before each batch is stored.

What this cannot tell: equal messages without a time, of which some were stored before the crash
and some only delivered. One of the latter may then replace one of the former, which has the same
value. A message with a time of its own has no such limit.
"""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.core.errors import StoreError

_STEP = timedelta(microseconds=1)
# The broker sends again what is unacknowledged for broker.ack_wait_s, 5 s by default.
_REMEMBERED = timedelta(seconds=10)
_Times = dict[str, list[datetime]]


class Message(NamedTuple):
    """What a message is known by when it comes again.

    Attributes:
        topic: Its topic.
        payload: Its bytes.
        received: When it came in, UTC.
    """

    topic: str
    payload: bytes
    received: datetime

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """The bytes that are the same when it is sent again."""
        return self.topic.encode(), self.payload


class PendingTimes:
    """Gives arrival times to messages, the same again to those sent again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recovered: _Times = {}
        self._recent: _Times = {}
        self._now: _Times = {}
        self._first: datetime | None = None
        self._latest: datetime | None = None

    def load(self) -> None:
        """Read what an earlier process left; a damaged file is as good as none."""
        try:
            self._recovered = msgspec.json.decode(self._path.read_bytes(), type=_Times)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._recovered = {}

    def begin(self) -> None:
        """Begin a batch; forget what the broker would have sent again by now."""
        self._now = {}
        if self._latest is None or self._first is None:
            return
        if self._latest - self._first > _REMEMBERED:
            self._recovered = {}
        oldest = self._latest - _REMEMBERED
        fresh = {key: [at for at in times if at > oldest] for key, times in self._recent.items()}
        self._recent = {key: times for key, times in fresh.items() if times}

    def time_of(self, message: Message, *, is_duplicate: bool, rows: int = 1) -> datetime:
        """Return the time of a message's first row; the next ones follow by a microsecond.

        No two rows of this process get the same time. Of several equal messages the newest time
        is given first: the older ones are the likelier to be acknowledged.
        """
        key = hashlib.blake2b(b"\0".join(message.parts), digest_size=8).hexdigest()
        known = (self._recent.get(key) or self._recovered.get(key)) if is_duplicate else None
        if known:
            at = known.pop()
        else:
            received = message.received
            at = received if self._latest is None else max(received, self._latest + _STEP)
            self._first = self._first or at
            self._latest = at + (rows - 1) * _STEP
        self._now.setdefault(key, []).append(at)
        return at

    @property
    def is_empty(self) -> bool:
        """No message of the batch needed a time."""
        return not self._now

    def save(self) -> None:
        """Put all remembered times on disk; blocks, call it in a thread.

        Raises:
            StoreError: The disk refuses.
        """
        body = msgspec.json.encode(_joined(self._recovered, self._recent, self._now))
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_bytes(body)
            os.replace(temporary, self._path)  # noqa: PTH105  STYLE names os.replace
        except OSError as error:
            raise StoreError(f'"{self._path}" cannot be written: {error.strerror}') from error

    def finish(self) -> None:
        """The batch is stored; it may still be unacknowledged."""
        self._recent, self._now = _joined(self._recent, self._now), {}


def _joined(*parts: _Times) -> _Times:
    joined: _Times = {}
    for part in parts:
        for key, times in part.items():
            joined[key] = joined.get(key, []) + times
    return joined

"""Remembers when messages without a time of their own came in, until they are acknowledged.

Such a message gets the time of its arrival. When the app is killed between storing it and
acknowledging it, the broker sends it again, marked as a duplicate: with the time it got before,
the second copy replaces the first instead of doubling it. Only the last two batches can be in that
state, so only their times are kept, in a file that is replaced before each batch is stored.
"""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.core.errors import StoreError

_STEP = timedelta(microseconds=1)
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
        self._before: _Times = {}
        self._now: _Times = {}
        self._latest: datetime | None = None

    def load(self) -> None:
        """Read what an earlier process left; a damaged file is as good as none."""
        try:
            self._before = msgspec.json.decode(self._path.read_bytes(), type=_Times)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._before = {}

    def begin(self) -> None:
        """Begin a batch."""
        self._now = {}

    def time_of(self, message: Message, *, is_duplicate: bool, rows: int = 1) -> datetime:
        """Return the time of a message's first row; the next ones follow by a microsecond.

        No two rows of this process get the same time.
        """
        key = hashlib.blake2b(b"\0".join(message.parts), digest_size=8).hexdigest()
        times = self._before.get(key) if is_duplicate else None
        if times:
            at = times.pop(0)
        else:
            received = message.received
            at = received if self._latest is None else max(received, self._latest + _STEP)
            self._latest = at + (rows - 1) * _STEP
        self._now.setdefault(key, []).append(at)
        return at

    @property
    def is_empty(self) -> bool:
        """No message of the batch needed a time."""
        return not self._now

    def save(self) -> None:
        """Put the times of this batch and the one before on disk; blocks, call it in a thread.

        Raises:
            StoreError: The disk refuses.
        """
        both = {key: self._before.get(key, []) + times for key, times in self._now.items()}
        body = msgspec.json.encode({**self._before, **both})
        temporary = self._path.with_suffix(".tmp")
        try:
            temporary.write_bytes(body)
            os.replace(temporary, self._path)  # noqa: PTH105  STYLE names os.replace
        except OSError as error:
            raise StoreError(f'"{self._path}" cannot be written: {error.strerror}') from error

    def finish(self) -> None:
        """The batch is stored: only it may still be unacknowledged."""
        self._before, self._now = self._now, {}

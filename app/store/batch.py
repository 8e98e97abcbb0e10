"""Readings that wait for the historian's next commit, and who waits for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.errors import StoreError
from app.store.hot import Rows

# Readings that may wait while the disk refuses; live ones beyond are dropped and counted.
WAITING_ROWS = 200_000


@dataclass(slots=True)
class Batch:
    """What one commit holds.

    Attributes:
        live: Readings nobody waits for; they are kept when the commit fails.
        durable: Readings whose sender waits, and sends them again when the commit fails.
        waiters: Done after the commit.
        due_at: Monotonic time of the commit.
    """

    live: Rows = field(default_factory=Rows)
    durable: Rows = field(default_factory=Rows)
    waiters: list[asyncio.Future[None]] = field(default_factory=list[asyncio.Future[None]])
    due_at: float = float("inf")

    def __len__(self) -> int:
        """Return the number of readings."""
        return len(self.live) + len(self.durable)

    def has_room(self, rows: int) -> bool:
        """Tell whether so many more may wait; an empty batch takes any number."""
        return len(self) == 0 or len(self) + rows <= WAITING_ROWS

    def put_back(self, live: Rows) -> None:
        """Take back, in front and due at once, live readings whose commit failed."""
        if len(live):
            self.live = live.join(self.live)
            self.due_at = 0.0

    def refuse(self, error: StoreError) -> None:
        """Fail all who wait; their readings are theirs to send again."""
        answer(self.waiters, error)
        self.waiters.clear()
        self.durable = Rows()


def answer(waiters: Sequence[asyncio.Future[None]], error: StoreError | None) -> None:
    """Tell those who still wait that it is done, or why not."""
    for waiter in waiters:
        if waiter.done():
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)

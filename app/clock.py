"""The clocks: the system's, and one that a test or a simulation turns by hand."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until `advance` is called."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed_s = 0.0
        self._order = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the start plus all that was advanced."""
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        """Return the seconds advanced so far."""
        return self._elapsed_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self._elapsed_s + seconds, self._order, woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Turn the clock on, waking each sleeper in the order of its deadline."""
        target = self._elapsed_s + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._elapsed_s, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
            await asyncio.sleep(0)
        self._elapsed_s = target
        await asyncio.sleep(0)

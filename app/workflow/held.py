"""Messages that wait for quiet, over the end of the app: who sent them was told they were taken."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Protocol

from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.trigger_rules import Event, Quiet
from app.store.held_events import HeldEvent, HeldPlace

KEPT_FOR = timedelta(days=1)
"""An event that is due for longer starts nothing more: its workflow was off all the while."""


class HeldStore(Protocol):
    """Where they are kept."""

    async def keep(self, events: Sequence[tuple[HeldPlace, HeldEvent]]) -> None:
        """Keep events, each in place of the one before."""
        ...

    async def forget(self, places: Collection[HeldPlace]) -> None:
        """Forget what has counted."""
        ...

    async def all(self) -> dict[HeldPlace, HeldEvent]:
        """Return all that wait."""
        ...


class Held:
    """Keeps what waits in `Quiet` of triggers on messages on disk, too, while we are the leader."""

    def __init__(self, store: HeldStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._is_recalled = False
        self._counted: set[HeldPlace] = set()
        self._unkept: dict[HeldPlace, HeldEvent] = {}
        self._lock = asyncio.Lock()

    def leave(self) -> None:
        """Another orchestrator is the leader now: what waits is its own."""
        self._is_recalled = False
        self._counted.clear()

    async def recall(
        self, quiet_of: Callable[[HeldPlace, Event], tuple[Quiet, float] | None]
    ) -> None:
        """Take over, once, what waited when we were not the leader, or were not there.

        It waits no longer than its trigger does, also where the clock was set back meanwhile.

        Args:
            quiet_of: Gives where an event waits, and how long at most, s; None if there is no
                trigger any more that hears it: then it is left, as another orchestrator may know
                it.

        Raises:
            StoreError: It cannot be read.
        """
        if self._is_recalled:
            return
        now, now_s = self._clock.now(), self._clock.monotonic()
        for place, held in (await self._store.all()).items():
            if now - held.due_at > KEPT_FOR:
                self._counted.add(place)
            elif found := quiet_of(place, held.event):
                quiet, most_s = found
                left_s = min(most_s, max(0.0, (held.due_at - now).total_seconds()))
                quiet.restore(place.key, held.event, now_s + left_s)
        self._is_recalled = True

    def offer(self, place: HeldPlace, event: HeldEvent) -> None:
        """Take what waits from now on; see `keep`."""
        self._counted.discard(place)
        self._unkept[place] = event

    async def keep(self) -> None:
        """Keep what was offered.

        Raises:
            StoreError: It could not be written; the next call tries it again.
        """
        if not self._unkept:
            return
        async with self._lock:
            found = dict(self._unkept)
            await self._store.keep(list(found.items()))
            for place, event in found.items():
                if self._unkept.get(place) is event:
                    del self._unkept[place]

    def counted(self, places: Collection[HeldPlace]) -> None:
        """Note that events wait no more; see `tidy`."""
        self._counted.update(places)
        for place in places:
            self._unkept.pop(place, None)

    async def tidy(self) -> None:
        """Forget on disk what waits no more.

        Until then a restart offers it again; the run it began has the same id, so it begins once.

        Raises:
            StoreError: It could not be written; it is tried again.
        """
        if not self._counted:
            return
        async with self._lock:
            places, self._counted = self._counted, set()
            try:
                await self._store.forget(places)
            except StoreError:
                self._counted |= places - self._unkept.keys()
                raise

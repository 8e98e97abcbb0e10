"""A connection that only the leader holds, under a name that all orchestrators share.

The broker keeps what comes meanwhile in the one session of that name, and what was handed over
and not acknowledged: so each message is taken by exactly one orchestrator that lives, also while
one dies and another takes over.
"""

from collections.abc import Callable

from app.bus.client import Bus
from app.core.errors import StoreError

SHARED = "shared"


class LeaderBus:
    """Connects when we become the leader and leaves when we are it no more."""

    def __init__(self, make: Callable[[], Bus], is_leader: Callable[[], bool]) -> None:
        self._make = make
        self._is_leader = is_leader
        self._subscriptions: list[Callable[[Bus], None]] = []
        self._bus: Bus | None = None
        self._is_started = False

    def subscribe(self, subscribe: Callable[[Bus], None]) -> None:
        """Have each connection subscribe by `subscribe`, one that stands at once."""
        self._subscriptions.append(subscribe)
        if self._bus is not None:
            subscribe(self._bus)

    async def start(self) -> None:
        """Begin to connect whenever we are the leader."""
        self._is_started = True
        await self.tick()

    async def stop(self) -> None:
        """Leave; the broker keeps what comes."""
        self._is_started = False
        await self._leave()

    async def tick(self) -> None:
        """Connect or leave, as we are the leader or not; called once a second."""
        if not (self._is_started and self._is_leader()):
            await self._leave()
        elif self._bus is None:
            bus = self._bus = self._make()
            for subscribe in self._subscriptions:
                subscribe(bus)
            await bus.start()

    def check(self) -> None:
        """See that we may take what comes; what is not taken comes to the next leader.

        Raises:
            StoreError: Another orchestrator is the leader now, or nobody yet.
        """
        if not self._is_leader():
            raise StoreError("Another orchestrator is to take what comes")

    async def _leave(self) -> None:
        bus, self._bus = self._bus, None
        if bus is not None:
            await bus.stop()

"""Connections on which triggers listen; filters that overlap need one each."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from app.bus.client import Bus, Received
from app.core.topic_filter import overlap
from app.workflow.leader_bus import LeaderBus

Take = Callable[[str, Sequence[Received[bytes]]], Awaitable[None]]
"""Takes what came for a topic filter; while it raises, the broker keeps it."""


class TriggerBus:
    """Listens to topic filters while we are the leader; what comes meanwhile waits there."""

    def __init__(
        self, make_bus: Callable[[str], Bus], is_leader: Callable[[], bool], take: Take
    ) -> None:
        self._make_bus = make_bus
        self._is_leader = is_leader
        self._take = take
        self._connections: list[tuple[LeaderBus, set[str]]] = []
        self._is_started = False

    async def start(self) -> None:
        """Begin to listen whenever we are the leader."""
        self._is_started = True
        for connection, _ in self._connections:
            await connection.start()

    async def stop(self) -> None:
        """Listen no more."""
        self._is_started = False
        await asyncio.gather(*(connection.stop() for connection, _ in self._connections))

    async def tick(self) -> None:
        """Connect or leave, as we are the leader or not; called once a second."""
        for connection, _ in self._connections:
            await connection.tick()

    async def listen(self, topic: str) -> None:
        """Subscribe to a topic filter, unless that is done."""
        if any(topic in filters for _, filters in self._connections):
            return
        connection = await self._connection_for(topic)

        async def take(batch: Sequence[Received[bytes]]) -> None:
            connection.check()
            await self._take(topic, batch)

        connection.subscribe(lambda bus: bus.subscribe_durable(topic, bytes, take))

    async def _connection_for(self, topic: str) -> LeaderBus:
        for connection, filters in self._connections:
            if not any(overlap(topic, other) for other in filters):
                filters.add(topic)
                return connection
        name = f"millwright-triggers-{len(self._connections) + 1}"
        made = LeaderBus(partial(self._make_bus, name), self._is_leader)
        self._connections.append((made, {topic}))
        if self._is_started:
            await made.start()
        return made

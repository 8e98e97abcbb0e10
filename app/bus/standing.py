"""How things stand, as this client says it on retained topics."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import msgspec

from app.core.errors import BusError

logger = logging.getLogger(__name__)

AGAIN_S = 5.0
"""Seconds until a state is said once more."""


class Standing:
    """Says each state at once, at each connection, and once more soon after.

    Once more, because nats-server, to who subscribes at the moment of a publish, may give the
    retained message before it and not the new one (docs/decisions/0015).
    """

    def __init__(self, say: Callable[[str, msgspec.Struct], None]) -> None:
        """Build it.

        Args:
            say: Publishes to a topic; raises BusError where nothing more can be queued.
        """
        self._say = say
        self._stands: dict[str, msgspec.Struct] = {}
        self._is_open = False

    def opened(self) -> None:
        """Say all of it, once a connection: the broker's store may be new."""
        if self._is_open:
            return
        self._is_open = True
        for topic in self._stands:
            self._say_twice(topic)

    def closed(self) -> None:
        """Say nothing more until the broker is reached."""
        self._is_open = False

    def put(self, topic: str, message: msgspec.Struct) -> None:
        """Have a message stand at a topic from now on."""
        self._stands[topic] = message
        if self._is_open:
            self._say_twice(topic)

    def forget(self, topic: str) -> None:
        """Say no more what stood at a topic: another message takes its place."""
        self._stands.pop(topic, None)

    def _say_twice(self, topic: str) -> None:
        self._try(topic)
        again = partial(self._say_again, topic, self._stands[topic])
        asyncio.get_running_loop().call_later(AGAIN_S, again)

    def _say_again(self, topic: str, message: msgspec.Struct) -> None:
        if self._is_open and self._stands.get(topic) is message:
            self._try(topic)

    def _try(self, topic: str) -> None:
        try:
            self._say(topic, self._stands[topic])
        except BusError as error:  # the next connection says it
            logger.warning("%s", error)

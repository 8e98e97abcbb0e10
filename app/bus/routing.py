"""Which routes a message takes, and what becomes of one that takes none."""

import logging
from collections.abc import Iterator

from paho.mqtt.client import topic_matches_sub

from app.bus.dead_letters import DeadLetters
from app.bus.route import Route
from app.core.clock import Clock

logger = logging.getLogger(__name__)

_KNOWN_TOPICS = 10_000  # topics whose routes are remembered; a plant has some thousands
_LOG_EVERY_S = 60.0


class Routes:
    """All routes of a bus; grows in the event loop, is asked on paho's thread."""

    def __init__(self) -> None:
        self._all: list[Route] = []
        self._of_topic: dict[str, tuple[Route, ...]] = {}

    def __iter__(self) -> Iterator[Route]:
        return iter(list(self._all))

    def add(self, route: Route) -> None:
        """Add a route."""
        self._all.append(route)
        self._of_topic = {}

    def of(self, topic: str) -> tuple[Route, ...]:
        """Return the routes whose filter matches `topic`."""
        known = self._of_topic  # read once: `add` may put a new one in its place
        routes = known.get(topic)
        if routes is None:
            routes = tuple(r for r in self._all if topic_matches_sub(r.topic_filter, topic))
            if len(known) >= _KNOWN_TOPICS:
                known.clear()
            known[topic] = routes
        return routes


class Refusals:
    """Counts refused messages, keeps them, and logs the first and then a count a minute."""

    def __init__(self, dead_letters: DeadLetters, clock: Clock) -> None:
        self.dead_letters = dead_letters
        self.count = 0
        self._clock = clock
        self._logged_at: float | None = None
        self._logged = 0

    def add(self, topic: str, payload: bytes, reason: str) -> None:
        """Take one refused message."""
        self.count += 1
        self.dead_letters.add(topic, payload, reason)
        now = self._clock.monotonic()
        if self._logged_at is None or now - self._logged_at >= _LOG_EVERY_S:
            news = self.count - self._logged
            logger.warning("Refused %d messages, the last on %.200s: %s", news, topic, reason)
            self._logged_at, self._logged = now, self.count

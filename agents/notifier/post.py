"""The post room: each route has one loop that sends what is queued for it, the worst first."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec

from agents.notifier.courier import Courier
from agents.notifier.decide import DeliveryState
from agents.notifier.log import Delivery, DeliveryLog
from agents.notifier.routes import Route
from app.core.backoff import backoff_s
from app.core.clock import Clock
from app.core.errors import StoreError

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 600.0

_Queue = asyncio.PriorityQueue[
    tuple[int, int, Delivery]
]  # priority, number: never compares further


class PostRoom:
    """Sends queued deliveries, tries again with growing waits, keeps what became of them.

    Attributes:
        failing: Why routes do not deliver, by name, since their last try.
    """

    def __init__(
        self, log: DeliveryLog, courier: Courier, clock: Clock, on_tried: Callable[[], None]
    ) -> None:
        self._log = log
        self._courier = courier
        self._clock = clock
        self._on_tried = on_tried
        self._queues: dict[str, _Queue] = {}
        self._first_tries: dict[int, asyncio.Future[Delivery]] = {}
        self._random = random.Random()  # noqa: S311  spreads waits; no secret
        self.failing: dict[str, str] = {}

    @property
    def waiting(self) -> int:
        """How many deliveries are queued."""
        return sum(queue.qsize() for queue in self._queues.values())

    def take(self, delivery: Delivery) -> None:
        """Take a queued delivery."""
        self._first_tries[delivery.number] = asyncio.get_running_loop().create_future()
        urgency = (int(delivery.notification.priority), delivery.number)
        self._queue(delivery.route).put_nowait((*urgency, delivery))

    def first_try(self, number: int) -> "asyncio.Future[Delivery] | None":
        """Return what will hold a delivery after its first try, None if it was tried before."""
        return self._first_tries.get(number)

    async def run(self, routes: Mapping[str, Route]) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for route in routes.values():
                serving = self._serve(route, self._queue(route.name))
                group.create_task(serving, name=f"route {route.name}")

    def _queue(self, route: str) -> _Queue:
        # Without a size of its own: the agent takes no more than `notify.waiting`.
        return self._queues.setdefault(route, asyncio.PriorityQueue())

    async def _serve(self, route: Route, queue: _Queue) -> None:
        while True:
            _, _, delivery = await queue.get()
            while delivery.state is DeliveryState.QUEUED:
                now = self._clock.now()
                if delivery.next_at is not None and delivery.next_at > now:
                    await self._clock.sleep((delivery.next_at - now).total_seconds())
                delivery = await self._try(route, delivery)

    async def _try(self, route: Route, delivery: Delivery) -> Delivery:
        told = delivery.notification
        reason = await self._courier.send(
            route.url, told.title, told.message, told.priority, route.settings.timeout_s
        )
        done = self._outcome(route, delivery, reason)
        try:
            await self._log.update(done)
        except StoreError as error:  # sent or not, it goes on; after a restart it is sent again
            logger.warning("Delivery %d is not noted: %s", done.number, error)
        self._note(route.name, reason)
        first = self._first_tries.pop(delivery.number, None)
        if first is not None and not first.done():
            first.set_result(done)
        self._on_tried()
        return done

    def _outcome(self, route: Route, delivery: Delivery, reason: str) -> Delivery:
        now, tries = self._clock.now(), delivery.tries + 1
        state, next_at = DeliveryState.SENT, None
        if reason and tries >= route.settings.attempts:
            state, reason = DeliveryState.FAILED, f"given up after {tries} tries: {reason}"
        elif reason:
            wait_s = backoff_s(
                tries, route.settings.backoff_s, _LONGEST_WAIT_S, self._random.random()
            )
            state, next_at = DeliveryState.QUEUED, now + timedelta(seconds=wait_s)
        return msgspec.structs.replace(
            delivery, state=state, reason=reason, changed_at=now, tries=tries, next_at=next_at
        )

    def _note(self, route: str, reason: str) -> None:
        was_failing = route in self.failing
        if reason:
            self.failing[route] = reason
            if not was_failing:
                logger.warning("Route %s does not deliver: %s", route, reason)
        elif was_failing:
            del self.failing[route]
            logger.info("Route %s delivers again", route)

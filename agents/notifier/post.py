"""The post room: each route has one loop that sends what is queued for it, the worst first."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta

import msgspec

from agents.notifier.courier import Courier
from agents.notifier.log import DeliveryLog
from agents.notifier.routes import Route
from app.core.backoff import backoff_s
from app.core.clock import Clock
from app.core.delivery import Delivery, DeliveryState
from app.core.errors import StoreError

logger = logging.getLogger(__name__)

_LONGEST_WAIT_S = 600.0
_FAREWELL_S = 2.0  # of the 5 s that the supervisor gives a stopping agent


class Box:
    """The deliveries that wait on one route; bounded by the agent (`notify.waiting`)."""

    def __init__(self) -> None:
        self._waiting: dict[int, Delivery] = {}
        self._came = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, delivery: Delivery) -> None:
        """Let a delivery wait, or wait again."""
        self._waiting[delivery.number] = delivery
        self._came.set()

    def take_out(self, number: int) -> None:
        """Take out one that is sent or given up."""
        self._waiting.pop(number, None)

    def due(self, now: datetime) -> Delivery | None:
        """Return the worst that may be tried now, of equals the oldest."""
        ready = [each for each in self._waiting.values() if not each.next_at or each.next_at <= now]
        return min(ready, key=lambda each: (each.notification.priority, each.number), default=None)

    async def wait(self, clock: Clock) -> None:
        """Wait until something comes in or the next try is due."""
        self._came.clear()
        times = [each.next_at for each in self._waiting.values() if each.next_at]
        came = asyncio.create_task(self._came.wait(), name="came")
        waits: list[asyncio.Task[object]] = [came]
        if times:
            left_s = (min(times) - clock.now()).total_seconds()
            waits.append(asyncio.create_task(clock.sleep(left_s), name="due"))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


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
        self._boxes: dict[str, Box] = {}
        self._first_tries: dict[int, asyncio.Future[Delivery]] = {}
        self._random = random.Random()  # noqa: S311  spreads waits; no secret
        self.failing: dict[str, str] = {}

    @property
    def waiting(self) -> int:
        """How many deliveries are queued, those that are tried again included."""
        return sum(len(box) for box in self._boxes.values())

    def take(self, delivery: Delivery) -> None:
        """Take a queued delivery."""
        self._first_tries[delivery.number] = asyncio.get_running_loop().create_future()
        self._box(delivery.route).put(delivery)

    def first_try(self, number: int) -> "asyncio.Future[Delivery] | None":
        """Return what will hold a delivery after its first try, None if it was tried before."""
        return self._first_tries.get(number)

    async def run(self, routes: Mapping[str, Route]) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            for route in routes.values():
                serving = self._serve(route, self._box(route.name))
                group.create_task(serving, name=f"route {route.name}")

    def _box(self, route: str) -> Box:
        return self._boxes.setdefault(route, Box())

    async def _serve(self, route: Route, box: Box) -> None:
        while True:
            delivery = box.due(self._clock.now())
            if delivery is None:
                await box.wait(self._clock)
                continue
            done = await _finished(self._try(route, delivery))
            if done.state is DeliveryState.QUEUED:
                box.put(done)
            else:
                box.take_out(done.number)

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


async def _finished(trying: Coroutine[None, None, Delivery]) -> Delivery:
    """Let a try that is under way end before stopping: people may have got it by then."""
    task = asyncio.create_task(trying, name="try")
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_FAREWELL_S)
        task.cancel()
        raise

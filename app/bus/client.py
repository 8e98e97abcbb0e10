"""The bus: typed publish and subscribe over one MQTT connection on paho's own thread."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from paho.mqtt.client import MQTTMessage

from app.bus.address import broker_address
from app.bus.codec import encode
from app.bus.dead_letters import DeadLetters, kept_by_broker
from app.bus.link import Link
from app.bus.read_ahead import Incoming
from app.bus.route import DurableRoute, LiveRoute, Received, Route
from app.bus.routing import Refusals, Routes
from app.bus.sending import Outgoing, Sender
from app.bus.standing import Standing
from app.bus.state import BusState, Connection, Counters
from app.bus.suspects import BRIEF_S
from app.core.clock import Clock
from app.core.errors import BusError, CodecError
from app.core.health import ComponentStatus
from app.core.topic_name import check_topic, shown
from app.settings import Settings

__all__ = ["Bus", "BusState", "Counters", "Outgoing", "Received"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_DROP_AFTER_S = 1.0
_STOP_S = 3.0


class Bus:
    """One MQTT connection; every callback and handler runs in the event loop.

    Topic filters of one bus must not overlap unless they are equal: brokers may deliver a message
    once for each subscription it matches, and each matching handler would see each copy.
    """

    def __init__(
        self,
        settings: Settings,
        client_id: str,
        clock: Clock,
        *,
        persistent: bool = False,
        will: Outgoing | None = None,
        dead_letters: DeadLetters | None = None,
        in_app: bool = False,
    ) -> None:
        self.dead_letters = dead_letters or DeadLetters(settings.bus.dead_letters, clock)
        self._refusals = Refusals(self.dead_letters, clock)
        self._settings = settings.bus
        self._clock = clock
        self._is_persistent = persistent
        self._connection = Connection(broker_address(settings.broker, in_app=in_app), clock)
        self._link = Link(
            self._connection.address,
            client_id,
            clock,
            self,
            persistent=persistent,
            queue_size=settings.bus.queue_size,
        )
        self._sender = Sender(self._link, self._connection, settings.bus.queue_size)
        self._standing = Standing(partial(self._sender.publish, qos=1, retain=True))
        if will is not None:
            self._link.client.will_set(will.topic, encode(will.message), will.qos, will.retain)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_dropping = False
        self._was_subscribed = False
        self._unanswered: set[int] = set()
        self._generation = 0
        self._routes = Routes()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._received = 0

    async def start(self) -> None:
        """Connect in the background and keep connected until `stop`."""
        self._loop = asyncio.get_running_loop()
        for route in self._routes:
            self._run(route)
        self._link.start()

    async def stop(self) -> None:
        """Send what is queued and disconnect, within seconds."""
        if self._loop is None:
            return
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        closed = asyncio.Event()
        self._link.stop(lambda: self.post(closed.set))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await closed.wait()
        self._connection.stopped()
        self._loop = None

    async def wait_connected(self, timeout_s: float) -> None:
        """Wait until the broker accepted the connection and all subscriptions.

        Raises:
            BusError: It did not within `timeout_s`; says why and what to do.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._connection.ready.wait()
        except TimeoutError as error:
            status = self.status
            where = self._connection.address
            message = f"Broker {where} is not connected after {timeout_s:g} s: {status.reason}"
            raise BusError(message, status.remedy) from error

    @property
    def state(self) -> BusState:
        """How the connection is."""
        return self._connection.state

    @property
    def status(self) -> ComponentStatus:
        """How the bus is, why, and what to do about it."""
        return self._connection.status

    @property
    def counters(self) -> Counters:
        """What passed through since the bus was made."""
        return Counters(
            published=self._sender.published,
            received=self._received,
            dropped=self._sender.dropped + sum(route.dropped for route in self._routes),
            dead=self._refusals.count,
            failed=sum(route.failed for route in self._routes),
        )

    def on_state(self, callback: Callable[[ComponentStatus], None]) -> None:
        """Call `callback` in the event loop at each change of `status`."""
        self._connection.watch(callback)

    def publish(
        self, topic: str, message: msgspec.Struct | bytes, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Send without waiting; QoS 0 is dropped and counted while there is no connection.

        Raises:
            BusError: The queue of QoS 1 messages is full.
            InputError: A broker would refuse the topic or the size.
        """
        if retain:
            self._standing.forget(topic)
        self._sender.publish(topic, message, qos=qos, retain=retain)

    def publish_state(self, topic: str, message: msgspec.Struct) -> None:
        """Have a retained message stand at a topic, until another is published there.

        It is said at each connection, and again some seconds later, for whoever subscribes just
        then; while there is no connection nothing is queued.

        Raises:
            InputError: A broker would refuse the topic.
        """
        check_topic(topic)
        self._standing.put(topic, message)

    async def publish_confirmed(
        self,
        topic: str,
        message: msgspec.Struct | bytes,
        *,
        retain: bool = False,
        timeout_s: float = 10.0,
    ) -> None:
        """Send with QoS 1 and return when the broker has it; it is sent again after a reconnect.

        Raises:
            BusError: The queue is full, or the broker did not confirm within `timeout_s`.
            InputError: A broker would refuse the topic or the size.
        """
        if retain:
            self._standing.forget(topic)
        await self._sender.publish_confirmed(topic, message, retain=retain, timeout_s=timeout_s)

    def subscribe(
        self,
        topic_filter: str,
        type_: type[T],
        handler: Callable[[Sequence[Received[T]]], None],
        *,
        qos: int = 0,
        is_prompt: bool = False,
    ) -> None:
        """Hand batches to `handler`; the queue is bounded and drops its oldest when full.

        With `bytes` as type the payload is handed on unread. A prompt one does not gather what
        comes within 5 ms: for answers that somebody waits for.
        """
        limit = self._settings.queue_size
        route = LiveRoute(
            topic_filter, type_, handler, self, qos=qos, limit=limit, is_prompt=is_prompt
        )
        self._add(route)

    def subscribe_state(
        self, topic_filter: str, type_: type[T], handler: Callable[[Sequence[Received[T]]], None]
    ) -> None:
        """Hand on how things stand, from retained topics: anew at each connection, at QoS 0.

        At QoS 1 what was under way to a client that was killed comes again after what is newer
        (measured: nats-server, unmarked), so that who has long come back is taken for gone.
        """
        limit = self._settings.queue_size
        self._add(LiveRoute(topic_filter, type_, handler, self, qos=0, limit=limit, is_state=True))

    def subscribe_durable(
        self,
        topic_filter: str,
        type_: type[T],
        handler: Callable[[Sequence[Received[T]]], Awaitable[None]],
        *,
        is_prompt: bool = False,
    ) -> None:
        """Hand batches to `handler` and acknowledge to the broker only after it returned.

        While it raises it is called again with the same batch; messages may come twice after a
        reconnect, never not at all if the bus is persistent. InputError puts a message with the
        dead letters. A prompt one does not gather what comes within 5 ms.
        """
        limit = self._settings.queue_size
        route = DurableRoute(
            topic_filter,
            type_,
            handler,
            self,
            clock=self._clock,
            limit=limit,
            is_prompt=is_prompt,
        )
        self._add(route)

    # What routes call (route.Hooks).

    def post(self, callback: Callable[[], None]) -> None:
        """Run `callback` soon in the event loop; called from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed while paho's thread ends
                loop.call_soon_threadsafe(callback)

    def acknowledge(self, mids: Sequence[int], generation: int) -> None:
        """Tell the broker that messages are dealt with, if the connection is still the same."""
        if generation == self._generation:
            self._link.acknowledge(mids)

    def refuse(self, topic: str, payload: bytes, reason: str, *, retained: bool = False) -> None:
        """Put a message with the dead letters; log the first and then a count a minute."""
        self._refusals.add(topic, payload, kept_by_broker(reason) if retained else reason)

    def failing(self, topic_filter: str, reason: str) -> None:
        """Say that a handler fails, or with an empty reason that it works again."""
        self._connection.trouble(topic_filter, reason)

    def drop_connection(self) -> bool:
        """Connect again soon, so that the broker sends unacknowledged messages again.

        Returns False without doing so if the broker would forget them.
        """
        if self._loop is not None and self._is_persistent and not self._is_dropping:
            self._is_dropping = True
            # Not at once: acknowledgements that wait for paho's thread must get out before.
            self._loop.call_later(_DROP_AFTER_S, self._drop)
        return self._is_persistent

    # What the link calls, on paho's thread (link.Owner).

    def link_connected(self, session_present: bool) -> None:
        """The broker accepted the connection: subscribe again to what it does not remember.

        Here and not in the event loop: paho sends what waits as soon as this returns, and an
        answer to it must find us subscribed.
        """
        routes = list(self._routes)
        is_known = session_present and self._was_subscribed
        self._was_subscribed = True
        mid = self._subscribe([r for r in routes if r.is_state] if is_known else routes)
        generation = self._generation
        self.post(lambda: self._connected(routes, mid, generation))

    def link_refused(self, why: str) -> None:
        """The broker refused the connection."""
        self.post(lambda: self._disconnected(lambda: self._connection.refused(why)))

    def link_unreachable(self, why: str) -> None:
        """Nothing answers at the broker's address."""
        self.post(lambda: self._disconnected(lambda: self._connection.unreachable(why)))

    def link_lost(self) -> None:
        """The connection broke."""
        self._generation += 1
        for route in self._routes:
            route.disconnected(self._generation, is_kept=self._is_persistent)
        self.post(lambda: self._disconnected(self._connection.lost))

    def link_ended(self, why: str) -> None:
        """An unexpected error ended the thread."""
        self.post(lambda: self._disconnected(lambda: self._connection.ended(why)))

    def link_subscribed(self, mid: int, is_refused: bool) -> None:
        """The broker answered a subscription."""
        self.post(lambda: self._subscribed(mid, is_refused))

    def link_published(self, mid: int) -> None:
        """The broker has a message, or a QoS 0 message is written."""
        if self._sender.is_awaited:
            self.post(lambda: self._sender.confirm(mid))

    def link_message(self, message: MQTTMessage | Incoming) -> None:
        """A message came in: decode it and queue it where it belongs."""
        self._received += 1
        now = self._clock.now()
        topic, is_durable = "", False
        try:
            topic = message.topic
            for route in self._routes.of(topic):
                is_durable = is_durable or route.is_durable
                route.take(topic, message, now, self._settings.message_limit_bytes)
        except (CodecError, UnicodeDecodeError) as error:
            reason, payload, is_kept = str(error), bytes(message.payload), message.retain
            self.post(lambda: self.refuse(topic, payload, reason, retained=is_kept))
            is_durable = False
        if message.qos and not is_durable:
            self._link.client.ack(message.mid, message.qos)

    # In the event loop.

    def _connected(self, subscribed: Sequence[Route], mid: int | None, generation: int) -> None:
        self._sender.is_open = True
        self._connection.trouble("subscription", "")
        late = [route for route in self._routes if route not in subscribed]
        self._unanswered.update(m for m in (mid, self._subscribe(late)) if m is not None)
        self._check_ready()
        if self._loop is not None and self._link.suspects.is_careful:
            self._loop.call_later(BRIEF_S, self._judge, generation)

    def _judge(self, generation: int) -> None:
        """Drop the message for which the broker closed connections, if one lasts without it."""
        guilty = self._link.suspects.convict() if generation == self._generation else None
        if guilty is None:
            return
        error = BusError(
            f"Broker {self._connection.address} closed the connection each time it got the message "
            f"on {shown(guilty.topic)}, {len(guilty.payload)} bytes; it is dropped",
            "Look into the broker's log for what it refuses: the topic, the size or the right",
        )
        logger.error("%s; %s", error, error.hint)
        self.dead_letters.add(guilty.topic, bytes(guilty.payload), str(error))
        self._sender.give_up(guilty.mid, error)
        if self._link.suspects.is_careful:
            self._link.drop()

    def _disconnected(self, change: Callable[[], None]) -> None:
        self._sender.is_open = False
        self._standing.closed()
        self._unanswered.clear()
        change()

    def _subscribe(self, routes: Sequence[Route]) -> int | None:
        return self._link.subscribe({route.topic_filter: route.qos for route in routes})

    def _drop(self) -> None:
        self._is_dropping = False
        self._link.drop()

    def _subscribed(self, mid: int, is_refused: bool) -> None:
        self._unanswered.discard(mid)
        if is_refused:
            self._connection.trouble("subscription", "the broker refused it; check its ACL")
        self._check_ready()

    def _check_ready(self) -> None:
        if self._sender.is_open and not self._unanswered:
            self._connection.connected()
            self._standing.opened()

    def _add(self, route: Route) -> None:
        self._routes.add(route)
        if self._loop is not None:
            self._run(route)
        if self._sender.is_open:
            self._connection.ready.clear()
            mid = self._subscribe([route])
            if mid is not None:
                self._unanswered.add(mid)

    def _run(self, route: Route) -> None:
        if isinstance(route, DurableRoute):
            name = f"bus {route.topic_filter}"
            self._tasks[name] = asyncio.get_running_loop().create_task(route.run(), name=name)

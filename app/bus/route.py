"""Where received messages go: a bounded queue and a handler for each topic filter.

`take` is called on paho's thread; everything else runs in the event loop. Deques and sets are
shared between the two without a lock: each single operation on them is atomic under the GIL.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from paho.mqtt.client import MQTTMessage

from app.bus.codec import decode
from app.bus.read_ahead import Incoming
from app.core.clock import Clock
from app.core.errors import InputError

T = TypeVar("T")
logger = logging.getLogger(__name__)

_BATCH = 1000  # messages handed over at once; 1000 readings cost a handler about 5 ms
# Messages of 5 ms are handed over together: waking the loop for each cost 2.4 times the CPU at
# 27,000 messages/s (app/bench/mqtt.py). The first one after a pause does not wait.
_GATHER_S = 0.005
_RETRY_MIN_S = 0.1
_RETRY_MAX_S = 5.0
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a message that nobody has foreseen raises; a store that is away raises other errors."""
_TOGETHER = 3
_ALONE = 8  # some 16 s
"""Tries of a batch, and of one message, that meets a fault before others are tried without it."""


class Received(NamedTuple, Generic[T]):
    """A decoded message as handlers get it.

    Attributes:
        topic: The topic it came in on.
        message: Decoded and validated.
        received_time: When paho's thread took it in, UTC.
        retained: It stood on the broker before we subscribed.
        duplicate: The broker sent it before and had no acknowledgement of it.
    """

    topic: str
    message: T
    received_time: datetime
    retained: bool
    duplicate: bool = False


class Hooks(Protocol):
    """What a route needs of the bus that owns it."""

    def post(self, callback: Callable[[], None]) -> None:
        """Run `callback` soon in the event loop; called from any thread."""
        ...

    def acknowledge(self, mids: Sequence[int], generation: int) -> None:
        """Tell the broker that messages are dealt with, if the connection is still the same."""
        ...

    def refuse(self, topic: str, payload: bytes, reason: str, *, retained: bool = False) -> None:
        """Put a message with the dead letters."""
        ...

    def failing(self, topic_filter: str, reason: str) -> None:
        """Say that a handler fails, or with an empty reason that it works again."""
        ...

    def drop_connection(self) -> bool:
        """Connect again soon, so that the broker sends unacknowledged messages again.

        Returns False without doing so if the broker would forget them.
        """
        ...


class _Bell:
    """Calls `ring` in the event loop soon after `strike`, at most once in 5 ms unless prompt."""

    def __init__(self, hooks: Hooks, ring: Callable[[], None], *, is_prompt: bool) -> None:
        self._hooks = hooks
        self._ring = ring
        self._gather_s = 0.0 if is_prompt else _GATHER_S
        self._rung_at = 0.0
        self.is_struck = False

    def strike(self) -> None:
        """Ask for a call; called from any thread."""
        self.is_struck = True
        self._hooks.post(self._schedule)

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        due = self._rung_at + self._gather_s
        if loop.time() >= due:
            self._strike_now()
        else:
            loop.call_at(due, self._strike_now)

    def _strike_now(self) -> None:
        # The flag falls before the queue is read: a message that comes in between
        # rings once too often, never once too few.
        self.is_struck = False
        self._ring()
        self._rung_at = asyncio.get_running_loop().time()


class LiveRoute(Generic[T]):
    """Newest values matter: when the queue is full the oldest message is dropped and counted."""

    is_durable = False

    def __init__(
        self,
        topic_filter: str,
        type_: type[T],
        handler: Callable[[Sequence[Received[T]]], None],
        hooks: Hooks,
        *,
        qos: int,
        limit: int,
        is_prompt: bool = False,
        is_state: bool = False,
    ) -> None:
        self.topic_filter = topic_filter
        self.qos = qos
        self.is_state = is_state
        self.dropped = 0
        self.failed = 0
        self._type = type_
        self._handler = handler
        self._hooks = hooks
        self._queue: deque[Received[T]] = deque(maxlen=limit)
        self._is_failing = False
        self._bell = _Bell(hooks, self._flush, is_prompt=is_prompt)

    def take(
        self, topic: str, message: MQTTMessage | Incoming, now: datetime, limit_bytes: int
    ) -> None:
        """Decode and queue; called on paho's thread.

        No payload clears a retained message (MQTT 3.1.1, section 3.3.1.3) and says nothing.

        Raises:
            CodecError: The payload does not decode.
        """
        if not message.payload and self._type is not bytes:
            return
        value = decode(self._type, bytes(message.payload), limit_bytes)
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(Received(topic, value, now, message.retain))
        if not self._bell.is_struck:
            self._bell.strike()

    def disconnected(self, generation: int, *, is_kept: bool) -> None:
        """Keep what is queued: nothing of it comes again."""

    def _flush(self) -> None:
        count = min(len(self._queue), _BATCH)
        if not count:
            return
        batch = [self._queue.popleft() for _ in range(count)]
        if self._queue and not self._bell.is_struck:
            self._bell.strike()
        self._hand_over(batch)

    def _hand_over(self, batch: list[Received[T]]) -> None:
        try:
            self._handler(batch)
        except Exception as error:  # the bus dispatch lives on; logged, counted, shown
            if not self.failed:  # a handler that fails at each batch must not flood the log
                logger.warning("Handler of %s failed", self.topic_filter, exc_info=True)
            self.failed += 1
            self._is_failing = True
            self._hooks.failing(self.topic_filter, repr(error))
        else:
            if self._is_failing:
                self._is_failing = False
                self._hooks.failing(self.topic_filter, "")


class _FaultError(Exception):
    """What is handed over together, or this message alone, meets a fault of the app each time."""


class _Pending(NamedTuple, Generic[T]):
    received: Received[T]
    payload: bytes
    mid: int
    generation: int


class DurableRoute(Generic[T]):
    """Nothing may be lost: a message is acknowledged only after its handler returned.

    A handler that raises is called again with the same batch after a growing pause, in order,
    while the broker holds back what exceeds its window of unacknowledged messages. A message
    whose handler raises InputError goes to the dead letters, alone. So does one that meets a fault
    of the app again and again while the message behind it does not (docs/decisions/0005).
    """

    is_durable = True
    is_state = False
    qos = 1

    def __init__(
        self,
        topic_filter: str,
        type_: type[T],
        handler: Callable[[Sequence[Received[T]]], Awaitable[None]],
        hooks: Hooks,
        *,
        clock: Clock,
        limit: int,
        is_prompt: bool = False,
    ) -> None:
        self.topic_filter = topic_filter
        self.dropped = 0
        self.failed = 0
        # One message was left with the broker: those after it are too, or they would overtake it.
        self._is_short = False
        self._singly = 0  # so many of the next go one by one: there is a fault among them
        self._type = type_
        self._handler = handler
        self._limit = limit
        self._hooks = hooks
        self._clock = clock
        self._random = random.Random()  # noqa: S311  jitter, not a secret
        self._queue: deque[_Pending[T]] = deque()
        self._open: set[int] = set()
        self._generation = 0
        self._wake = asyncio.Event()
        self._bell = _Bell(hooks, self._wake.set, is_prompt=is_prompt)
        self._is_failing = False

    def take(
        self, topic: str, message: MQTTMessage | Incoming, now: datetime, limit_bytes: int
    ) -> None:
        """Decode and queue; called on paho's thread.

        A message that does not fit is left unacknowledged, so that the broker sends it again, in an
        order of its own: nats-server goes by when it last sent each. The usual queue is larger than
        what that broker leaves open at a time.

        Raises:
            CodecError: The payload does not decode.
        """
        value = decode(self._type, bytes(message.payload), limit_bytes)
        if message.dup and message.mid in self._open:  # sent again because the handler needs long
            return
        if len(self._queue) >= self._limit or (self._is_short and message.qos):
            self.dropped += not message.qos
            self._is_short = self._is_short or bool(message.qos)
            return
        if message.qos:
            self._open.add(message.mid)
        received = Received(topic, value, now, message.retain, message.dup)
        mid = message.mid if message.qos else 0
        self._queue.append(_Pending(received, bytes(message.payload), mid, self._generation))
        if not self._bell.is_struck:
            self._bell.strike()

    def disconnected(self, generation: int, *, is_kept: bool) -> None:
        """Drop what is not yet handed over if the broker has kept it and sends it again.

        Called on paho's thread.
        """
        self._generation = generation
        self._is_short = False
        self._open.clear()
        if is_kept:
            self._queue.clear()

    async def run(self) -> None:
        """Hand batches to the handler for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._next_batch():
                await self._deliver(batch)
            if self._is_short:
                self._is_short = self._hooks.drop_connection()

    def _next_batch(self) -> list[_Pending[T]]:
        batch: list[_Pending[T]] = []
        most = 1 if self._singly else _BATCH
        self._singly = max(0, self._singly - 1)
        while len(batch) < most:
            try:
                pending = self._queue.popleft()
            except IndexError:  # empty, or emptied by paho's thread just now
                break
            batch.append(pending)
        return batch

    async def _deliver(self, batch: list[_Pending[T]]) -> None:
        try:
            await self._until_handled(batch)
        except InputError as error:
            if len(batch) > 1:
                for pending in batch:
                    await self._deliver([pending])
                return
            self._refuse(batch[0], str(error))
        except _FaultError as error:
            if len(batch) > 1:
                self._queue.extendleft(reversed(batch))
                self._singly = len(batch)
                return
            self._refuse(batch[0], f"Fault of the app, whose log has more: {error.__cause__!r}")
        self._acknowledge(batch)

    def _refuse(self, pending: _Pending[T], why: str) -> None:
        received = pending.received
        self._hooks.refuse(received.topic, pending.payload, why, retained=received.retained)

    def _acknowledge(self, batch: Sequence[_Pending[T]]) -> None:
        mids = [pending.mid for pending in batch if pending.mid]
        self._open.difference_update(mids)  # first: once acknowledged the broker uses them again
        if mids:
            self._hooks.acknowledge(mids, batch[0].generation)

    async def _until_handled(self, batch: list[_Pending[T]]) -> None:
        received = [pending.received for pending in batch]
        pause_s, faults = _RETRY_MIN_S, 0
        while True:
            try:
                await self._handler(received)
            except InputError:
                raise
            except Exception as error:  # one of the four loops that must live on
                self._note_failure(error)
                faults += isinstance(error, _FAULTS)
                if len(batch) > 1 and faults >= _TOGETHER:
                    raise _FaultError from error
                if faults >= _ALONE and await self._is_next_handled():
                    logger.exception("A message on %s is given up", batch[0].received.topic)
                    raise _FaultError from error
            else:
                self._note_success()
                return
            await self._clock.sleep(pause_s * self._random.uniform(0.5, 1))
            pause_s = min(pause_s * 2, _RETRY_MAX_S)

    async def _is_next_handled(self) -> bool:
        """Try the next message: if that goes well, it is not the handler that is broken."""
        try:
            pending = self._queue.popleft()
        except IndexError:
            return False
        try:
            await self._handler([pending.received])
        except InputError as error:
            self._refuse(pending, str(error))
            self._acknowledge([pending])
            return False
        except Exception:  # noqa: BLE001  it has its turn, and is told then
            self._queue.appendleft(pending)
            return False
        self._acknowledge([pending])
        return True

    def _note_failure(self, error: Exception) -> None:
        self.failed += 1
        if not self._is_failing:
            self._is_failing = True
            self._hooks.failing(self.topic_filter, repr(error))
            logger.warning("Handler of %s fails, trying again", self.topic_filter, exc_info=error)

    def _note_success(self) -> None:
        if self._is_failing:
            self._is_failing = False
            self._hooks.failing(self.topic_filter, "")
            logger.info("Handler of %s works again", self.topic_filter)


Route = LiveRoute[Any] | DurableRoute[Any]  # one list holds routes of every message type

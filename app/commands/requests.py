"""Commands asked for on MQTT, and the answers to them."""

import logging
from collections.abc import Awaitable, Sequence
from typing import Protocol

from app.bus.client import Bus, Received
from app.bus.codec import decode
from app.commands.wire import Wire
from app.core.actor import Actor
from app.core.clock import Clock
from app.core.command import ENDED, AckState, Command, CommandAck, CommandRequest, CommandState
from app.core.errors import BusError, ConflictError, InputError, StoreError
from app.core.topics import COMMAND_REQUESTS, ack_topic, is_segment
from app.core.write_rule import CommandSource

logger = logging.getLogger(__name__)

NAME = "gateway"
"""Stands in the place of an actuator in answers of ours."""

_ANSWERS = {
    CommandState.VERIFIED: AckState.DONE,
    CommandState.REJECTED: AckState.REFUSED,
    CommandState.EXPIRED: AckState.REFUSED,
    CommandState.UNKNOWN: AckState.UNKNOWN,
}


class Request(Protocol):
    """`CommandGateway.request`."""

    def __call__(
        self, tag: str, value: float, actor: Actor, why: str, *, id: str, expires_s: float
    ) -> Awaitable[Command]:
        """Ask for a command."""
        ...


class MqttRequests:
    """Turns messages into requests and tells the sender how each ended."""

    def __init__(self, request: Request, wire: Wire, bus: Bus, clock: Clock) -> None:
        self._request = request
        self._wire = wire
        self._bus = bus
        self._refuse = bus.refuse
        self._clock = clock
        self._told: set[str] = set()

    def subscribe(self, durable_bus: Bus) -> None:
        """Hear requests; call before the bus starts."""
        self._refuse = durable_bus.refuse
        durable_bus.subscribe_durable(COMMAND_REQUESTS, bytes, self.take)

    async def take(self, batch: Sequence[Received[bytes]]) -> None:
        """Take requests; what is wrong with one is answered, and counted as refused input.

        None stays in the broker: MQTT 3.1.1 does not tell us, who listen, whether one is retained
        (section 3.3.1.3), and the next listener would hear it again. One that is wrong is refused
        here: had the bus to find it, it would bring all of the batch once more.

        Raises:
            StoreError: One cannot be kept; the bus calls again.
        """
        said = [each for each in batch if each.message]  # an empty one is ours, see `_clear`
        try:
            for received in said:
                await self._take_or_refuse(received)
        finally:
            if said:
                self._clear()

    def answer(self, command: Command) -> None:
        """Tell the sender of a request how it ended; the callback of changes."""
        if command.source == CommandSource.MQTT and command.state in ENDED:
            state = _ANSWERS[command.state]
            self._told.add(command.id)
            self._send(command.id, state, command.reason or command.state.value, command.after)

    async def _take_or_refuse(self, received: Received[bytes]) -> None:
        payload = received.message
        try:
            wanted = decode(CommandRequest, payload, len(payload))
            await self._take(wanted, retained=received.retained)
        except InputError as error:
            self._refuse(received.topic, payload, str(error), retained=received.retained)

    async def _take(self, request: CommandRequest, *, retained: bool) -> None:
        if not request.id or not is_segment(request.id):
            raise InputError("id: must be a path segment; without one nobody can be answered")
        self._told.clear()
        try:
            command = await self._ask(request, retained=retained)
        except (InputError, ConflictError) as error:
            self._send(request.id, AckState.REFUSED, str(error))
            raise InputError(str(error)) from error
        if request.id not in self._told:
            self.answer(command)  # one that had ended before does not change any more

    def _clear(self) -> None:
        try:
            self._bus.publish(COMMAND_REQUESTS, b"", qos=1, retain=True)
        except BusError as error:
            logger.warning("A retained request may stay in the broker: %s", error)

    async def _ask(self, request: CommandRequest, *, retained: bool) -> Command:
        left_s = (request.expires_at - self._clock.now()).total_seconds()
        if retained or left_s <= 0:
            raise InputError("It stood retained" if retained else "It came after it had expired")
        actor = Actor(request.requested_by, CommandSource.MQTT)
        return await self._request(
            request.tag, request.value, actor, request.why, id=request.id, expires_s=left_s
        )

    def _send(
        self, command_id: str, state: AckState, reason: str, value: float | None = None
    ) -> None:
        ack = CommandAck(command_id, state, NAME, self._clock.now(), reason, value)
        try:
            self._bus.publish(ack_topic(command_id), self._wire.sign(ack), qos=1)
        except (BusError, StoreError) as error:
            logger.warning("The end of command %s is not told: %s", command_id, error)

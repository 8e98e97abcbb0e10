"""What goes out over one connection, with the broker's confirmation where it is asked for."""

import asyncio
from typing import NamedTuple

import msgspec
from paho.mqtt.enums import MQTTErrorCode

from app.bus.codec import encode
from app.bus.link import Link
from app.bus.state import Connection
from app.core.errors import BusError
from app.core.topic_name import check_payload, check_topic


class Outgoing(NamedTuple):
    """A message for the broker to keep until it is needed: the last will."""

    topic: str
    message: msgspec.Struct
    qos: int = 1
    retain: bool = True


class Sender:
    """Publishes; in the event loop, but for `is_awaited` and `confirm`'s caller.

    Attributes:
        is_open: The broker accepted the connection and it is not lost since.
        published: Messages handed to the connection.
        dropped: QoS 0 messages that found no connection, or too much before them.
    """

    def __init__(self, link: Link, connection: Connection, limit: int) -> None:
        self._link = link
        self._connection = connection
        self._limit = limit
        self._confirmations: dict[int, asyncio.Future[None]] = {}
        self._confirming = 0
        self.is_open = False
        self.published = self.dropped = 0

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for a confirmation; read on paho's thread."""
        return self._confirming > 0

    def publish(
        self, topic: str, message: msgspec.Struct | bytes, *, qos: int, retain: bool
    ) -> None:
        """Send without waiting; QoS 0 is dropped and counted while there is no connection.

        Raises:
            BusError: The queue of QoS 1 messages is full.
            InputError: A broker would refuse the topic or the size, see `check_topic`.
        """
        if qos or (self.is_open and self._link.unsent < self._limit):
            self._send(topic, message, qos, retain)
        else:
            self.dropped += 1

    async def publish_confirmed(
        self, topic: str, message: msgspec.Struct | bytes, *, retain: bool, timeout_s: float
    ) -> None:
        """Send with QoS 1 and return when the broker has it; it is sent again after a reconnect.

        Raises:
            BusError: The queue is full, or the broker did not confirm within `timeout_s`.
            InputError: A broker would refuse the topic or the size, see `check_topic`.
        """
        self._confirming += 1  # before sending: the answer may come before `_send` returns
        try:
            mid = self._send(topic, message, 1, retain)
            confirmed = self._confirmations[mid] = asyncio.Future()
            try:
                async with asyncio.timeout(timeout_s):
                    await confirmed
            except TimeoutError as error:
                where, remedy = self._connection.address, self._connection.status.remedy
                message_ = (
                    f'Broker {where} did not confirm "{topic}" within {round(timeout_s, 1):g} s'
                )
                raise BusError(message_, remedy) from error
            finally:
                self._confirmations.pop(mid, None)
        finally:
            self._confirming -= 1

    def confirm(self, mid: int) -> None:
        """The broker has this message."""
        confirmed = self._confirmations.get(mid)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)

    def give_up(self, mid: int, error: BusError) -> None:
        """Tell who waits for the confirmation of a message that it is dropped."""
        confirmed = self._confirmations.get(mid)
        if confirmed is not None and not confirmed.done():
            confirmed.set_exception(error)

    def _send(self, topic: str, message: msgspec.Struct | bytes, qos: int, retain: bool) -> int:
        # Before paho has it: what closes the connection would be sent again at each reconnect.
        check_topic(topic)
        payload = message if isinstance(message, bytes) else encode(message)
        check_payload(topic, len(payload))
        info = self._link.client.publish(topic, payload, qos, retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            where = self._connection.address
            raise BusError(f'Queue to broker {where} is full, "{topic}" is not sent')
        self.published += 1
        return info.mid

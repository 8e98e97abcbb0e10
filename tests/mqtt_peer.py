"""A plain MQTT client for tests: what another program on the bus would see."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.processes import eventually

WAIT_S = 40.0  # on a busy machine


class Peer:
    """One connection on paho's own thread.

    Attributes:
        received: (topic, payload) of what arrived, in order.
        session_present: The broker remembered us.
    """

    def __init__(self, port: int, client_id: str, *, clean: bool) -> None:
        self.received: list[tuple[str, bytes]] = []
        self.session_present = False
        self._is_subscribed = False
        self._is_connected = False
        self._port = port
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean
        )
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._message

    def open(self) -> None:
        """Begin to connect."""
        self._client.connect_async("127.0.0.1", self._port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    async def connected(self) -> None:
        """Wait for the broker's welcome."""
        await eventually(lambda: self._is_connected, WAIT_S)

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1 and wait until the broker has it."""
        self._is_subscribed = False
        self._client.subscribe(topic_filter, qos=1)
        await eventually(lambda: self._is_subscribed, WAIT_S)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the acknowledgement."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        await asyncio.to_thread(info.wait_for_publish, WAIT_S)
        assert info.is_published()

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: object,
    ) -> None:
        self.session_present = flags.session_present
        self._is_connected = not reason.is_failure

    def _subscribed(self, *_: object) -> None:
        self._is_subscribed = True

    def _message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self.received.append((message.topic, bytes(message.payload)))


@contextmanager
def peer(port: int, client_id: str, *, clean: bool = True) -> Generator[Peer]:
    """Open a connection for the length of a block."""
    made = Peer(port, client_id, clean=clean)
    made.open()
    try:
        yield made
    finally:
        made.close()

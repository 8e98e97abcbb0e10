"""One paho client with its reconnecting; tells what happens, decides nothing else."""

import logging
import random
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol, assert_never

from paho.mqtt.client import PUBACK, Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from app.bus.address import Address
from app.bus.read_ahead import Incoming, ReadAheadClient
from app.bus.suspects import Suspects
from app.core.clock import Clock

logger = logging.getLogger(__name__)

_PUBACK = b"\x40\x02"  # packet type 4, two bytes follow (MQTT 3.1.1, section 3.4)
_KEEPALIVE_S = 20  # a broker that hangs is noticed within one and a half of this
_INFLIGHT = 500  # QoS 1 messages on their way at once; paho's default of 20 waits for the broker
_BACKOFF_MIN_S = 0.25
_STABLE_S = 5.0  # a connection this old was good: the next loss begins with short waits again
_BACKOFF_MAX_S = 5.0  # pages must be live again within 10 s of a restart (CONTRACT)


class _Answer(StrEnum):
    """What the broker said to the present connection."""

    NONE = "none"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Owner(Protocol):
    """Who is told what happens; all of it on paho's thread."""

    def link_connected(self, session_present: bool) -> None:
        """The broker accepted the connection."""
        ...

    def link_refused(self, why: str) -> None:
        """The broker refused the connection."""
        ...

    def link_unreachable(self, why: str) -> None:
        """Nothing answers at the broker's address."""
        ...

    def link_lost(self) -> None:
        """The connection broke."""
        ...

    def link_ended(self, why: str) -> None:
        """An unexpected error ended the thread; nothing comes or goes any more."""
        ...

    def link_subscribed(self, mid: int, is_refused: bool) -> None:
        """The broker answered a subscription."""
        ...

    def link_published(self, mid: int) -> None:
        """The broker has a message, or a QoS 0 message is written."""
        ...

    def link_message(self, message: MQTTMessage | Incoming) -> None:
        """A message came in."""
        ...


class Link:
    """A paho client set up for us: TCP_NODELAY, manual acknowledgement, jittered back-off."""

    def __init__(
        self,
        address: Address,
        client_id: str,
        clock: Clock,
        owner: Owner,
        *,
        persistent: bool,
        queue_size: int,
    ) -> None:
        self._address = address
        self._owner = owner
        self._random = random.Random()  # noqa: S311  jitter, not a secret
        self._attempts = 0
        self._is_stopping = False
        self._clock = clock
        self._answer = _Answer.NONE
        self._accepted_at = 0.0
        self.client = ReadAheadClient(
            owner.link_message,
            callback_api_version=CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=not persistent,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        self.suspects = Suspects(self.client, _INFLIGHT)
        # Must precede the connection, or paho keeps its default of 20 for what is queued.
        self.client.max_inflight_messages_set(_INFLIGHT)
        self.client.max_queued_messages_set(min(queue_size, 60_000))  # message ids end at 65535
        if address.user:
            self.client.username_pw_set(address.user, address.password or None)
        self._attach()

    def start(self) -> None:
        """Connect in the background and keep connected."""
        self._next_delay()
        self.client.connect_async(self._address.host, self._address.port, _KEEPALIVE_S)
        self.client.loop_start()

    def stop(self, stopped: Callable[[], None]) -> None:
        """Disconnect; `stopped` is called from another thread when all is sent and closed."""
        self._is_stopping = True
        self.client.disconnect()

        def join() -> None:
            self.client.loop_stop()
            self.client.close()
            stopped()

        # Joining may take as long as a connection attempt; a daemon never holds up the exit.
        threading.Thread(target=join, name="bus-stop", daemon=True).start()

    def drop(self) -> None:
        """Cut the connection, so that paho makes a new one."""
        connection: Any = self.client.socket()  # SocketLike lacks shutdown, a TCP socket has it
        if connection is not None:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                logger.debug("Connection was gone already: %s", error)

    def subscribe(self, filters: Mapping[str, int]) -> int | None:
        """Subscribe to filters with their QoS; return the number of what the broker answers."""
        return self.client.subscribe(list(filters.items()))[1] if filters else None

    def acknowledge(self, mids: Sequence[int]) -> None:
        """Send the PUBACKs of QoS 1 messages, all in one write.

        `Client.ack` wakes paho's thread for each one: 25 µs against 1 (app/bench/mqtt.py).
        """
        packet = b"".join(_PUBACK + mid.to_bytes(2, "big") for mid in mids)
        self.client._packet_queue(PUBACK, packet, 0, 1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  paho 2.2 has no batch

    @property
    def unsent(self) -> int:
        """Packets waiting for the socket."""
        return len(self.client._out_packet)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  paho 2.2 tells it nowhere else

    def _attach(self) -> None:
        self.client.on_pre_connect = lambda _client, _userdata: self.suspects.before_connect()
        self.client.on_socket_open = _set_nodelay
        self.client.on_ended = self._on_ended
        self.client.on_connect = self._on_connect
        self.client.on_connect_fail = self._on_connect_fail
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_publish = self._on_publish

    def _next_delay(self) -> None:
        longest_s = min(_BACKOFF_MIN_S * 2**self._attempts, _BACKOFF_MAX_S)
        self._attempts = min(self._attempts + 1, 16)
        delay_s: Any = longest_s * self._random.uniform(0.5, 1)  # annotated int, floats work (2.2)
        self.client.reconnect_delay_set(delay_s, delay_s)

    def _on_connect(
        self,
        _client: Client,
        _userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._answer = _Answer.REFUSED
            self._owner.link_refused(str(reason))
            return
        self._answer = _Answer.ACCEPTED
        self._accepted_at = self._clock.monotonic()
        self._owner.link_connected(flags.session_present)

    def _on_connect_fail(self, _client: Client, _userdata: object) -> None:
        error = sys.exc_info()[1]  # paho calls this while it handles the OSError
        self._next_delay()
        words = error.strerror if isinstance(error, OSError) else None  # without "[Errno 111]"
        self._owner.link_unreachable(words or (str(error) if error else "no answer"))

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self._is_stopping:
            return
        answer, self._answer = self._answer, _Answer.NONE
        if answer is _Answer.ACCEPTED:
            now_s = self._clock.monotonic()
            lived_s = now_s - self._accepted_at
            self.suspects.closed(now_s, lived_s)
            self._attempts = 0 if lived_s > _STABLE_S else self._attempts
        self._next_delay()
        match answer:
            case _Answer.ACCEPTED:
                self._owner.link_lost()
            case _Answer.NONE:
                self._owner.link_refused("it closed the connection without an answer")
            case _Answer.REFUSED:
                pass  # told already
            case _:
                assert_never(answer)

    def _on_ended(self, error: Exception) -> None:
        logger.error("The connection to broker %s ended", self._address, exc_info=error)
        self.drop()  # so that the broker sends our will
        self._owner.link_ended(f"{type(error).__name__}: {error}")

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._owner.link_subscribed(mid, any(reason.is_failure for reason in reasons))

    def _on_publish(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        _reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self._owner.link_published(mid)


def _set_nodelay(_client: Client, _userdata: object, connection: Any) -> None:  # noqa: ANN401  paho types it too narrowly
    # Nagle's algorithm (RFC 896) holds a small message back until the peer acknowledges the last
    # one, which it may delay (RFC 1122 section 4.2.3.2): every request and reply would wait.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

"""A paho client that takes in all that has arrived at once and PUBLISH packets by itself.

Paho 2.2 calls `select` once and `recv` three times for each packet, two of them for single bytes,
makes a threading.Condition for each message and asks a tree of topic filters for its callback:
20 us of CPU for a message of 100 bytes, against 3 here. Everything but QoS 0 and 1 PUBLISH packets
of MQTT 3.1.1 is left to paho, which finds them whole in the buffer.
"""

import logging
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from typing_extensions import override

logger = logging.getLogger(__name__)

_READ_BYTES = 65_536
# Packets after which what waits to be sent, an acknowledgement or a ping, has its turn.
_PACKETS = 1000
_PUBLISH = 0x30  # packet type 3 (MQTT 3.1.1, section 3.3)
_TOO_LONG = 5  # bytes of a remaining length of at most 4 (section 2.2.3) that paho refuses


class Incoming(NamedTuple):
    """A PUBLISH packet of QoS 0 or 1; the names are those of paho's MQTTMessage."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


class ReadAheadSocket(socket.socket):
    """A TCP socket that reads what there is and hands out whole packets.

    With `pending` it looks to paho like a TLS socket, whose decrypted bytes `select` cannot see.
    """

    def __init__(self, connection: socket.socket) -> None:
        family, type_, protocol = connection.family, connection.type, connection.proto
        super().__init__(family, type_, protocol, fileno=connection.detach())
        self._ahead = bytearray()
        self._next = 0
        self._granted: int | None = None

    @override
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Return at most `bufsize` bytes of what is granted; nothing at the end of the stream."""
        if self._granted is None:
            return super().recv(bufsize, flags)
        if self._next == self._granted:
            raise BlockingIOError
        begin, self._next = self._next, min(self._next + bufsize, self._granted)
        return bytes(self._ahead[begin : self._next])

    def grant(self, end: int | None) -> None:
        """Let `recv` hand out what is read up to `end`, no more; None is what the kernel has."""
        self._granted = end

    def pending(self) -> int:
        """Return how many bytes of whole packets were read and not yet handed out."""
        bounds = self.packet()
        return bounds[1] - self._next if bounds else 0

    def fill(self) -> bool:
        """Read what the kernel holds; False at the end of the stream.

        Raises:
            BlockingIOError: There is nothing now.
            OSError: The connection broke.
        """
        del self._ahead[: self._next]
        self._next = 0
        more = super().recv(_READ_BYTES)
        self._ahead += more
        return bool(more)

    def packet(self) -> tuple[int, int] | None:
        """Return where the body of the next packet begins and ends; None if it is not all here.

        The body of one whose length is malformed is empty: paho tells what is wrong with it.
        """
        ahead, place = self._ahead, self._next + 1
        size = shift = 0
        while place < len(ahead):
            byte = ahead[place]
            place += 1
            size |= (byte & 127) << shift
            shift += 7
            if shift == 7 * _TOO_LONG:
                return place, place
            if byte < 128:
                return (place, place + size) if place + size <= len(ahead) else None
        return None

    def publish(self, begin: int, end: int) -> Incoming | None:
        """Take the packet between these bounds; None, and it stays, if paho is to judge it."""
        ahead = self._ahead
        head = ahead[self._next]
        qos = head >> 1 & 3
        topic_end = begin + 2 + (ahead[begin] << 8 | ahead[begin + 1]) if end - begin > 2 else end
        payload_begin = topic_end + (2 if qos else 0)
        is_plain = head & 0xF0 == _PUBLISH and qos < 2 and begin + 2 < topic_end
        if not is_plain or payload_begin > end:
            return None
        try:
            topic = ahead[begin + 2 : topic_end].decode()
        except UnicodeDecodeError:
            return None
        mid = ahead[topic_end] << 8 | ahead[topic_end + 1] if qos else 0
        self._next = end
        payload = bytes(ahead[payload_begin:end])
        return Incoming(topic, payload, qos, bool(head & 1), bool(head & 8), mid)


class ReadAheadClient(Client):
    """A paho client over such a socket; TLS is put around it and then reads by itself.

    Args:
        take: Called on paho's thread with each message.
        settings: As paho takes them.

    Attributes:
        on_ended: Called when an unexpected error ends paho's thread, on that thread, at its end.
    """

    def __init__(
        self,
        take: Callable[[MQTTMessage | Incoming], None],
        **settings: Any,  # noqa: ANN401  paho's own
    ) -> None:
        super().__init__(**settings)
        self._take = take
        self.on_ended = _log_end
        self.on_message = lambda _client, _userdata, message: take(message)

    def close(self) -> None:
        """Close the sockets that wake paho's thread; paho leaves them to the garbage collector."""
        self._reset_sockets()  # private in paho 2.2, no public way

    @override
    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Deal with the packets that have arrived."""
        connection = self.socket()
        if not isinstance(connection, ReadAheadSocket):
            return super().loop_read(max_packets)
        for _ in range(_PACKETS):
            bounds = connection.packet()
            if bounds is not None:
                result = self._deal(connection, *bounds)
            elif (result := self._fill(connection)) == MQTTErrorCode.MQTT_ERR_AGAIN:
                break
            if result != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return result
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _deal(self, connection: ReadAheadSocket, begin: int, end: int) -> MQTTErrorCode:
        message = connection.publish(begin, end)
        if message is not None:
            self._take(message)
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        connection.grant(end)
        try:
            return super().loop_read()
        finally:
            connection.grant(None)

    def _fill(self, connection: ReadAheadSocket) -> MQTTErrorCode:
        present: Any = self.socket()  # SocketLike is no base of ours for pyright
        if present is not connection:  # paho connected anew while it dealt with a packet
            return MQTTErrorCode.MQTT_ERR_AGAIN
        try:
            is_open = connection.fill()
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_AGAIN
        except OSError:
            is_open = False
        # Paho meets the end itself and tells of it.
        return MQTTErrorCode.MQTT_ERR_SUCCESS if is_open else super().loop_read()

    @override
    def _thread_main(self) -> None:  # private in paho 2.2, no public way
        try:
            super()._thread_main()
        except Exception as error:  # noqa: BLE001  nobody else learns that the thread ended
            self.on_ended(error)

    @override
    def _create_socket_connection(self) -> socket.socket:  # private in paho 2.2, no public way
        return ReadAheadSocket(super()._create_socket_connection())


def _log_end(error: Exception) -> None:
    logger.error("The thread of a connection ended", exc_info=error)

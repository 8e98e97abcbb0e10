"""What the reading client makes of a stream of packets, however it is cut."""

import itertools
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from app.bus.read_ahead import Incoming, ReadAheadClient

PINGRESP = b"\xd0\x00"
PUBACK = b"\x40\x02\x00\x07"
MESSAGES = st.builds(
    Incoming,
    topic=st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=9),
    payload=st.binary(max_size=300),
    qos=st.sampled_from([0, 1]),
    retain=st.booleans(),
    dup=st.booleans(),
    mid=st.just(0),
)
OTHERS = st.lists(st.sampled_from([b"", PINGRESP, PUBACK]), min_size=20, max_size=20)


class Inbox:
    """Keeps what the client takes."""

    def __init__(self) -> None:
        self.seen: list[MQTTMessage | Incoming] = []
        self.client = ReadAheadClient(
            self.seen.append, callback_api_version=CallbackAPIVersion.VERSION2, manual_ack=True
        )

    def read(self, count: int) -> MQTTErrorCode:
        """Let the client read until `count` messages came or it ends; return its last word."""
        result, until = MQTTErrorCode.MQTT_ERR_SUCCESS, time.monotonic() + 5
        while len(self.seen) < count and not result and time.monotonic() < until:
            result = self.client.loop(0.1)
        return result


def packet(head: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([head, *length, rest]) + body


def publish(message: Incoming) -> bytes:
    topic = message.topic.encode()
    head = 0x30 | message.dup << 3 | message.qos << 1 | message.retain
    mid = message.mid.to_bytes(2, "big") if message.qos else b""
    return packet(head, len(topic).to_bytes(2, "big") + topic + mid + message.payload)


def message(payload: bytes, qos: int = 0, mid: int = 0) -> Incoming:
    return Incoming("a/b", payload, qos, retain=False, dup=False, mid=mid)


@contextmanager
def connected(inbox: Inbox) -> Generator[socket.socket]:
    """Connect without paho's thread; yield the broker's end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        inbox.client.connect(*server.getsockname())
        peer, _ = server.accept()
        with peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield peer
            inbox.client.disconnect()
            inbox.client.loop(0.1)


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(MESSAGES, max_size=20), OTHERS, st.sets(st.integers(1, 4000), max_size=4))
def test_messages_arrive_whole_and_in_order_however_the_stream_is_cut(
    sent: list[Incoming], others: list[bytes], cuts: set[int]
):
    sent = [each._replace(mid=place + 1 if each.qos else 0) for place, each in enumerate(sent)]
    stream = b"".join(publish(each) + other for each, other in zip(sent, others, strict=False))
    bounds = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    inbox = Inbox()
    with connected(inbox) as peer:
        for begin, end in itertools.pairwise(bounds):
            peer.sendall(stream[begin:end])
            inbox.client.loop(0.01)
        inbox.read(len(sent))
    assert inbox.seen == sent


def test_a_message_larger_than_one_read_arrives_whole():
    large = message(bytes(range(256)) * 4000, qos=1, mid=9)
    inbox = Inbox()
    with connected(inbox) as peer:
        peer.setblocking(True)
        stream = publish(large) + publish(message(b"after"))
        place = 0
        while place < len(stream):
            place += peer.send(stream[place : place + 50_000])
            inbox.client.loop(0.01)
        inbox.read(2)
    assert inbox.seen == [large, message(b"after")]


def test_what_came_before_the_end_of_the_stream_is_taken():
    inbox = Inbox()
    with connected(inbox) as peer:
        peer.sendall(publish(message(b"1")) + publish(message(b"2"))[:-1])
        peer.shutdown(socket.SHUT_WR)
        assert inbox.read(2) == MQTTErrorCode.MQTT_ERR_CONN_LOST
    assert inbox.seen == [message(b"1")]


def test_nothing_of_a_lost_connection_stays_for_the_next():
    inbox = Inbox()
    with connected(inbox) as peer:
        peer.sendall(publish(message(b"cut off"))[:-1])
        peer.shutdown(socket.SHUT_WR)
        inbox.read(1)
    with connected(inbox) as peer:
        peer.sendall(publish(message(b"next")))
        inbox.read(1)
    assert inbox.seen == [message(b"next")]


@pytest.mark.parametrize(
    "stream", [b"\x30\xff\xff\xff\xff\x01ab", b"\x36\x05\x00\x01a\x00\x01", b"\xf5\x00"]
)
def test_what_is_no_packet_ends_the_connection(stream: bytes):
    inbox = Inbox()
    with connected(inbox) as peer:
        peer.sendall(stream + publish(message(b"after")))
        assert inbox.read(1) == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert inbox.seen == []


def test_a_topic_that_is_no_utf_8_is_left_to_paho_and_comes_all_the_same():
    inbox = Inbox()
    with connected(inbox) as peer:
        peer.sendall(packet(0x30, b"\x00\x01\xffpayload") + publish(message(b"after")))
        inbox.read(2)
    assert [each.payload for each in inbox.seen] == [b"payload", b"after"]
    with pytest.raises(UnicodeDecodeError):
        str(inbox.seen[0].topic)


def test_answers_to_what_is_sent_are_heard_between_messages():
    inbox = Inbox()
    with connected(inbox) as peer:
        info = inbox.client.publish("out", b"x", 1)
        inbox.client.loop(0.1)
        puback = packet(0x40, info.mid.to_bytes(2, "big"))
        peer.sendall(publish(message(b"1")) + puback + publish(message(b"2"))[:3])
        inbox.read(1)
        peer.sendall(publish(message(b"2"))[3:])
        inbox.read(2)
        assert info.is_published()
    assert inbox.seen == [message(b"1"), message(b"2")]

"""Publishes readings as fast as the broker takes them.

Run as `python -m app.bench.mqtt_load PORT QOS COUNT`. A process of its own on a bare socket, so
that it neither shares the receiver's interpreter lock nor is the slowest of the three.
"""

import socket
import sys

TAGS = 200  # of the demo plant
_CONNECT = b"\x00\x04MQTT\x04\x02\x00\x3c" + b"\x00\x04load"  # MQTT 3.1.1, clean, keep-alive 60 s
_CHUNK = 500  # QoS 1 messages sent before their PUBACKs are read
_PUBACK_BYTES = 4


def main() -> int:
    """Send COUNT readings over TAGS topics; return 0 when the broker has them all."""
    port, qos, count = (int(text) for text in sys.argv[1:4])
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_packet(0x10, _CONNECT))
        _read(connection, 4)
        for start in range(0, count, _CHUNK):
            size = min(_CHUNK, count - start)
            connection.sendall(b"".join(_publish(start + i, qos) for i in range(size)))
            _read(connection, qos * size * _PUBACK_BYTES)
        connection.sendall(_packet(0xC0, b""))  # answered after all that went before
        _read(connection, 2)
        connection.sendall(_packet(0xE0, b""))
    return 0


def _publish(number: int, qos: int) -> bytes:
    topic = f"plant/site/area/line/unit{number % TAGS // 20}/tag{number % 20}".encode()
    mid = (number % 60_000 + 1).to_bytes(2, "big") if qos else b""
    payload = f'{{"v":{number / 7:.4f},"t":"2026-01-01T00:00:00.123456Z","u":"Cel"}}'.encode()
    return _packet(0x30 | qos << 1, len(topic).to_bytes(2, "big") + topic + mid + payload)


def _packet(head: int, body: bytes) -> bytes:
    length = bytearray()
    rest = len(body)
    while True:  # variable byte integer, MQTT 3.1.1 section 2.2.3
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([head]) + bytes(length) + body


def _read(connection: socket.socket, size: int) -> None:
    while size > 0:
        received = connection.recv(size)
        if not received:
            raise ConnectionError("the broker closed the connection")
        size -= len(received)


if __name__ == "__main__":
    sys.exit(main())

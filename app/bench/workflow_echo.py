"""Answers each MQTT message with the same payload: the far end of a bare round trip.

Run as `python -m app.bench.workflow_echo PORT`; ends when its stdin does. A plain paho client, but
with TCP_NODELAY: without it Nagle's algorithm and delayed acknowledgements cost 40 ms a message.
"""

import socket
import sys

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

ASK, ANSWER, READY = "bench/ask", "bench/answer", "bench/ready"


def plain_client(name: str, port: int) -> Client:
    """Return a paho client that is about to connect and does not wait to fill packets."""
    client = Client(CallbackAPIVersion.VERSION2, client_id=name)
    client.on_socket_open = _send_at_once
    client.connect_async("127.0.0.1", port)
    return client


def _send_at_once(_client: Client, _userdata: object, connection: object) -> None:
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def main() -> int:
    """Answer until stdin ends."""
    client = plain_client("bench-echo", int(sys.argv[1]))

    def subscribe(
        client: Client, _u: object, _f: ConnectFlags, _r: ReasonCode, _p: Properties | None
    ) -> None:
        client.subscribe(ASK, 1)

    def answer(client: Client, _userdata: object, message: MQTTMessage) -> None:
        client.publish(ANSWER, message.payload, qos=1)

    def subscribed(client: Client, *_: object) -> None:
        client.publish(READY, b"1", qos=1, retain=True)

    client.on_connect, client.on_message, client.on_subscribe = subscribe, answer, subscribed
    client.loop_start()
    sys.stdin.buffer.read()
    client.disconnect()
    client.loop_stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

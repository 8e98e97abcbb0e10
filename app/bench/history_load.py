"""The load of `bench history`: factory rows of ten readings, QoS 1, at a fixed rate.

Arguments: port, messages a second. Ends when standard input ends; prints the messages published.
"""

import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from app.core.topics import SEED_DATA

FIELDS = 10
MACHINES = 50
_QUEUED = 2000


def row(number: int, at: datetime) -> bytes:
    """Return one message of `FIELDS` readings."""
    values = {f"value_{place}": (number * 7 + place) % 1000 / 10 for place in range(FIELDS)}
    return msgspec.json.encode(
        {"Machine_ID": f"M{number % MACHINES}", "Timestamp": at.isoformat(), **values}
    )


def publish(port: int, rate: float, ended: threading.Event) -> int:
    """Publish until `ended`; return how many were."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-history-load")
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", port)
    client.loop_start()
    begin, first = time.monotonic(), datetime.now(UTC)
    number = 0
    while not ended.is_set():
        due = int((time.monotonic() - begin) * rate)
        while number < due and len(client._out_messages) < _QUEUED:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  paho 2.2 tells it nowhere else
            client.publish(SEED_DATA, row(number, first + timedelta(milliseconds=number)), 1)
            number += 1
        time.sleep(0.005)
    client.disconnect()
    client.loop_stop()
    return number


def main() -> None:
    """Run until standard input ends."""
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    print(publish(int(sys.argv[1]), float(sys.argv[2]), ended))


if __name__ == "__main__":
    main()

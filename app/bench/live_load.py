"""What loads the live path: an MQTT source with stamped values, and browsers without a screen."""

import asyncio
import statistics
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.bench.app_process import get_json
from app.core import topics

STAMP = "bench/load/line/stamp/at"
STAMP_MODULUS = 10_000_000
"""A stamp is milliseconds since 1970 modulo this, so that it is exact on screen."""

PERIOD_S = 1.0
OFFSET_S = 0.37  # not in step with the demo plant, which publishes on the full second


def stamp_now() -> int:
    """Return the present stamp."""
    return int(time.time() * 1000) % STAMP_MODULUS


def tag_paths(count: int) -> list[str]:
    """Return `count` tags of the source, ten to a unit."""
    return [f"bench/load/line/unit-{number // 10}/t{number % 10}" for number in range(count)]


class Source:
    """Publishes a burst of values each second, the stamp first, from a thread of its own."""

    def __init__(self, port: int, tags: Sequence[str]) -> None:
        self._tags = tags
        self._stop = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-live-source")
        self._client.connect("127.0.0.1", port)
        self._thread = threading.Thread(target=self._run, name="bench-source", daemon=True)

    def __enter__(self) -> "Source":
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        turn = 0
        while not self._stop.wait(PERIOD_S - (time.time() - OFFSET_S) % PERIOD_S):
            turn += 1
            self._client.publish(topics.reading_topic(STAMP), f'{{"v":{stamp_now()}}}')
            for number, tag in enumerate(self._tags):
                value = 50 + (turn * 7 + number * 13) % 997 / 100
                self._client.publish(topics.reading_topic(tag), f'{{"v":{value}}}')


class Received(NamedTuple):
    """What one tab without a screen got.

    Attributes:
        payload_bytes: Text of all messages.
        messages: Their number.
        latencies_ms: From stamping at the source to arrival, of each stamp.
    """

    payload_bytes: int
    messages: int
    latencies_ms: list[int]


async def watch(url: str, tags: Sequence[str], ready: asyncio.Event, seconds: float) -> Received:
    """Look at `tags` as a browser tab does; counts from `ready` on, for `seconds`."""
    async with connect(f"ws{url.removeprefix('http')}/live", max_size=None) as tab:
        await tab.send(msgspec.json.encode({"tags": list(tags), "alarms": True}).decode())
        pump = asyncio.create_task(_read(tab, ready))
        await ready.wait()
        await asyncio.sleep(seconds)
        pump.cancel()
        return (await asyncio.gather(pump))[0]


def spread(values: Sequence[int]) -> dict[str, float | int]:
    """Return number, median, 95th percentile and worst."""
    if len(values) < 2:
        return {"count": len(values)}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "median": round(statistics.median(ordered)),
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "worst": ordered[-1],
    }


def demo_tags(url: str, count: int) -> list[str]:
    """Return `count` tags of the demo plant that the app at `url` shows."""
    rows = msgspec.convert(get_json(f"{url}/api/tags?prefix=riverside/"), list[dict[str, object]])
    return [str(row["path"]) for row in rows][:count]


async def _read(tab: ClientConnection, counting: asyncio.Event) -> Received:
    size, count, stamp_index, latencies = 0, 0, -1, list[int]()
    try:
        while True:
            text = await tab.recv()
            now = stamp_now()
            message = msgspec.json.decode(text)
            if message["k"] == "hello":
                paths = [tag["path"] for tag in message["tags"]]
                stamp_index = paths.index(STAMP) if STAMP in paths else -1
            if not counting.is_set():
                continue
            size, count = size + len(text), count + 1
            for index, value, *rest in message.get("v", ()):
                if index == stamp_index and not rest:
                    latencies.append((now - int(value)) % STAMP_MODULUS)
    except (asyncio.CancelledError, ConnectionClosed):
        return Received(size, count, latencies)

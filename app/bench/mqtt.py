"""Receive rate of the bus against bare paho, on the same broker in one run."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from app.bench.app_process import free_port
from app.bus.broker import Broker
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.errors import BusError
from app.core.reading import ReadingMessage
from app.settings import BrokerSettings, BusSettings, DataSettings, Settings

TARGET_RATIO = 0.7  # of bare paho: what decoding, validating and queueing may cost
_FILTER = "plant/#"
_ROUND_S = 60.0
_PAIRS = 3
_COUNTS = {0: 30_000, 1: 10_000}


async def bench_mqtt(seconds: float = 30.0) -> dict[str, object]:
    """Return messages per second of both and their ratio for QoS 0 and 1, medians of pairs.

    Measures pairs for `seconds`, three of each QoS at least.
    Starts its own broker on a free port. Paho only counts; the bus decodes, validates and hands
    batches to a handler, for QoS 1 with acknowledgement after the handler.

    Raises:
        BusError: The broker does not start, or messages do not arrive within a minute.
    """
    clock = SystemClock()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        settings = Settings(
            data=DataSettings(dir=Path(folder)),
            broker=BrokerSettings(port=free_port()),
            bus=BusSettings(queue_size=100_000),
        )
        broker = Broker(settings, clock)
        await broker.start()
        try:
            result = {f"qos{qos}": await _compare(settings, qos, seconds / 2) for qos in (0, 1)}
        finally:
            await broker.stop()
    return {"target_ratio": TARGET_RATIO, **result}


async def _compare(settings: Settings, qos: int, seconds: float) -> dict[str, float]:
    # Alternating, so that a neighbour's load falls on both.
    paho: list[tuple[float, float]] = []
    bus: list[tuple[float, float]] = []
    deadline = time.monotonic() + seconds
    while len(bus) < _PAIRS or time.monotonic() < deadline:
        paho.append(await _with_paho(settings, qos, _COUNTS[qos]))
        bus.append(await _with_bus(settings, qos, _COUNTS[qos]))
    return {
        "pairs": len(bus),
        "paho_messages_per_s": round(statistics.median(rate for rate, _ in paho)),
        "bus_messages_per_s": round(statistics.median(rate for rate, _ in bus)),
        "ratio": round(
            statistics.median(b / p for (b, _), (p, _) in zip(bus, paho, strict=True)), 2
        ),
        "paho_cpu_us": round(statistics.median(cpu for _, cpu in paho), 1),
        "bus_cpu_us": round(statistics.median(cpu for _, cpu in bus), 1),
        "cpu_ratio": round(
            statistics.median(p / b for (_, b), (_, p) in zip(bus, paho, strict=True)), 2
        ),
    }


async def _with_paho(settings: Settings, qos: int, count: int) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    subscribed, first, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    seen = 0

    def on_message(_client: Client, _userdata: object, _message: MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            loop.call_soon_threadsafe(first.set)
        if seen == count:
            loop.call_soon_threadsafe(done.set)

    def on_connect(
        client: Client, _u: object, _f: ConnectFlags, _r: ReasonCode, _p: Properties | None
    ) -> None:
        client.subscribe(_FILTER, qos)

    def on_subscribe(*_arguments: object) -> None:  # paho passes five, none is of use here
        loop.call_soon_threadsafe(subscribed.set)

    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-paho")
    client.on_message = on_message
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.connect_async("127.0.0.1", settings.broker.port)
    client.loop_start()
    try:
        async with asyncio.timeout(_ROUND_S):
            await subscribed.wait()
        return await _measure(settings.broker.port, qos, count, first, done)
    finally:
        client.disconnect()
        await asyncio.to_thread(client.loop_stop)


async def _with_bus(settings: Settings, qos: int, count: int) -> tuple[float, float]:
    first, done = asyncio.Event(), asyncio.Event()
    seen = 0

    def take(batch: Sequence[Received[ReadingMessage]]) -> None:
        nonlocal seen
        seen += len(batch)
        first.set()
        if seen >= count:
            done.set()

    async def take_durable(batch: Sequence[Received[ReadingMessage]]) -> None:
        take(batch)

    bus = Bus(settings, "bench-bus", SystemClock())
    if qos:
        bus.subscribe_durable(_FILTER, ReadingMessage, take_durable)
    else:
        bus.subscribe(_FILTER, ReadingMessage, take)
    await bus.start()
    try:
        await bus.wait_connected(_ROUND_S)
        return await _measure(settings.broker.port, qos, count, first, done)
    finally:
        await bus.stop()


async def _measure(
    port: int, qos: int, count: int, first: asyncio.Event, done: asyncio.Event
) -> tuple[float, float]:
    """Return messages per second and this process's CPU microseconds a message."""
    arguments = [str(number) for number in (port, qos, count)]
    load = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.bench.mqtt_load", *arguments
    )
    try:
        async with asyncio.timeout(_ROUND_S):
            await first.wait()
            began, cpu = time.perf_counter(), time.process_time()
            await done.wait()
            elapsed_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
            await load.wait()
    except TimeoutError as error:
        raise BusError(f"{count} messages did not arrive within {_ROUND_S:g} s") from error
    finally:
        if load.returncode is None:
            load.kill()
            await load.wait()
    return count / elapsed_s, cpu_s / count * 1e6

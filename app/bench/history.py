"""What the historian takes in and how fast it answers, beside bare SQLite and bare Lance."""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

from app.bench.app_process import free_port
from app.bench.history_load import FIELDS
from app.bus.broker import Broker
from app.bus.client import Bus
from app.clock import SystemClock
from app.core.errors import BusError
from app.core.reading import Quality, Reading
from app.ingest.service import IngestService
from app.settings import BrokerSettings, DataSettings, HistorySettings, Settings
from app.store.arrow import hot_rows, hot_schema
from app.store.catalogue import Catalogue
from app.store.chunks import DayTables
from app.store.history import Historian
from app.store.lance import Lance
from app.store.series import HOUR_US, Columns, to_us

TARGET_READINGS_PER_S = 10_000
TARGET_RANGE_MS = 20.0
_OFFERED_MESSAGES_PER_S = 2_000
_TAGS = [f"site/area/line/unit{tag // 10}/tag{tag}" for tag in range(500)]
_BATCH_ROWS = 1_000
_APPENDERS = 8
_BARE_S = 3.0
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_INTERVAL_US = 5_000_000
_RANGES = 40
_POINTS = 1_000


async def bench_history(seconds: float = 60.0) -> dict[str, object]:
    """Return rates in readings/s, memory before and after, and times of range queries.

    Every rate counts readings whose commit has returned. The bare stores write the same batches
    of 1,000 readings, one commit each, for a few seconds; SQLite in WAL mode, synchronous FULL.

    Raises:
        BusError: The broker does not start, or nothing arrives.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        direct = await _direct(home / "direct", seconds)
        mqtt = await _over_mqtt(home / "mqtt", seconds)
        bare_s = min(_BARE_S, seconds)
        sqlite = await asyncio.to_thread(_bare_sqlite, home / "bare.sqlite", bare_s)
        lance = await asyncio.to_thread(_bare_lance, home / "bare", bare_s)
        ranges = await _ranges(home / "ranges")
    rate = float(str(direct["readings_per_s"]))
    return {
        "seconds": seconds,
        "target_readings_per_s": TARGET_READINGS_PER_S,
        "append": {
            **direct,
            "ratio_sqlite": _ratio(rate, sqlite),
            "ratio_lance": _ratio(rate, lance),
        },
        "mqtt_qos1": mqtt,
        "bare_sqlite_readings_per_s": round(sqlite),
        "bare_lance_readings_per_s": round(lance),
        "target_range_ms": TARGET_RANGE_MS,
        "range_24h_of_1_tag_in_500": ranges,
    }


async def _direct(data: Path, seconds: float) -> dict[str, object]:
    historian = Historian(HistorySettings(), data, SystemClock())
    await historian.start()
    await historian.append(_batch(0))
    memory = _memory_mb()
    begin = time.perf_counter()
    stored = 0

    async def append(first: int) -> None:
        nonlocal stored
        number = first
        while time.perf_counter() - begin < seconds:
            await historian.append(_batch(number))
            stored += _BATCH_ROWS
            number += _APPENDERS

    async with asyncio.TaskGroup() as appending:
        for first in range(_APPENDERS):
            appending.create_task(append(first + 1), name=f"append {first}")
    took = time.perf_counter() - begin
    after = _memory_mb()
    await historian.stop()
    return {
        "readings_per_s": round(stored / took),
        "memory_mb_before": memory,
        "memory_mb_after": after,
    }


async def _over_mqtt(data: Path, seconds: float) -> dict[str, object]:
    settings = _mqtt_settings(data)
    clock = SystemClock()
    broker = Broker(settings, clock)
    historian = Historian(settings.history, data, clock)
    bus = Bus(settings, "bench-history", clock, persistent=True)
    service = IngestService(settings, bus, historian, clock)
    await broker.start()
    await historian.start()
    await historian.append([])  # the import of lancedb is not part of the figure
    service.start()
    await bus.start()
    try:
        await bus.wait_connected(20)
        return await _measure_mqtt(settings, service, seconds)
    finally:
        await bus.stop()
        await historian.stop()
        await broker.stop()


def _mqtt_settings(data: Path) -> Settings:
    data.mkdir()
    return Settings(
        data=DataSettings(dir=data),
        broker=BrokerSettings(port=free_port()),
    )


async def _measure_mqtt(
    settings: Settings, service: IngestService, seconds: float
) -> dict[str, object]:
    arguments = [str(settings.broker.port), str(_OFFERED_MESSAGES_PER_S)]
    load = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.bench.history_load", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            while not service.stored:
                await SystemClock().sleep(0.01)
        process = psutil.Process()
        memory, first, begin = _memory_mb(), service.stored, time.perf_counter()
        busy = sum(process.cpu_times()[:2])
        await SystemClock().sleep(seconds)
        stored, took = service.stored - first, time.perf_counter() - begin
        busy = sum(process.cpu_times()[:2]) - busy
        output, _ = await load.communicate(b"")
        return {
            "published_readings": int(output) * FIELDS,
            "stored_readings": stored,
            "readings_per_s": round(stored / took),
            "cpu_percent_of_core": round(100 * busy / took),
            "memory_mb_before": memory,
            "memory_mb_after": _memory_mb(),
        }
    except TimeoutError as error:
        raise BusError("No message of the load arrived within 30 s") from error
    finally:
        if load.returncode is None:
            await load.communicate(b"")


def _bare_sqlite(path: Path, seconds: float) -> float:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE reading (tag TEXT, time_us INTEGER, value REAL, quality INTEGER, "
        "PRIMARY KEY (tag, time_us)) WITHOUT ROWID"
    )

    def write(rows: Sequence[Reading]) -> None:
        with connection:
            connection.executemany(
                "INSERT OR REPLACE INTO reading VALUES (?, ?, ?, 0)",
                [(row.tag, to_us(row.source_time), row.value) for row in rows],
            )

    rate = _rate(write, seconds)
    connection.close()
    return rate


def _bare_lance(path: Path, seconds: float) -> float:
    table = Lance(str(path)).create("bare", hot_schema())

    def write(rows: Sequence[Reading]) -> None:
        times = [to_us(row.source_time) for row in rows]
        values = [row.value or 0.0 for row in rows]
        table.append(hot_rows([row.tag for row in rows], times, values, [0] * len(rows)))

    return _rate(write, seconds)


def _rate(write: Callable[[Sequence[Reading]], None], seconds: float) -> float:
    begin, number = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        write(_batch(number))
        number += 1
    return number * _BATCH_ROWS / (time.perf_counter() - begin)


async def _ranges(data: Path) -> dict[str, object]:
    written_s = await asyncio.to_thread(_make_day, data)
    as_written = await _time_ranges(data)
    tidied_s = await asyncio.to_thread(_tidy_day, data)
    tidied = await _time_ranges(data)
    return {
        "rows": len(_TAGS) * 24 * HOUR_US // _INTERVAL_US,
        "written_in_s": round(written_s, 1),
        "as_written_ms": as_written,
        "tidied_in_s": round(tidied_s, 1),
        "tidied_ms": tidied,
    }


async def _time_ranges(data: Path) -> dict[str, float]:
    historian = Historian(HistorySettings(), data, SystemClock())
    await historian.start()
    end = _DAY + timedelta(days=1)
    await historian.range(_TAGS[0], _DAY, end, _POINTS)
    took: list[float] = []
    for place in range(_RANGES):
        begin = time.perf_counter()
        await historian.range(_TAGS[place * 12], _DAY, end, _POINTS)
        took.append((time.perf_counter() - begin) * 1000)
    await historian.stop()
    return {
        "median": round(statistics.median(took), 1),
        "p95": round(statistics.quantiles(took, n=20)[-1], 1),
    }


def _make_day(data: Path) -> float:
    """Write a day as 24 hourly rolls do and return the seconds it took."""
    begin = time.perf_counter()
    tables = _tables(data)
    noise = np.random.default_rng(1)
    steps = np.arange(HOUR_US // _INTERVAL_US, dtype=np.int64) * _INTERVAL_US
    for hour in range(24):
        times = to_us(_DAY) + hour * HOUR_US + steps
        good = np.zeros(len(times), np.uint8)
        series = {tag: Columns(times, noise.normal(50, 5, len(times)), good) for tag in _TAGS}
        tables.put(_DAY.date(), series, _DAY + timedelta(hours=hour + 1))
    return time.perf_counter() - begin


def _tidy_day(data: Path) -> float:
    begin = time.perf_counter()
    _tables(data).tidy(_DAY.date(), _DAY + timedelta(days=2))
    return time.perf_counter() - begin


def _tables(data: Path) -> DayTables:
    data.mkdir(exist_ok=True)
    tables = DayTables(Lance(str(data / "lancedb")), Catalogue.load(data / "history.json"))
    tables.find(_DAY)
    return tables


def _batch(number: int) -> list[Reading]:
    at = _DAY + timedelta(seconds=number)
    return [
        Reading(_TAGS[row % 500], float(row), Quality.GOOD, at + timedelta(milliseconds=row), at)
        for row in range(_BATCH_ROWS)
    ]


def _memory_mb() -> int:
    return round(psutil.Process().memory_info().rss / 1e6)


def _ratio(rate: float, bare: float) -> float:
    return round(rate / bare, 2)

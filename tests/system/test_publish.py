"""Rows of public files in = readings stored, also when the ingest is killed in between."""

import asyncio
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from app.clock import SystemClock
from app.settings import HistorySettings
from app.store.history import Historian
from tests.public_data import DATA, needs

AI4I = DATA / "ai4i2020" / "ai4i2020.csv.gz"
STEEL = DATA / "steel_energy" / "steel_2018-01-01_to_2018-11-24.csv.gz"
NAB = DATA / "nab" / "cpu_utilization_asg_misconfiguration.csv.gz"
NAB_REPEATED_TIME = DATA / "nab" / "ec2_request_latency_system_failure.csv.gz"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTLED_S = 60.0

public_data = needs(DATA)


class Ingest:
    """The ingest process with its data folder."""

    def __init__(self, broker_url: str, data: Path) -> None:
        self.data = data
        self._arguments = [broker_url, str(data), f"ingest-{uuid.uuid4()}"]
        self.start()

    def start(self) -> None:
        driver = [sys.executable, "-m", "tests.system.ingest_driver"]
        self.log = self.data.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*driver, *self._arguments], stdout=log, stderr=log)
        self.wait(lambda: "ready" in self.log.read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(15)

    def stored(self) -> int:
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("stored ")]
        return int(lines[-1].split()[1]) if lines else 0

    def wait(self, is_so: Callable[[], bool], within_s: float = 120.0) -> None:
        deadline = time.monotonic() + within_s
        while not is_so():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.05)


@pytest.fixture
def ingest(broker_url: str, tmp_path: Path) -> Iterator[Ingest]:
    data = tmp_path / "data"
    data.mkdir()
    running = Ingest(broker_url, data)
    yield running
    running.kill()


def publish(broker_url: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "app", "publish", "--broker", broker_url, "--json"]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE)


def finish(publisher: subprocess.Popen[bytes]) -> dict[str, object]:
    output, _ = publisher.communicate(timeout=180)
    assert publisher.returncode == 0
    summary: dict[str, object] = json.loads(output)
    return summary


def counts(data: Path) -> dict[str, int]:
    """Readings kept a tag, each time once, as a new process finds them."""

    async def read() -> dict[str, int]:
        historian = Historian(HistorySettings(), data, SystemClock())
        await historian.start()
        try:
            return await historian.counts()
        finally:
            await historian.stop()

    return asyncio.run(read())


@public_data
@pytest.mark.parametrize(
    ("file", "rows", "columns"),
    [(AI4I, 10_000, 12), (STEEL, 31_536, 7), (NAB, 18_050, 1), (NAB_REPEATED_TIME, 4_032, 1)],
    ids=["ai4i", "steel", "nab", "nab-repeated-time"],
)
def test_every_row_and_column_is_stored_once(
    ingest: Ingest, broker_url: str, file: Path, rows: int, columns: int
):
    summary = finish(publish(broker_url, str(file)))
    assert (summary["published"], summary["skipped"]) == (rows, 0)
    # Counting alone ends too early: on a busy machine some rows are sent and counted twice.
    ingest.wait(lambda: ingest.stored() >= rows * columns)
    assert list(kept_by(ingest, rows * columns).values()) == [rows] * columns


@public_data
def test_nothing_is_lost_or_doubled_when_the_ingest_is_killed_three_times(
    ingest: Ingest, broker_url: str
):
    rows, columns = 10_000, 12
    publisher = publish(broker_url, "--rate", "1500", str(AI4I))
    for _ in range(3):
        ingest.wait(lambda: ingest.stored() > 0)
        ingest.kill()
        ingest.start()
    finish(publisher)
    assert list(kept_by(ingest, rows * columns).values()) == [rows] * columns


def test_values_without_a_time_are_not_doubled_by_kill_9(ingest: Ingest, broker_url: str):
    count = 4_000
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"load-{uuid.uuid4()}")
    client.max_inflight_messages_set(100)
    client.connect("127.0.0.1", int(broker_url.rpartition(":")[2]))
    client.loop_start()
    for place in range(4):
        sent = [
            client.publish("data/press/flow", str(place * count + number), 1)
            for number in range(count // 4)
        ]
        ingest.wait(lambda: ingest.stored() > 0)
        ingest.kill()
        ingest.start()
        sent[-1].wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    assert kept_by(ingest, count) == {"factory/data/line/press/flow": count}


def test_ctrl_c_ends_with_the_count(broker_url: str, tmp_path: Path):
    file = tmp_path / "rows.csv"
    file.write_text("v\n" + "1\n" * 1000)
    command = [sys.executable, "-m", "app", "publish", "--broker", broker_url, "--rate", "50"]
    with subprocess.Popen([*command, str(file)], stderr=subprocess.PIPE, text=True) as publisher:
        assert publisher.stderr
        assert "rows published" in publisher.stderr.readline()
        publisher.send_signal(signal.SIGINT)
        output = publisher.stderr.read()
    assert publisher.returncode == 1
    assert "Stopped after" in output
    assert "Traceback" not in output


def kept_by(ingest: Ingest, wanted: int) -> dict[str, int]:
    """End the ingest when the broker has nothing more for it; return what is kept, as `counts`.

    On a busy machine it may pause for longer than that; it goes on while readings are missing.
    """
    deadline = time.monotonic() + SETTLED_S
    while True:
        ingest.wait(lambda: is_quiet(ingest))
        ingest.stop()
        kept = counts(ingest.data)
        if sum(kept.values()) >= wanted or time.monotonic() > deadline:
            return kept
        ingest.start()


def is_quiet(ingest: Ingest) -> bool:
    """Nothing was stored for longer than the broker takes to send again (1 s in tests)."""
    before = ingest.log.stat().st_mtime
    return time.time() - before > 4.0

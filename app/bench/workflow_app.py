"""What the benchmarks of workflows do with a whole app: give it definitions, ask it for runs."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt

from app.bench.app_process import AppProcess, get_json
from app.bench.workflow_echo import plain_client
from app.core.errors import MillwrightError
from app.core.run import WorkflowTrigger
from app.core.topics import TRIGGERS

_POLL_S = 0.02
_SENT_S = 10.0

WAITING = """
name = "bench_wait"
title = "Wait, then ask an agent"

[runs]
max = 100

[inputs.seconds]
kind = "number"
required = true

[[steps]]
id = "pause"
do = "wait"
with = { seconds = "${input.seconds}" }

[[steps]]
id = "ask"
do = "task"
needs = ["pause"]
with = { capability = "advise", input = { equipment = "bench", condition = "none" } }
"""

ASKING = """
name = "bench_ask"
title = "Ask an agent five times"

[runs]
max = 100
""" + "".join(
    f"""
[[steps]]
id = "s{number}"
do = "task"
needs = [{f'"s{number - 1}"' if number else ""}]
with = {{ capability = "advise", input = {{ equipment = "bench", condition = "none" }} }}
"""
    for number in range(5)
)


def write_definitions(data: Path) -> None:
    """Put both definitions where an app on `data` looks for its own."""
    folder = data / "workflows"
    folder.mkdir(parents=True)
    (folder / "bench_wait.toml").write_text(WAITING)
    (folder / "bench_ask.toml").write_text(ASKING)


class Starter:
    """Asks for runs over MQTT, as any other program may.

    Attributes:
        ended: Called, on a thread of its own, with the id of each run that is over.
    """

    def __init__(self, running: AppProcess) -> None:
        self._client = plain_client("bench-starter", running.broker_port)
        self._client.on_connect = self._connected
        self._client.on_message = self._take
        self._is_connected = threading.Event()
        self.ended: Callable[[str], None] = lambda _: None

    def __enter__(self) -> "Starter":
        self._client.loop_start()
        if not self._is_connected.wait(_SENT_S):
            raise MillwrightError(f"The broker of the app was not there within {_SENT_S:g} s")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe("millwright/runs/+", 1)
        self._is_connected.set()

    def _take(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        change = msgspec.json.decode(message.payload)
        if change["run"]["state"] in {"completed", "failed", "cancelled"}:
            self.ended(change["run"]["id"])

    def ask(self, workflow: str, run_ids: Sequence[str], given: dict[str, object]) -> None:
        """Ask for runs; the broker has it on return.

        Raises:
            MillwrightError: The broker does not take it.
        """
        for run_id in run_ids:
            payload = msgspec.json.encode(WorkflowTrigger(workflow, given, run_id, "bench"))
            self._client.publish(TRIGGERS, payload, qos=1).wait_for_publish(_SENT_S)

    def send(self, workflow: str, run_id: str) -> None:
        """Ask for one run without waiting for the broker."""
        payload = msgspec.json.encode(WorkflowTrigger(workflow, {}, run_id, "bench"))
        self._client.publish(TRIGGERS, payload, qos=1)


class Disk:
    """What an app on `data` has on disk of its runs, read beside it."""

    def __init__(self, data: Path) -> None:
        self._connection = sqlite3.connect(f"file:{data / 'runs.sqlite'}?mode=ro", uri=True)

    def __enter__(self) -> "Disk":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def wait_for_slots(self, slot: str, count: int, timeout_s: float) -> float:
        """Return the time.monotonic() at which `count` runs had that slot.

        Raises:
            MillwrightError: They had it not in time.
        """
        return self._wait("SELECT count(*) FROM steps WHERE slot = ?", slot, count, timeout_s)

    def count_slots(self, slot: str) -> int:
        """Return how many runs have that slot."""
        query = "SELECT count(*) FROM steps WHERE slot = ?"
        return int(self._connection.execute(query, (slot,)).fetchone()[0])

    def wait_for_ends(self, workflow: str, count: int, timeout_s: float) -> float:
        """Return the time.monotonic() at which `count` runs of a workflow had completed.

        Raises:
            MillwrightError: They had not in time.
        """
        query = "SELECT count(*) FROM runs WHERE state = 'completed' AND workflow = ?"
        return self._wait(query, workflow, count, timeout_s)

    def _wait(self, query: str, value: str, count: int, timeout_s: float) -> float:
        deadline, found = time.monotonic() + timeout_s, 0
        while time.monotonic() < deadline:
            (found,) = self._connection.execute(query, (value,)).fetchone()
            if found >= count:
                return time.monotonic()
            time.sleep(_POLL_S)
        raise MillwrightError(f'{found} of {count} runs had "{value}" after {timeout_s:g} s')


def wait_for_workflows(running: AppProcess, timeout_s: float) -> float:
    """Return the time.monotonic() at which Health called Workflows ok.

    Raises:
        MillwrightError: It did not in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            health = get_json(f"{running.url}/api/health")
        except OSError:
            health = {}
        parts = msgspec.convert(health, dict[str, object]).get("components", [])
        named = {
            each["name"]: each["state"] for each in msgspec.convert(parts, list[dict[str, object]])
        }
        if named.get("Workflows") == "ok":
            return time.monotonic()
        time.sleep(_POLL_S)
    raise MillwrightError(f"Workflows were not ok within {timeout_s:g} s")

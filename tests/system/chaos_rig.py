"""A real app with a workflow of its own, and what its files say of runs, orders and commands."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

from agents.actuator.journal import read_journal
from app.core.command import AckState
from app.core.run import SETTLED, StepRun, WorkflowRun
from tests.ports import free_port
from tests.running_app import RunningApp, start_app

POLL_S = 0.05
RUNS = 50
OFF = ("vibration", "maintenance", "planner", "notifier", "advisor")
_HVAC = "riverside/building/hall/hvac-801"
TAGS = {f"{_HVAC}/temperature_setpoint": 18, f"{_HVAC}/fan_speed": 60}
"""Tags that a command may change without anybody's consent, every 2 s, and a value of each."""

WORKFLOW = """
name = "chaos"
[inputs.tag]
kind = "tag"
required = true
[inputs.value]
kind = "number"
[inputs.pause_s]
kind = "number"
[inputs.key]
[runs]
mode = "parallel"
max = 5
key = "${input.key}"
[[steps]]
id = "order"
do = "task"
with.capability = "create_order"
with.input = { equipment = "a/b/c/d", title = "order ${run.id}", run = "${run.id}" }
[[steps]]
id = "lookup"
do = "task"
with = { capability = "search_knowledge", input = { query = "bearing" } }
[[steps]]
id = "pause"
do = "wait"
needs = ["order"]
with.seconds = "${input.pause_s}"
[[steps]]
id = "change"
do = "command"
needs = ["pause"]
on_error = "continue"
with = { tag = "${input.tag}", value = "${input.value}" }
[[steps]]
id = "each"
do = "task"
needs = ["lookup", "change"]
for_each = "[1, 2, 3]"
parallel = 2
with.capability = "create_order"
[steps.with.input]
equipment = "a/b/c/d"
title = "each ${run.id} ${item}"
run = "${run.id} ${item}"
[[steps]]
id = "said"
do = "publish"
needs = ["each"]
with = { topic = "chaos/done", payload = { run = "${run.id}" } }
"""


@dataclass
class Chaos:
    """The app under test.

    Attributes:
        data: Its data folder.
        app: The present life of the app.
        seen: Outcomes on disk at each kill, by run and slot.
        recovered_s: From each first answer of a new app to the first outcome after it, s.
    """

    data: Path
    port: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)
    app: RunningApp = field(init=False)
    seen: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    recovered_s: list[float] = field(default_factory=list[float])

    def prepare(self) -> None:
        """Write workflow and settings, and start the app."""
        (self.data / "workflows").mkdir(parents=True)
        (self.data / "workflows" / "chaos.toml").write_text(WORKFLOW)
        off = "".join(f"[agents.{name}]\nenabled = false\n" for name in OFF)
        (self.data / "settings.toml").write_text(off)
        self.start()

    def start(self) -> None:
        """Start the app, a further time on the same ports and data."""
        self.app = start_app(self.data, self.port, self.broker_port)

    def kill_app(self) -> None:
        """Kill the app, wait until its children have gone with it, start it and see it go on."""
        family = self.app.family()
        self.app.process.kill()
        self.app.process.wait(10)
        psutil.wait_procs(family, timeout=15)
        self.seen |= self.outcomes()
        count = len(self.slots())
        self.start()
        self.app.wait_until(lambda: self.app.get("/healthz"), 60)
        answered = time.monotonic()
        self.app.wait_until(lambda: len(self.slots()) > count, 60)
        self.recovered_s.append(time.monotonic() - answered)

    def kill_child(self, word: str) -> None:
        """Kill the child process whose command line holds `word`; its parent starts it anew."""
        self.seen |= self.outcomes()
        self.app.wait_until(lambda: self._children(word), 60)  # it may be starting at the moment
        for each in self._children(word):
            each.kill()

    def _children(self, word: str) -> list[psutil.Process]:
        return [each for each in self.app.family() if _runs(each, word)]

    def await_outcomes(self, count: int, within_s: float) -> None:
        """Wait until so many slots are on disk."""
        self.app.wait_until(lambda: len(self.slots()) >= count, within_s)

    def slots(self) -> dict[tuple[str, str], bytes]:
        """Return all that is certain of steps."""
        rows = self._rows("runs.sqlite", "SELECT run, slot, data FROM steps")
        return {(str(run), str(slot)): bytes(data) for run, slot, data in rows}

    def outcomes(self) -> dict[tuple[str, str], bytes]:
        """Return what became of steps."""
        return {key: data for key, data in self.slots().items() if key[1].count(".") == 1}

    def runs(self) -> list[WorkflowRun]:
        """Return all runs of the test's workflow."""
        rows = self._rows("runs.sqlite", "SELECT run FROM runs WHERE workflow = 'chaos'")
        return [msgspec.json.decode(row[0], type=WorkflowRun) for row in rows]

    def open_runs(self) -> int:
        """Return how many runs are not over."""
        query = "SELECT count(*) FROM runs WHERE state IN ('running', 'waiting')"
        return int(next(iter(self._rows("runs.sqlite", query)))[0])

    def orders(self) -> Counter[str]:
        """Return how often each order was made, by its title."""
        rows = self._rows("backlog/orders.sqlite", "SELECT body FROM orders")
        return Counter(str(json.loads(row[0])["title"]) for row in rows)

    def commands_begun(self) -> Counter[str]:
        """Return how often the actuator began each command, by its own journal."""
        file = self.data / "checkpoints" / "actuator" / "1.journal.sqlite"
        return Counter(line.id for line in read_journal(file) if line.state is AckState.STARTED)

    def _rows(self, file: str, query: str) -> list[tuple[Any, ...]]:
        path = self.data / file
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()


def steps_of(outcomes: dict[tuple[str, str], bytes]) -> list[StepRun]:
    """Return outcomes read."""
    return [msgspec.json.decode(data, type=StepRun) for data in outcomes.values()]


def all_settled(steps: list[StepRun]) -> bool:
    """Tell whether no outcome is that of a step under way."""
    return all(step.state in SETTLED for step in steps)


def poll(condition: Callable[[], object], within_s: float) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: It did not in time.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(POLL_S)


def _runs(process: psutil.Process, word: str) -> bool:
    try:
        return word in process.cmdline() or word in Path(process.exe()).name
    except psutil.Error:
        return False

"""A real app with a workflow of its own, and what its files say of runs, orders and commands."""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

from agents.actuator.journal import read_journal
from app.core.command import AckState
from app.core.run import StepRun, WorkflowRun
from app.core.topics import TRIGGERS
from tests.mqtt_peer import peer
from tests.ports import free_port
from tests.quiet_zone import quiet_zone
from tests.running_app import RunningApp, start_app

POLL_S = 0.05
LONG_S = 120.0  # on a busy machine
PAUSE_S = 4.0  # between two commands of a wave, so that its last run lives through kills
FEW = 3  # open runs; with fewer it is time for the kill
AGAIN_S = 10.0  # until a run that is not on disk is asked for again
STEPS = ("order", "lookup", "pause", "change", "each", "said")
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


class Kill(NamedTuple):
    """One kill: who, and how many runs were under way."""

    victim: str
    open_runs: int


@dataclass
class Chaos:
    """The app under test.

    Attributes:
        data: Its data folder.
        app: The present life of the app.
        seen: Outcomes on disk at each kill, by run and slot.
        kills: All kills, in order.
        recovered_s: From each first answer of a new app to the first outcome after it, s; none
            where all was over before.
    """

    data: Path
    port: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)
    app: RunningApp = field(init=False)
    seen: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    kills: list[Kill] = field(default_factory=list[Kill])
    recovered_s: list[float] = field(default_factory=list[float])

    def prepare(self) -> None:
        """Write workflow and settings, and start the app."""
        (self.data / "workflows").mkdir(parents=True)
        (self.data / "workflows" / "chaos.toml").write_text(WORKFLOW)
        off = "".join(f"[agents.{name}]\nenabled = false\n" for name in OFF)
        site = f'[site]\ntimezone = "{quiet_zone()}"\n'
        (self.data / "settings.toml").write_text(site + off)
        self.start()

    def start(self) -> None:
        """Start the app, a further time on the same ports and data."""
        self.app = start_app(self.data, self.port, self.broker_port)

    async def begin(self, names: Sequence[str]) -> None:
        """Ask for runs over MQTT until each is on disk; an id that is known begins nothing anew.

        A message may be lost with a broker that was killed right after it took it.
        """
        deadline = time.monotonic() + LONG_S
        while missing := self._missing(names):
            assert time.monotonic() < deadline, f"runs not begun: {sorted(missing)}"
            with peer(self.broker_port, "chaos") as outside:
                await outside.connected()
                for place, name in enumerate(names):
                    if name in missing:
                        await outside.publish(TRIGGERS, _trigger(name, place))
            _poll(lambda: not self._missing(names), AGAIN_S)

    def _missing(self, names: Sequence[str]) -> set[str]:
        return set(names) - {run.id for run in self.runs()}

    def await_slots(self, count: int) -> None:
        """Wait until so many slots are on disk, or so little is left that a kill would miss it."""
        self.app.wait_until(lambda: len(self.slots()) >= count or self.open_runs() < FEW, LONG_S)

    def kill(self, victim: str) -> None:
        """Kill the app and start it anew, or a child process, which its parent starts anew."""
        self.kills.append(Kill(victim, self.open_runs()))
        if victim == "app":
            self._kill_app()
        else:
            self._kill_child(victim)

    def await_end(self) -> None:
        """Wait until all runs are over."""
        self.app.wait_until(lambda: self.open_runs() == 0, 2 * LONG_S)

    def _kill_app(self) -> None:
        family = self.app.family()
        self.app.process.kill()
        self.app.process.wait(10)
        psutil.wait_procs(family, timeout=LONG_S)
        self.seen |= self.outcomes()
        count = len(self.slots())
        self.start()
        self.app.wait_until(lambda: self.app.get("/healthz"), LONG_S)
        answered = time.monotonic()
        self.app.wait_until(lambda: len(self.slots()) > count or not self.open_runs(), LONG_S)
        if len(self.slots()) > count:
            self.recovered_s.append(time.monotonic() - answered)

    def _kill_child(self, word: str) -> None:
        self.seen |= self.outcomes()
        self.app.wait_until(lambda: self._children(word), LONG_S)  # it may be starting just now
        for each in self._children(word):
            each.kill()

    def _children(self, word: str) -> list[psutil.Process]:
        return [each for each in self.app.family() if _runs(each, word)]

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

    def commands(self, state: AckState) -> Counter[str]:
        """Return how often the actuator noted a state of each command, in its own journal."""
        file = self.data / "checkpoints" / "actuator" / "1.journal.sqlite"
        return Counter(line.id for line in read_journal(file) if line.state is state)

    def _rows(self, file: str, query: str) -> list[tuple[Any, ...]]:
        path = self.data / file
        if not path.exists():
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()


def steps_of(outcomes: dict[tuple[str, str], bytes]) -> dict[tuple[str, str], StepRun]:
    """Return outcomes read, by run and step."""
    read = [(run, msgspec.json.decode(data, type=StepRun)) for (run, _), data in outcomes.items()]
    return {(run, step.step): step for run, step in read}


def _trigger(name: str, place: int) -> bytes:
    tag, value = list(TAGS.items())[place % len(TAGS)]
    given = {"tag": tag, "value": value + place, "pause_s": place * PAUSE_S, "key": name[-1]}
    return msgspec.json.encode({"workflow": "chaos", "input": given, "id": name})


def _poll(condition: Callable[[], object], within_s: float) -> None:
    """Wait until a condition holds, but no longer than that."""
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(POLL_S)


def _runs(process: psutil.Process, word: str) -> bool:
    try:
        return word in process.cmdline() or word in Path(process.exe()).name
    except psutil.Error:
        return False

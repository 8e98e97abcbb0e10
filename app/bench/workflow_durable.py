"""Runs that end on disk a second, through the engine and as bare SQLite, in alternating blocks."""

import asyncio
import queue
import sqlite3
import statistics
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from typing_extensions import override

from app.clock import SystemClock
from app.core.run import OVER, StartedBy, StepRun, StepState, WorkflowRun
from app.core.workflow import ActionKind, Concurrency, Step, Workflow
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore
from app.workflow.context import Doer, Doing, Done, Fate
from app.workflow.engine import Engine

STEPS, MANY_STEPS = 5, 200
TARGET_RATIO = 0.5
ABREAST = 50
_BLOCK_S = 0.1  # short: the disk of a busy machine is not the same a second later
_PAIRS = 20
_ROUNDS = 5
SLOW_COMMIT_S = 0.003
"""What a commit takes beside its fsync where a disk is to look slower: about that of a SATA SSD
without a capacitor."""

_Row = tuple[str, str, bytes]
_Handed = tuple[_Row, asyncio.Future[None]]


class AtOnce(Doer):
    """Does every action at once."""

    @override
    async def do(self, kind: ActionKind, fields: dict[str, Any], doing: Doing) -> Done:
        """Return a small output."""
        return Done({"value": 42.5, "unit": "Cel"}, "bench/1")

    @override
    async def withdraw(self, kind: ActionKind, task_id: str) -> None:
        """Take nothing back: nobody is asked."""

    @override
    async def fate(self, kind: ActionKind, task_id: str) -> Fate | None:
        """Return that nothing is known."""
        return None


class Rig:
    """An engine on a store of its own, and who waits for its runs.

    Attributes:
        engine: The engine.
        failed: Runs that did not end as completed.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.failed = 0
        self._ends: dict[str, asyncio.Future[None]] = {}
        engine.on_change(self._changed)

    async def run(self, workflow: Workflow, number: int) -> None:
        """Carry out one run, from asking for it to its end on disk."""
        by = StartedBy("click", "bench")
        run_id = f"r{number:012}"
        ended = self._ends[run_id] = asyncio.get_running_loop().create_future()
        await self.engine.begin(workflow, "v1", {"number": number}, "", by, run_id=run_id)
        await ended

    def _changed(self, run: WorkflowRun, step: StepRun | None) -> None:
        if step is None and run.state in OVER:
            self.failed += run.state.value != "completed"
            self._ends.pop(run.id).set_result(None)


def chain(steps: int) -> Workflow:
    """Return a workflow of steps one behind the other."""
    return Workflow(
        name="bench",
        steps=tuple(
            Step(
                id=f"s{number}",
                do=ActionKind.TASK,
                needs=(f"s{number - 1}",) if number else (),
                with_={"capability": "nothing"},
            )
            for number in range(steps)
        ),
        runs=Concurrency(max=2 * ABREAST),
    )


class SlowDatabase(Database):
    """SQLite that takes `more_s` longer for each commit."""

    def __init__(self, file: Path, more_s: float) -> None:
        super().__init__(f"sqlite:///{file}", METADATA, "Workflows")
        self._more_s = more_s

    @override
    @contextmanager
    def begin_on(self, connection: sa.Connection) -> Generator[sa.Connection]:
        """Open a transaction to write, and wait before it is committed."""
        with super().begin_on(connection) as begun:
            yield begun
            if self._more_s:
                time.sleep(self._more_s)


@asynccontextmanager
async def rig(folder: Path, more_s: float = 0.0) -> AsyncGenerator[Rig]:
    """Run an engine on SQLite in `folder`."""
    store = RunStore(SlowDatabase(folder / "runs.sqlite", more_s))
    await store.open()
    engine = Engine(store=store, owner="bench", clock=SystemClock(), functions={})
    engine.use(AtOnce())
    try:
        yield Rig(engine)
    finally:
        await engine.stop()
        await store.close()


async def measure(folder: Path, seconds: float) -> dict[str, object]:
    """Return runs a second one after the other and 50 abreast, each beside bare SQLite."""
    await asyncio.to_thread(folder.mkdir)
    async with rig(folder) as running:
        bare = Bare(folder / "bare.sqlite")
        try:
            single = await _compare(running, bare, 1, seconds / 2)
            abreast = await _compare(running, bare, ABREAST, seconds / 2)
        finally:
            bare.close()
        many = await _many_steps(running)
        handed_over = await _handed_over(folder, seconds / 4)
    slower = await _on_a_slower_disk(folder / "slower", seconds / 4)
    return {
        "target_ratio": TARGET_RATIO,
        "steps": STEPS,
        "one_after_the_other": single,
        f"{ABREAST}_abreast": abreast,
        f"one_with_{1000 * SLOW_COMMIT_S:g}_ms_more_a_commit": slower,
        "handed_over": handed_over,
        "many_steps": many,
        "failed": running.failed,
    }


class Bare:
    """SQLite alone: one row and one fsync a step, and `more_s` to each commit."""

    def __init__(self, file: Path, more_s: float = 0.0) -> None:
        self._more_s = more_s
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE steps (run TEXT, slot TEXT, data BLOB, PRIMARY KEY (run, slot))"
        )
        self._runs = 0

    def run(self) -> None:
        """Write what a run of STEPS steps leaves behind."""
        self._runs += 1
        for number in range(STEPS):
            self.write(_row(self._runs, number))

    def write(self, row: _Row) -> None:
        """Write one row."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO steps VALUES (?, ?, ?)", row)
        if self._more_s:
            time.sleep(self._more_s)
        self._connection.execute("COMMIT")

    def rate(self, seconds: float) -> float:
        """Return runs a second."""
        began, runs = time.perf_counter(), 0
        while (took := time.perf_counter() - began) < seconds:
            self.run()
            runs += 1
        return runs / took

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _row(run: int, number: int) -> _Row:
    now = SystemClock().now()
    settled = StepRun(
        step=f"s{number}",
        state=StepState.DONE,
        input={"capability": "nothing"},
        output={"value": 42.5, "unit": "Cel"},
        agent="bench/1",
        attempts=1,
        started_at=now,
        ended_at=now,
    )
    return f"r{run:012}", f"s{number}.1", msgspec.json.encode(settled)


async def _on_a_slower_disk(folder: Path, seconds: float) -> dict[str, object]:
    """Return the same for one run after the other where each commit of both takes longer."""
    await asyncio.to_thread(folder.mkdir)
    bare = Bare(folder / "bare.sqlite", SLOW_COMMIT_S)
    try:
        async with rig(folder, SLOW_COMMIT_S) as running:
            return await _compare(running, bare, 1, seconds) | {"failed": running.failed}
    finally:
        bare.close()


async def _handed_over(folder: Path, seconds: float) -> dict[str, object]:
    """Return what remains of bare SQLite if a thread of its own writes, and nothing else is done.

    An event loop that others wait for must not wait for a disk, so a commit is handed to a thread
    and its end back. A run of STEPS steps is STEPS + 1 of them in turn: its beginning is one.
    """
    bare = Bare(folder / "handed.sqlite")
    rows, loop = queue.SimpleQueue[_Handed | None](), asyncio.get_running_loop()

    def write_for_ever() -> None:
        while (item := rows.get()) is not None:
            bare.write(item[0])
            loop.call_soon_threadsafe(item[1].set_result, None)

    async def rate(duration_s: float) -> float:
        began, runs = time.perf_counter(), 0
        while (took := time.perf_counter() - began) < duration_s:
            runs += 1
            run = time.perf_counter_ns()
            for number in range(STEPS + 1):
                done = loop.create_future()
                rows.put((_row(run, number), done))
                await done
        return runs / took

    thread = threading.Thread(target=write_for_ever, name="bare writer", daemon=True)
    thread.start()
    ratios: list[float] = []
    deadline = time.monotonic() + seconds
    try:
        while len(ratios) < _PAIRS or time.monotonic() < deadline:
            handed = await rate(_BLOCK_S)
            ratios.append(handed / await asyncio.to_thread(bare.rate, _BLOCK_S))
    finally:
        rows.put(None)
        await asyncio.to_thread(thread.join)
        bare.close()
    return {"pairs": len(ratios), "ratio": round(statistics.median(ratios), 2)}


async def _compare(running: Rig, bare: Bare, abreast: int, seconds: float) -> dict[str, object]:
    # Alternating, so that a neighbour's load falls on both.
    workflow = chain(STEPS)
    engine: list[float] = []
    sqlite: list[float] = []
    await _rate(running, workflow, abreast, _BLOCK_S)  # what is done once is no part of it
    deadline, cpu_s, runs = time.monotonic() + seconds, 0.0, 0.0
    while len(engine) < _PAIRS or time.monotonic() < deadline:
        sqlite.append(await asyncio.to_thread(bare.rate, _BLOCK_S))
        began, began_cpu = time.perf_counter(), time.process_time()
        engine.append(await _rate(running, workflow, abreast, _BLOCK_S))
        cpu_s += time.process_time() - began_cpu
        runs += engine[-1] * (time.perf_counter() - began)
    ratios = [ours / theirs for ours, theirs in zip(engine, sqlite, strict=True)]
    return {
        "pairs": len(ratios),
        "runs_per_s": round(statistics.median(engine)),
        "bare_sqlite_runs_per_s": round(statistics.median(sqlite)),
        "ratio": round(statistics.median(ratios), 2),
        "cpu_ms_a_run": round(1000 * cpu_s / runs, 2),
    }


async def _rate(running: Rig, workflow: Workflow, abreast: int, seconds: float) -> float:
    began, done = time.perf_counter(), 0

    async def keep_going() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await running.run(workflow, time.perf_counter_ns())
            done += 1

    async with asyncio.TaskGroup() as group:
        for number in range(abreast):
            group.create_task(keep_going(), name=f"runs {number}")
    return done / (time.perf_counter() - began)


async def _many_steps(running: Rig) -> dict[str, object]:
    """Return what a step costs in a long run and in a short one; it should be the same."""
    short, long = chain(STEPS), chain(MANY_STEPS)
    of_short: list[float] = []
    of_long: list[float] = []
    for _ in range(_ROUNDS):
        of_short.append(await _step_ms(running, short, MANY_STEPS // STEPS))
        of_long.append(await _step_ms(running, long, 1))
    return {
        "steps": MANY_STEPS,
        "ms_a_step": round(statistics.median(of_long), 3),
        f"ms_a_step_of_{STEPS}": round(statistics.median(of_short), 3),
    }


async def _step_ms(running: Rig, workflow: Workflow, runs: int) -> float:
    began = time.perf_counter()
    for _ in range(runs):
        await running.run(workflow, time.perf_counter_ns())
    return 1000 * (time.perf_counter() - began) / (runs * len(workflow.steps))

"""The live page beside runs: how late values reach a tab while 50 runs go on all the time."""

import asyncio
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from app.bench.app_process import AppProcess, app_process
from app.bench.live_load import STAMP, Source, demo_tags, spread, watch
from app.bench.workflow_app import Starter, write_definitions

RUNS = 50
TABS, TAGS = 30, 200
TARGET_MS = 300
_SETTLE_S = 5.0


async def measure(seconds: float) -> dict[str, object]:
    """Return source to socket of 30 tabs, in ms, without runs and with 50 kept going."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        write_definitions(data)
        with app_process(data=data) as running, Source(running.broker_port, []):
            await asyncio.sleep(_SETTLE_S)
            tags = [STAMP, *demo_tags(running.url, TAGS - 1)]
            quiet = await _watched(running, tags, seconds)
            with Starter(running) as starter:
                ended = _keep_going(starter)
                await asyncio.sleep(_SETTLE_S)
                before = len(ended)
                busy = await _watched(running, tags, seconds)
                done = len(ended) - before
                starter.ended = ended.append  # no run takes the place of one that ends
    return {
        "target_p95_ms": TARGET_MS,
        "tabs": TABS,
        "tags": TAGS,
        "without_runs": quiet,
        f"with_{RUNS}_runs": {**busy, "runs_ended": done},
        "load_average": psutil.getloadavg()[0],
    }


def _keep_going(starter: Starter) -> list[str]:
    """Begin RUNS runs, and another one whenever one ends; return those that have ended."""
    numbers, ended = itertools.count(), list[str]()

    def begin() -> None:
        starter.send("bench_ask", f"bench-ask-{next(numbers)}")

    def another(run_id: str) -> None:
        ended.append(run_id)
        begin()

    starter.ended = another
    for _ in range(RUNS):
        begin()
    return ended


async def _watched(running: AppProcess, tags: Sequence[str], seconds: float) -> dict[str, object]:
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = [
            group.create_task(watch(running.url, tags, ready, seconds)) for _ in range(TABS)
        ]
        await asyncio.sleep(_SETTLE_S)
        ready.set()
        before = running.process.cpu_times()
    after = running.process.cpu_times()
    busy_s = after.user + after.system - before.user - before.system
    return {
        "server_cpu_percent": round(100 * busy_s / seconds, 1),
        "source_to_socket_ms": spread(
            [ms for each in watching for ms in each.result().latencies_ms]
        ),
    }

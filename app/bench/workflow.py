"""Workflows: durable runs, round trips of tasks, recovery, and the live page beside runs."""

import asyncio
import tempfile
from pathlib import Path

import psutil

from app.bench import workflow_dispatch, workflow_durable, workflow_live, workflow_recovery


async def bench_workflow(seconds: float = 20.0) -> dict[str, object]:
    """Measure each part over `seconds`, beside its bare rival where it has one.

    Raises:
        MillwrightError: Something that is needed does not start, or does not answer.
    """
    load = psutil.getloadavg()[0]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        durable = await workflow_durable.measure(Path(folder) / "durable", seconds)
        dispatch = await workflow_dispatch.measure(Path(folder) / "dispatch", seconds)
    recovery = await asyncio.to_thread(workflow_recovery.measure)
    live = await workflow_live.measure(seconds)
    return {
        "seconds": seconds,
        "load_average": round(load, 1),
        "durable": durable,
        "dispatch": dispatch,
        "recovery": recovery,
        "live": live,
        "load_average_at_the_end": round(psutil.getloadavg()[0], 1),
    }

"""The whole demo, unattended: memory and CPU of app, broker and agents together."""

import asyncio
import sys

import psutil

from app.bench.app_process import app_process

SETTLE_S = 20.0


async def bench_demo(seconds: float = 60.0) -> dict[str, object]:
    """Run the demo and measure it for `seconds` after it has settled.

    Returns:
        CPU in percent of one core; memory in MB, resident (RSS) and proportional (PSS, where
        pages shared between processes count once).
    """
    with app_process() as running:
        await asyncio.sleep(SETTLE_S)
        family = running.family()
        before = {process.pid: _cpu_s(process) for process in family}
        await asyncio.sleep(seconds)
        parts = [
            {
                "process": _title(process),
                "cpu_percent": round(100 * (_cpu_s(process) - before[process.pid]) / seconds, 2),
                "rss_mb": round(process.memory_info().rss / 1e6, 1),
                "pss_mb": round(_pss(process) / 1e6, 1),
            }
            for process in family
            if process.is_running()
        ]
    return {
        "seconds": seconds,
        "first_values_s": round(running.first_values_s, 2),
        "cpu_percent_of_one_core": round(sum(float(str(p["cpu_percent"])) for p in parts), 1),
        "rss_mb": round(sum(float(str(p["rss_mb"])) for p in parts), 1),
        "pss_mb": round(sum(float(str(p["pss_mb"])) for p in parts), 1),
        "processes": parts,
    }


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _pss(process: psutil.Process) -> int:
    if not sys.platform.startswith("linux"):
        return int(process.memory_info().rss)
    return int(process.memory_full_info().pss)


def _title(process: psutil.Process) -> str:
    line = process.cmdline()
    return " ".join(line[line.index("agent") :]) if "agent" in line else process.name()

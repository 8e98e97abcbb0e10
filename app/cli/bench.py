"""`millwright bench`: the product's own benchmarks, JSON out, ratios within one run."""

import asyncio
import importlib
import sys
from typing import NamedTuple

import msgspec

from app.command_parser import command_parser, positive_number
from app.extras import BENCH, need_extra


class Benchmark(NamedTuple):
    """Where a benchmark lives, what it measures and whether it needs the extra `bench`."""

    module: str
    function: str
    measures: str
    needs_extra: bool = False


BENCHMARKS = {
    "demo": Benchmark("app.bench.demo", "bench_demo", "CPU and memory of the app as it starts"),
    "history": Benchmark("app.bench.history", "bench_history", "readings stored, range queries"),
    "live": Benchmark("app.bench.live", "bench_live", "values to 30 tabs and a browser", True),
    "mqtt": Benchmark("app.bench.mqtt", "bench_mqtt", "messages through the bus and bare paho"),
    "workflow": Benchmark("app.bench.workflow", "bench_workflow", "runs, tasks, recovery, load"),
}


def main(argv: list[str]) -> int:
    """Run one benchmark and print its result."""
    rows = "".join(f"\n  {name:8} {each.measures}" for name, each in BENCHMARKS.items())
    parser = command_parser(
        "millwright bench",
        f"Measure one part of the product on this machine; JSON out.\n{rows}",
        "millwright bench demo",
        "uv run --extra bench millwright bench live --seconds 20",
    )
    parser.add_argument("name", metavar="NAME", choices=sorted(BENCHMARKS), help="what to measure")
    parser.add_argument(
        "--seconds", type=positive_number(3600), help="length of the measured part, s"
    )
    parser.add_argument("--json", action="store_true", help="JSON out (it always is)")
    arguments = parser.parse_args(argv)
    chosen = BENCHMARKS[arguments.name]
    if chosen.needs_extra:
        need_extra(BENCH, f"millwright bench {arguments.name}")
    bench = getattr(importlib.import_module(chosen.module), chosen.function)
    options = {} if arguments.seconds is None else {"seconds": arguments.seconds}
    result = asyncio.run(bench(**options))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n")
    return 0

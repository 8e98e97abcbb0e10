"""`millwright bench`: the product's own benchmarks, JSON out, ratios within one run."""

import argparse
import asyncio
import importlib
import sys

import msgspec

BENCHMARKS = {
    "mqtt": ("app.bench.mqtt", "bench_mqtt"),
    "live": ("app.bench.live", "bench_live"),
    "demo": ("app.bench.demo", "bench_demo"),
    "history": ("app.bench.history", "bench_history"),
}


def main(argv: list[str]) -> int:
    """Run one benchmark and print its result."""
    parser = argparse.ArgumentParser(prog="millwright bench", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument("--seconds", type=float, help="length of the measured part, s")
    arguments = parser.parse_args(argv)
    module, function = BENCHMARKS[arguments.name]
    bench = getattr(importlib.import_module(module), function)
    options = {} if arguments.seconds is None else {"seconds": arguments.seconds}
    result = asyncio.run(bench(**options))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n")
    return 0

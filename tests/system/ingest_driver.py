"""The app's ingest alone, as a process that a test kills: Bus, IngestService and Historian.

Prints "ready" when its store is open and it is subscribed, then "stored N" after each commit.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from app.bus.client import Bus
from app.clock import SystemClock
from app.core.reading import Reading
from app.ingest.service import IngestService
from app.settings import SHIPPED, load_settings
from app.store.history import Historian


async def run(broker_url: str, data: Path, client_id: str) -> None:
    overrides = {"broker": {"url": broker_url}, "data": {"dir": data}}
    settings = load_settings(SHIPPED, overrides)
    clock = SystemClock()
    historian = Historian(settings.history, data, clock)
    bus = Bus(settings, client_id, clock, persistent=True)

    def accept(_readings: Sequence[Reading]) -> None:
        print(f"stored {service.stored}", flush=True)  # noqa: T201  the test reads it

    service = IngestService(settings, bus, historian, clock, accept=accept)
    await historian.start()
    await historian.append([])  # returns when the store is open
    service.start()
    await bus.start()
    await bus.wait_connected(20)
    print("ready", flush=True)  # noqa: T201
    try:
        await asyncio.Event().wait()
    finally:
        await bus.stop()
        await historian.stop()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))

"""Appends numbered batches for ever and prints each number when its commit returned.

Arguments: data folder, first number, rows a batch. Rolls often, so that kills hit rolls too.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.clock import SystemClock
from app.core.reading import Quality, Reading
from app.settings import HistorySettings
from app.store.history import Historian

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = [f"site/area/line/unit/tag{number}" for number in range(5)]


def batch(number: int, rows: int) -> list[Reading]:
    """Return the readings of a batch; every 37 batches begin another hour."""
    at = BEGIN + timedelta(minutes=number * 97)
    return [
        Reading(
            TAGS[row % len(TAGS)], float(row), Quality.GOOD, at + timedelta(milliseconds=row), at
        )
        for row in range(rows)
    ]


async def run(data: Path, first: int, rows: int) -> None:
    settings = HistorySettings(roll_s=1)
    historian = Historian(settings, data, SystemClock())
    await historian.start()
    number = first
    while True:
        await historian.append(batch(number, rows))
        print(number, flush=True)  # noqa: T201  the test reads it
        number += 1


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))

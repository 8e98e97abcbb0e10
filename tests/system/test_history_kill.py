"""kill -9 of a process that appends: every acknowledged batch is there, none twice."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.settings import HistorySettings
from app.store.history import Historian
from app.store.series import to_us
from tests.system.append_driver import TAGS, batch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROWS = 50


def append_until_killed(data: Path, first: int, seed: random.Random) -> int:
    """Run the driver, kill it at a random moment, return the last number it printed."""
    command = [sys.executable, "-m", "tests.system.append_driver", str(data), str(first), str(ROWS)]
    acknowledged, later_s = seed.randint(1, 20), seed.uniform(0, 0.15)
    last = first - 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            last = int(line)
            if last - first + 1 == acknowledged:
                threading.Timer(later_s, process.kill).start()
    return last


async def test_no_acknowledged_batch_is_lost_or_doubled_by_six_kills(tmp_path: Path):
    data, seed = tmp_path / "data", random.Random(7)  # noqa: S311  any moments will do
    last = -1
    for _ in range(6):
        last = append_until_killed(data, last + 1, seed)
    wanted = {
        (reading.tag, to_us(reading.source_time), reading.value)
        for number in range(last + 1)
        for reading in batch(number, ROWS)
    }
    historian = Historian(HistorySettings(), data, SystemClock())
    await historian.start()
    try:
        table = await historian.export(TAGS, batch(0, 1)[0].source_time, SystemClock().now())
    finally:
        await historian.stop()
    found = [(row["tag"], to_us(row["source_time"]), row["value"]) for row in table.to_pylist()]
    assert len(found) == len(set(found))
    assert wanted - set(found) == set()
    # The batch under way at the last kill may be there too; nothing else is.
    extra = {(tag, time) for tag, time, _ in set(found) - wanted}
    under_way = {(each.tag, to_us(each.source_time)) for each in batch(last + 1, ROWS)}
    assert extra <= under_way

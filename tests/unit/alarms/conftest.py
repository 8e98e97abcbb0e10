"""What the tests of the alarm service share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.settings import AlarmSettings
from tests.unit.alarms.desk import START, Desk


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
async def desk(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    made = Desk(tmp_path, clock, AlarmSettings())
    await made.service.start()
    yield made
    await made.service.stop()
    made.journal.close()

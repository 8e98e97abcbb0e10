"""Endless loops live on, and say so once."""

import asyncio
import logging

import pytest

from app.clock import ManualClock
from app.loops import repeat
from tests.unit.store.plant_readings import START


class Step:
    """Fails at the calls it is told to."""

    def __init__(self, clock: ManualClock, failing: set[int]) -> None:
        self.clock = clock
        self.failing = failing
        self.called_at: list[float] = []

    async def __call__(self) -> None:
        self.called_at.append(self.clock.monotonic())
        if len(self.called_at) in self.failing:
            raise ZeroDivisionError(f"call {len(self.called_at)}")


async def test_a_step_that_fails_is_repeated_more_seldom_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = ManualClock(START)
    step = Step(clock, failing={2, 3, 4, 5, 6, 7})
    task = asyncio.create_task(repeat(step, clock, 1.0, "plant tick"))
    await clock.advance(0)
    for _ in range(40):
        await clock.advance(1.0)
    task.cancel()
    assert step.called_at[:10] == [0, 1, 2, 4, 8, 16, 26, 36, 37, 38]
    traced = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert traced == ["call 2"]
    assert "plant tick works again after 6 failures" in caplog.text

"""The tick of the simulator keeps time, and skips what it missed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from agents.simulator.agent import SimulatorAgent
from app.clock import ManualClock
from app.settings import Settings


class StallingClock(ManualClock):
    """A manual clock that can jump ahead without waking anyone, as a stalled computer does."""

    stalled_s = 0.0

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.stalled_s)

    @override
    def monotonic(self) -> float:
        return super().monotonic() + self.stalled_s


@asynccontextmanager
async def ticking(settings: Settings) -> AsyncGenerator[tuple[SimulatorAgent, StallingClock]]:
    clock = StallingClock(datetime(2026, 11, 18, 8, 0, tzinfo=UTC))
    agent = SimulatorAgent(settings, clock)
    running = asyncio.create_task(agent.run())
    await asyncio.sleep(0)
    try:
        yield agent, clock
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_one_tick_a_second_and_no_drift(settings: Settings) -> None:
    async with ticking(settings) as (agent, clock):
        await clock.advance(60.0)
        assert agent.beat().progress == 61
        assert agent.plant.now == clock.now()


async def test_a_stall_is_skipped_and_not_made_up_for_in_a_burst(settings: Settings) -> None:
    async with ticking(settings) as (agent, clock):
        await clock.advance(3.0)
        before = agent.beat().progress
        clock.stalled_s = 7.5
        await clock.advance(2.0)
        assert agent.beat().progress - before == 2
        assert agent.beat().note == "0 scenarios run, 7 ticks skipped"
        assert clock.now() - agent.plant.now < timedelta(seconds=1)


async def test_a_clock_set_back_does_not_stop_the_plant(settings: Settings) -> None:
    async with ticking(settings) as (agent, clock):
        agent.plant.start_scenario("riverside/utilities/cooling/pump-101", "imbalance", 0.5)
        clock.stalled_s = -3600.0
        before = agent.beat().progress
        await clock.advance(0.5)
        clock.stalled_s = 0.0
        await clock.advance(3.0)
        assert agent.beat().progress > before

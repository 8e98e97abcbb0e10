"""A plant over a real broker, with the real simulator beside it in the same event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agents.simulator.agent import SimulatorAgent
from app.clock import SystemClock
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually

PUMP = "riverside/utilities/cooling/pump-101"


@asynccontextmanager
async def bare_plant(connected: Settings) -> AsyncGenerator[Plant]:
    """Run a plant without agents of its own."""
    plant = Plant(connected.model_copy(update={"agents": {}}), SystemClock())
    await plant.start()
    try:
        yield plant
    finally:
        await plant.stop()


@asynccontextmanager
async def simulated_plant(connected: Settings) -> AsyncGenerator[Plant]:
    """Run a plant that has heard of a simulator."""
    stopping = asyncio.Event()
    async with bare_plant(connected) as plant, asyncio.TaskGroup() as group:
        agent = SimulatorAgent(plant.settings, SystemClock())
        group.create_task(agent.serve(stopping))
        try:
            await eventually(lambda: any(row.connected for row in plant.agents()))
            yield plant
        finally:
            stopping.set()

"""A plant over a real broker, with the real simulator beside it in the same event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

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
async def plant_at(data: Path, broker_url: str, **sections: object) -> AsyncGenerator[Plant]:
    """Run a bare plant with its data in a folder, connected to a broker."""
    values = {"data": {"dir": data}, "broker": {"url": broker_url}, "demo": {"enabled": False}}
    async with bare_plant(Settings.model_validate({**values, **sections})) as plant:
        await plant.bus.wait_connected(10)
        await plant.durable_bus.wait_connected(10)
        yield plant


@asynccontextmanager
async def simulated_plant(connected: Settings) -> AsyncGenerator[Plant]:
    """Run a plant that has heard of a simulator."""
    async with bare_plant(connected) as plant, simulating(plant):
        yield plant


@asynccontextmanager
async def simulating(plant: Plant) -> AsyncGenerator[SimulatorAgent]:
    """Run the simulator; the plant has heard of it."""
    stopping = asyncio.Event()
    agent = SimulatorAgent(plant.settings, SystemClock())
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.serve(stopping))
        try:
            await eventually(lambda: any(row.connected for row in plant.agents()))
            yield agent
        finally:
            stopping.set()

"""A plant over a real broker, with real agents beside it in the same event loop."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from agents.base.agent import BaseAgent
from app.clock import SystemClock
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.plan import ActionPlan, PlanItem
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually
from tests.simulated_plant import PUMP, bare_plant


@asynccontextmanager
async def plant_with(
    connected: Settings, *agents: type[BaseAgent], pump: str = PUMP
) -> AsyncGenerator[Plant]:
    """Run a plant that knows a pump and has heard of these agents."""
    async with bare_plant(connected) as plant:
        plant.intake.declare(Equipment(path=pump, name="Cooling pump P-101"))
        async with at_work(plant, *agents):
            yield plant


@asynccontextmanager
async def at_work(
    plant: Plant, *agents: type[BaseAgent], clock: Clock | None = None
) -> AsyncGenerator[None]:
    """Run agents until the plant has heard of them; on leaving it has heard of their end."""
    stopping, time = asyncio.Event(), clock or SystemClock()
    names = {kind.spec.name for kind in agents}

    def heard() -> set[str]:
        return names & {row.name for row in plant.agents() if row.connected}

    async with asyncio.TaskGroup() as group:
        for kind in agents:
            group.create_task(kind(plant.settings, time).serve(stopping))
        try:
            await eventually(lambda: heard() == names)
            yield
        finally:
            stopping.set()
    await eventually(lambda: not heard())


def plan_of(plant: Plant, *items: PlanItem, hidden: int = 0, flood: bool = False) -> ActionPlan:
    """Return a plan made just now."""
    return ActionPlan(plant.clock.now(), "", items, hidden, flood, "Made by rules")

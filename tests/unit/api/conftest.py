"""A plant without broker and agents, and its HTTP API."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import httpx
import pytest

from app.clock import ManualClock
from app.core.agent import AgentSpec, AgentState, AgentStatus
from app.core.equipment import Equipment, EquipmentKind, Limits, Tag
from app.core.reading import Quality, Reading
from app.plant import Plant
from app.settings import Settings
from app.store.history import Historian
from tests.unit.api.flows import client_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/p-102"
PRESSURE = f"{UNIT}/pressure"
IDLE = f"{UNIT}/idle"


def pump() -> Equipment:
    pressure = Tag(
        path=PRESSURE,
        description="Discharge pressure",
        unit="bar",
        high=10,
        limits=Limits(high=8.0),
    )
    return Equipment(
        path=UNIT, name="Cooling pump P-102", kind=EquipmentKind.MOTOR_PUMP,
        tags=(pressure, Tag(path=IDLE)),
    )  # fmt: skip


def reading(value: float | None, at: datetime = NOW, quality: Quality = Quality.GOOD) -> Reading:
    return Reading(PRESSURE, value, quality, at, at)


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the plant; it stands at NOW."""
    return ManualClock(NOW)


@pytest.fixture
async def plant(settings: Settings, clock: ManualClock) -> AsyncGenerator[Plant]:
    """A plant with open journals, one pump and one agent that was heard; nothing else runs."""
    made = Plant(settings, clock)
    settings.data.dir.mkdir(parents=True)
    made.audit.open()
    made.journal.open()
    await made.alarms.start()
    made.tags.declare(pump())
    made.tags.apply([reading(4.2)])
    spec = AgentSpec(
        "maintenance", "Predicts failures", capabilities=("predict_failure",), aliases=("pm",)
    )
    made.registry.birth(AgentStatus(spec, "1", AgentState.RUNNING, NOW, 1, "here"))
    try:
        yield made
    finally:
        await made.alarms.stop()
        made.journal.close()
        made.audit.close()


@pytest.fixture
async def history(plant: Plant) -> AsyncGenerator[Historian]:
    """The plant's historian, open; only tests that read it wait for LanceDB."""
    await plant.historian.start()
    await plant.historian.counts()
    yield plant.historian
    await plant.historian.stop()


@pytest.fixture
async def client(plant: Plant) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the plant's API, whatever plant the module makes."""
    async with client_of(plant) as made:
        yield made

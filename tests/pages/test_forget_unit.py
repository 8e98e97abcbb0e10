"""A unit is forgotten on its page: offered when it is silent, asked, and then gone."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from nicegui.testing import User

from app.clock import SystemClock
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading
from app.plant import Plant
from app.settings import Settings
from pages import overview, unit
from tests.processes import eventually

UNIT = "factory/floor/line/mistake"
PRESS = Equipment(UNIT, "Press 7", tags=(Tag(f"{UNIT}/force"),))
WORDS = "Forget this unit"


@pytest.fixture
async def plant(connected_settings: Settings, user: User) -> AsyncGenerator[Plant]:
    plant = Plant(connected_settings, SystemClock())
    await asyncio.to_thread(plant.audit.open)
    await asyncio.to_thread(plant.assets.open)
    await plant.bus.start()
    plant.tags.declare(PRESS)
    for page in (overview, unit):
        page.create(plant)
    yield plant
    await plant.bus.stop()
    plant.assets.close()
    plant.audit.close()


async def test_a_unit_that_sends_is_not_offered(plant: Plant, user: User):
    now = datetime.now(UTC)
    plant.tags.apply([Reading(f"{UNIT}/force", 1.0, Quality.GOOD, now, now)])
    await user.open(f"/units/{UNIT}")
    await user.should_not_see(WORDS)


async def test_a_silent_unit_is_forgotten_after_the_consequence_was_told(plant: Plant, user: User):
    old = datetime.now(UTC) - timedelta(hours=1)
    plant.tags.apply([Reading(f"{UNIT}/force", 1.0, Quality.GOOD, old, old)])
    await plant.bus.wait_connected(10)
    await user.open(f"/units/{UNIT}")
    user.find(WORDS).click()
    await user.should_see("Forget Press 7?")
    await user.should_see("History and journals stay")
    assert plant.tags.unit(UNIT)
    user.find("Forget it").click()
    await eventually(lambda: plant.tags.unit(UNIT) is None)
    await eventually(lambda: [row.action for row in plant.audit_rows(5)] == ["forget unit"])


async def test_a_refusal_is_told_and_the_unit_stays(plant: Plant, user: User):
    await user.open(f"/units/{UNIT}")
    await plant.bus.stop()
    user.find(WORDS).click()
    await user.should_see("Forget Press 7?")
    user.find("Forget it").click()
    await user.should_see("while the broker is away")
    assert plant.tags.unit(UNIT) == PRESS

"""A run that begins just after the app, before the plant has spoken."""

from app.core.actor import Actor
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading
from app.settings import Settings
from tests.unit.api.flows import asking, ended, working_plant

ANN = Actor("ann", "ui")
UNIT = "riverside/building/hall/hvac-801"
ROOM = f"{UNIT}/room_temperature"
UNTIL_GOOD = f"""
name = "until_good"

[[steps]]
id = "measure"
do = "wait"
timeout_s = 60
[steps.with]
until = "is_good('{ROOM}')"
"""


async def test_a_wait_for_a_good_value_waits_for_the_first_one(settings: Settings):
    async with working_plant(settings) as plant:
        await plant.save_workflow("until_good", UNTIL_GOOD, ANN)
        run = await plant.start_workflow("until_good", {}, ANN)
        await asking(plant, run.id)
        now = plant.clock.now()
        plant.tags.declare(Equipment(UNIT, "Hall", tags=(Tag(path=ROOM, stale_after_s=3600),)))
        plant.tags.apply([Reading(ROOM, 21.0, Quality.GOOD, now, now)])

        assert await ended(plant, run.id) == "completed"

"""A step that waits until a time or a condition that an input names."""

from datetime import timedelta

from app.core.actor import Actor
from app.settings import Settings
from tests.unit.api.flows import ended, working_plant

ANN = Actor("ann", "ui")
UNTIL = """
name = "until"

[inputs.until]
required = true

[[steps]]
id = "pause"
do = "wait"
timeout_s = 60
with = { until = "${input.until}" }
"""


async def test_a_wait_lasts_until_the_time_that_an_input_names(settings: Settings):
    async with working_plant(settings) as plant:
        await plant.save_workflow("until", UNTIL, ANN)
        due = plant.clock.now() + timedelta(seconds=0.5)
        run = await plant.start_workflow("until", {"until": due.isoformat()}, ANN)
        assert await ended(plant, run.id) == "completed"
        assert plant.clock.now() >= due
        assert (await plant.workflows.run(run.id)).steps[0].output["reached"] is True


async def test_a_time_that_is_past_does_not_wait(settings: Settings):
    async with working_plant(settings) as plant:
        await plant.save_workflow("until", UNTIL, ANN)
        run = await plant.start_workflow("until", {"until": "2026-01-01T00:00:00+00:00"}, ANN)
        assert await ended(plant, run.id) == "completed"


async def test_a_text_that_is_no_time_fails_the_step(settings: Settings):
    async with working_plant(settings) as plant:
        await plant.save_workflow("until", UNTIL, ANN)
        run = await plant.start_workflow("until", {"until": "tomorrow"}, ANN)
        assert await ended(plant, run.id) == "failed"
        reason = (await plant.workflows.run(run.id)).reason
        assert 'until: gives "tomorrow", which is neither a condition nor a time' in reason

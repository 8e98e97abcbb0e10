"""A database that takes questions and does not answer: Health tells, and all goes on afterwards."""

import asyncio

import psycopg
import pytest

from app.core.actor import Actor
from app.core.health import Health
from app.settings import Settings, WorkflowSettings
from app.workflow.status import SILENT_S
from tests.processes import eventually
from tests.unit.api.flows import working_plant

ANN = Actor("ann", "ui")
FLOW = 'name = "pause"\n[[steps]]\nid = "pause"\ndo = "wait"\nwith.seconds = 0.1\n'

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


async def test_a_database_that_does_not_answer_is_told_until_it_does(
    settings: Settings, postgres_url: str
) -> None:
    shared = settings.model_copy(update={"workflow": WorkflowSettings(url=postgres_url)})
    async with working_plant(shared) as plant:
        await plant.save_workflow("pause", FLOW, ANN)
        await plant.workflows.tick()
        with psycopg.connect(postgres_url) as other:
            other.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
            look = asyncio.create_task(plant.workflows.tick())
            asked = asyncio.create_task(plant.start_workflow("pause", {}, ANN))
            await eventually(lambda: plant.workflows.status.state is Health.FAILED, SILENT_S * 3)
            told = plant.workflows.status.reason
        await look
        run = await asked
        found = await plant.workflows.run(run.id)
        later = plant.workflows.status.state

    assert "does not answer" in told
    assert found.id == run.id
    assert later is not Health.FAILED

"""What Health says of the workflows once their store takes writes again."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.core.actor import Actor
from app.core.errors import StoreError
from app.core.health import Health
from app.settings import Settings
from tests.unit.api.flows import working_plant

ANN = Actor("ann", "ui")
FLOW = 'name = "pause"\n[[steps]]\nid = "pause"\ndo = "wait"\nwith.seconds = 0.1\n'


def rename(folder: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(folder / "runs.sqlite", timeout=10)) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


async def test_a_store_that_can_be_written_again_is_well_though_nobody_starts_a_run(
    settings: Settings,
) -> None:
    async with working_plant(settings) as plant:
        await plant.save_workflow("pause", FLOW, ANN)
        await plant.workflows.tick()  # the first one deletes old runs, which is a write
        rename(settings.data.dir, "runs", "away")
        with pytest.raises(StoreError):
            await plant.start_workflow("pause", {}, ANN)
        failed = plant.workflows.status.state
        rename(settings.data.dir, "away", "runs")
        await plant.workflows.tick()
        later = plant.workflows.status.state

    assert failed is Health.FAILED
    assert later is not Health.FAILED

"""Runs over a real store that a second life of the app may find again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.database import Database
from tests.unit.workflow.engine_rig import FakeDoer, Rig, database, life


@pytest.fixture
def place(tmp_path: Path) -> Database:
    return database(tmp_path)


@pytest.fixture
def doer() -> FakeDoer:
    return FakeDoer()


@pytest.fixture
async def rig(place: Database, doer: FakeDoer) -> AsyncIterator[Rig]:
    async with life(place, doer) as made:
        yield made

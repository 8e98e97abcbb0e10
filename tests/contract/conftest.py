"""Databases that stores must work on alike; of runs, where a module makes no store of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.runs import RunStore


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a database; one on Postgres holds what earlier tests left."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def database(database_url: str) -> Database:
    """A database of runs that its store opens."""
    return Database(database_url, METADATA, "Workflows")


@pytest.fixture
async def store(database: Database) -> AsyncIterator[RunStore]:
    """A store of runs that holds none."""
    made = RunStore(database)
    await made.open()
    with database.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    yield made
    await made.close()

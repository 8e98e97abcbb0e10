"""What Health says of the stores while the disk takes no writes."""

import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.core.health import Health
from app.plant import Plant
from app.settings import Settings
from tests.simulated_plant import bare_plant

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no limit of a file's size")

STORES = {
    "Equipment store": "assets.sqlite",
    "Audit": "audit.sqlite",
    "Alarm journal": "alarms.sqlite",
    "Command store": "commands.sqlite",
}


@pytest.fixture
async def plant(connected_settings: Settings) -> AsyncIterator[Plant]:
    async with bare_plant(connected_settings) as made:
        yield made


@contextmanager
def full_disk() -> Generator[None]:
    """Let no file grow, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def failed(plant: Plant) -> dict[str, str]:
    """Return why each store that failed did."""
    own = [each for each in plant.health() if each.name in STORES]
    return {each.name: each.reason for each in own if each.state is Health.FAILED}


async def test_each_store_that_takes_no_writes_is_named_with_reason_and_remedy(plant: Plant):
    with full_disk():
        await plant.stores.check()

    assert failed(plant).keys() == STORES.keys()
    for status in plant.health():
        if status.name in STORES:
            assert STORES[status.name] in status.reason
            assert "cannot be written" in status.reason
            assert status.remedy


async def test_a_store_that_takes_writes_again_is_well_again(plant: Plant):
    with full_disk():
        await plant.stores.check()
    await plant.stores.check()

    assert failed(plant) == {}


async def test_the_time_of_a_trouble_is_that_of_its_beginning(plant: Plant):
    with full_disk():
        await plant.stores.check()
        first = {each.name: each.since for each in plant.health() if each.name in STORES}
        await plant.stores.check()

    assert {each.name: each.since for each in plant.health() if each.name in STORES} == first


async def test_one_that_is_removed_is_named_and_not_made_anew(plant: Plant):
    file = plant.settings.data.dir / STORES["Alarm journal"]
    file.unlink()
    await plant.stores.check()

    assert failed(plant).keys() == {"Alarm journal"}
    assert not file.exists()


async def test_one_that_another_program_holds_is_named(plant: Plant):
    file = plant.settings.data.dir / STORES["Equipment store"]
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await plant.stores.check()

    assert "locked" in failed(plant)["Equipment store"]


async def test_looking_changes_nothing(plant: Plant):
    def content(file: Path) -> list[str]:
        with closing(sqlite3.connect(file)) as connection:
            return list(connection.iterdump())

    files = [plant.settings.data.dir / name for name in STORES.values()]
    before = [content(file) for file in files]
    await plant.stores.check()

    assert [content(file) for file in files] == before
    assert failed(plant) == {}


async def test_one_that_was_never_opened_is_not_looked_at(settings: Settings):
    plant = Plant(settings, SystemClock())
    await plant.stores.check()

    assert failed(plant) == {}

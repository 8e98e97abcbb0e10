"""Which orchestrator carries out which runs, on a real Postgres."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import sqlalchemy as sa

from app.core.errors import StoreError
from app.store.database import Database
from app.store.run_tables import METADATA
from app.workflow.owners import Owners

pytestmark = pytest.mark.slow

BREAK = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
"""


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres_url, METADATA, "Workflows")
    made.open()
    yield made
    made.close()


@pytest.fixture
async def make(database: Database) -> AsyncIterator[Callable[[str], Owners]]:
    made: list[Owners] = []

    def owners(name: str) -> Owners:
        made.append(Owners(database, name))
        return made[-1]

    yield owners
    for each in made:
        await each.stop()


async def test_one_of_several_is_the_leader(make: Callable[[str], Owners]):
    left, right = make("left"), make("right")
    await left.start()
    await right.start()

    assert (left.is_leader, right.is_leader) == (True, False)


async def test_the_next_leads_when_the_leader_is_gone(make: Callable[[str], Owners]):
    left, right = make("left"), make("right")
    await left.start()
    await right.start()
    await left.stop()
    await right.tick([])

    assert right.is_leader


async def test_no_two_have_one_name(make: Callable[[str], Owners]):
    await make("left").start()
    with pytest.raises(StoreError, match='called "left" and lives'):
        await make("left").start()


async def test_only_the_runs_of_who_is_gone_can_be_had(make: Callable[[str], Owners]):
    left, right, third = make("left"), make("right"), make("third")
    await left.start()
    await right.start()
    await third.start()
    before = await right.tick(["left", "third", "right"])
    await left.stop()

    assert before == []
    assert await right.tick(["left", "third", "right"]) == ["left"]


async def test_who_comes_back_waits_until_its_runs_are_taken_over(make: Callable[[str], Owners]):
    left, right = make("left"), make("right")
    await right.start()
    gone = await right.tick(["left"])
    with pytest.raises(StoreError, match="lives"):
        await left.start()
    await right.release(gone)
    await left.start()

    assert gone == ["left"]


async def test_only_one_of_two_takes_over(make: Callable[[str], Owners]):
    right, third = make("right"), make("third")
    await right.start()
    await third.start()

    assert await right.tick(["left"]) == ["left"]
    assert await third.tick(["left"]) == []


async def test_a_broken_session_is_noticed_and_taken_anew(
    make: Callable[[str], Owners], database: Database
):
    left = make("left")
    await left.start()
    with database.begin() as connection:
        connection.execute(sa.text(BREAK))
    await left.tick([])
    lost = left.has_lost_lock, left.is_leader, bool(left.trouble)
    await left.tick([])

    assert lost == (True, False, True)
    assert (left.has_lost_lock, left.has_regained_lock, left.is_leader) == (False, True, True)
    assert left.trouble == ""


async def test_a_file_has_one_orchestrator_which_leads():
    alone = Owners(Database("sqlite:///:memory:", METADATA, "Workflows"), "app")
    await alone.start()

    assert alone.is_leader
    assert await alone.tick(["other"]) == []

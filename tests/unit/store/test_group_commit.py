"""Writes of many in one transaction: each is told its own end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.errors import ConflictError, StoreError
from app.store.database import Database
from app.store.group_commit import GroupCommit

METADATA = sa.MetaData()
TABLE = sa.Table("numbers", METADATA, sa.Column("n", sa.Integer, primary_key=True))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'numbers.sqlite'}", METADATA, "Numbers")
    made.open()
    return made


@pytest.fixture
async def commits(database: Database) -> AsyncIterator[GroupCommit]:
    made = GroupCommit(database)
    made.start()
    yield made
    await made.stop()
    database.close()


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(sa.select(TABLE.c.n).order_by(TABLE.c.n)))


async def add(commits: GroupCommit, number: int, error: Exception | None = None) -> int:
    def work(connection: sa.Connection) -> int:
        connection.execute(TABLE.insert().values(n=number))
        if error:
            raise error
        return number * 2

    return await commits.write(work)


async def test_each_write_returns_what_it_gave(commits: GroupCommit, database: Database):
    given = await asyncio.gather(*(add(commits, number) for number in range(2000)))

    assert given == [number * 2 for number in range(2000)]
    assert await asyncio.to_thread(numbers, database) == list(range(2000))


async def test_a_write_that_fails_takes_no_other_with_it(commits: GroupCommit, database: Database):
    refused = ConflictError("not this one")
    writes = [add(commits, number, refused if number % 10 == 3 else None) for number in range(50)]
    ended = await asyncio.gather(*writes, return_exceptions=True)

    failed = [number for number, end in enumerate(ended) if isinstance(end, ConflictError)]
    assert failed == [3, 13, 23, 33, 43]
    assert await asyncio.to_thread(numbers, database) == [n for n in range(50) if n % 10 != 3]


async def test_the_same_key_twice_at_once_fails_once(commits: GroupCommit, database: Database):
    ended = await asyncio.gather(add(commits, 1), add(commits, 1), return_exceptions=True)

    assert sum(isinstance(end, StoreError) for end in ended) == 1
    assert await asyncio.to_thread(numbers, database) == [1]


async def test_a_fault_is_told_and_the_thread_lives_on(commits: GroupCommit):
    with pytest.raises(StoreError, match="ZeroDivisionError"):
        await add(commits, 1, ZeroDivisionError())

    assert await add(commits, 2) == 4


async def test_what_waits_at_the_stop_is_written(commits: GroupCommit, database: Database):
    writes = [asyncio.ensure_future(add(commits, number)) for number in range(700)]
    await asyncio.sleep(0)
    await commits.stop()
    await asyncio.gather(*writes)

    assert len(await asyncio.to_thread(numbers, database)) == 700


async def test_nothing_is_taken_after_the_stop(commits: GroupCommit):
    await commits.stop()
    with pytest.raises(StoreError, match="not open"):
        await add(commits, 1)


async def test_a_writer_that_gave_up_does_not_hold_up_the_others(
    commits: GroupCommit, database: Database
):
    impatient = asyncio.ensure_future(add(commits, 1))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await add(commits, 2) == 4
    assert await asyncio.to_thread(numbers, database) == [1, 2]


async def test_starting_twice_is_harmless(commits: GroupCommit):
    commits.start()

    assert await add(commits, 1) == 2


async def test_a_disk_that_takes_nothing_is_told_until_it_does(commits: GroupCommit):
    with pytest.raises(StoreError):
        await add(commits, 1, StoreError("the disk is full"))
    assert commits.trouble == "the disk is full"
    await add(commits, 2)
    assert commits.trouble == ""


async def test_a_refusal_is_no_trouble_of_the_disk(commits: GroupCommit):
    with pytest.raises(ConflictError):
        await add(commits, 1, ConflictError("not this one"))
    assert commits.trouble == ""

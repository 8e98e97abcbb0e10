"""Transactions of the relational store on a real SQLite file."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.core.errors import NotFoundError, StoreError
from app.store.database import Database

METADATA = sa.MetaData()
NUMBERS = sa.Table("numbers", METADATA, sa.Column("n", sa.Integer, primary_key=True))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path / 'numbers.sqlite'}", METADATA, "Numbers")
    made.open()
    add(made, *range(100))
    return made


def add(database: Database, *numbers: int) -> None:
    with database.begin() as connection:
        connection.execute(NUMBERS.insert(), [{"n": each} for each in numbers])


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(NUMBERS)).scalar_one()


def test_a_read_sees_one_moment(database: Database):
    with database.read() as connection:
        before = count(connection)
        add(database, 1000)
        assert count(connection) == before == 100
    with database.read() as connection:
        assert count(connection) == 101


def test_a_read_that_failed_in_the_middle_keeps_no_old_moment_for_the_next(database: Database):
    kept: list[BaseException] = []

    def fail() -> None:
        with database.read() as connection:
            result = connection.execute(sa.select(NUMBERS))
            result.fetchone()
            raise NotFoundError("what was looked for is not there")

    for _ in range(6):  # as many as the pool has, and one
        with pytest.raises(NotFoundError) as caught:
            fail()
        kept.append(caught.value)  # its traceback holds the result
    add(database, 1000)
    for _ in range(6):
        with database.read() as connection:
            assert count(connection) == 101


def test_a_write_that_fails_leaves_nothing(database: Database):
    def fail() -> None:
        with database.begin() as connection:
            connection.execute(NUMBERS.insert(), {"n": 1000})
            raise NotFoundError("after the insert")

    with pytest.raises(NotFoundError):
        fail()
    with pytest.raises(StoreError, match=r"cannot be written: UNIQUE"):
        add(database, 1001, 1)
    with database.read() as connection:
        assert count(connection) == 100


def test_what_is_closed_says_so(database: Database):
    database.close()
    with pytest.raises(StoreError, match="Numbers is not open"), database.read():
        pass

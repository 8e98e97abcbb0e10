import sqlite3
from pathlib import Path

import pytest

from agents.base.sqlite_file import SqliteFile
from app.core.errors import StoreError

SCHEMA = "CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY)"


def write(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO words VALUES ('a')")


def write_and_fail(connection: sqlite3.Connection) -> None:
    write(connection)
    raise ValueError("on second thought")


def words(connection: sqlite3.Connection) -> list[str]:
    return [row["word"] for row in connection.execute("SELECT word FROM words")]


async def test_what_was_done_is_there_after_opening_again(tmp_path: Path):
    first = SqliteFile(tmp_path / "folder" / "x.sqlite", SCHEMA)
    await first.open()
    await first.run(write)
    await first.close()
    second = SqliteFile(tmp_path / "folder" / "x.sqlite", SCHEMA)
    await second.open()

    found = await second.run(words)
    await second.close()

    assert found == ["a"]


async def test_work_that_fails_leaves_nothing_behind(tmp_path: Path):
    file = SqliteFile(tmp_path / "x.sqlite", SCHEMA)
    await file.open()

    with pytest.raises(ValueError, match="second thought"):
        await file.run(write_and_fail)
    found = await file.run(words)
    await file.close()

    assert found == []


async def test_a_wrong_statement_is_an_error_of_the_store(tmp_path: Path):
    file = SqliteFile(tmp_path / "x.sqlite", SCHEMA)
    await file.open()
    await file.run(write)

    with pytest.raises(StoreError, match="cannot be read or written"):
        await file.run(write)
    await file.close()


async def test_a_closed_file_says_so(tmp_path: Path):
    file = SqliteFile(tmp_path / "x.sqlite", SCHEMA)

    with pytest.raises(StoreError, match="is closed"):
        await file.run(write)
    await file.close()


async def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path):
    (tmp_path / "x.sqlite").write_bytes(b"not a database" * 100)
    file = SqliteFile(tmp_path / "x.sqlite", SCHEMA)

    await file.open()
    found = await file.run(words)
    await file.close()

    assert found == []
    assert (tmp_path / "x.damaged").is_file()


async def test_a_folder_in_its_place_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "x.sqlite").mkdir()
    file = SqliteFile(tmp_path / "x.sqlite", SCHEMA)

    with pytest.raises(StoreError, match=r"x\.sqlite"):
        await file.open()
    await file.close()

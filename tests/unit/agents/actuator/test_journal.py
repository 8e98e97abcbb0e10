"""The actuator's journal: lines are only added, and no order is begun twice."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agents.actuator.journal import Journal, Line, read_journal
from app.core.command import AckState
from app.core.errors import StoreError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STARTED = Line(0, "c1", NOW, AckState.STARTED, "a/b/c/d/e", 900.0)
DONE = Line(0, "c1", NOW, AckState.DONE, "a/b/c/d/e", 900.0, "Read back", 900.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints" / "1.journal.sqlite"


@pytest.fixture
async def journal(file: Path) -> AsyncGenerator[Journal]:
    made = Journal(file)
    await made.open(NOW)
    yield made
    await made.close()


def numbered(line: Line, number: int) -> Line:
    return msgspec.structs.replace(line, number=number)


async def test_the_last_line_of_a_command_is_found(journal: Journal):
    await journal.add(STARTED)
    await journal.add(DONE)

    assert await journal.find("c1") == numbered(DONE, 2)


async def test_what_it_never_heard_of_is_none(journal: Journal):
    assert await journal.find("c1") is None


async def test_an_order_is_never_begun_twice(journal: Journal):
    await journal.add(STARTED)

    with pytest.raises(StoreError, match="UNIQUE"):
        await journal.add(STARTED)


@pytest.mark.parametrize("state", [AckState.DONE, AckState.REFUSED, AckState.UNKNOWN])
async def test_an_order_never_ends_twice(journal: Journal, state: AckState):
    await journal.add(DONE)

    with pytest.raises(StoreError, match="UNIQUE"):
        await journal.add(msgspec.structs.replace(DONE, state=state))


@pytest.mark.parametrize("statement", ["UPDATE lines SET value = 1", "DELETE FROM lines"])
async def test_no_line_is_ever_changed(journal: Journal, file: Path, statement: str):
    await journal.add(STARTED)

    with closing(sqlite3.connect(file)) as other, pytest.raises(sqlite3.DatabaseError):
        other.execute(statement)

    assert await journal.find("c1") == numbered(STARTED, 1)


async def test_begun_and_not_ended_is_unfinished(journal: Journal):
    await journal.add(STARTED)
    await journal.add(msgspec.structs.replace(STARTED, id="c2"))
    await journal.add(DONE)

    assert [line.id for line in await journal.unfinished()] == ["c2"]


async def test_refused_without_a_begin_is_not_unfinished(journal: Journal):
    await journal.add(msgspec.structs.replace(DONE, state=AckState.REFUSED))

    assert await journal.unfinished() == []


async def test_a_restart_finds_every_line_and_the_same_beginning(file: Path):
    journal = Journal(file)
    await journal.open(NOW)
    await journal.add(STARTED)
    await journal.close()

    again = Journal(file)
    await again.open(NOW + timedelta(days=1))
    found, begun_at = await again.unfinished(), await again.begun_at()
    await again.close()

    assert found == [numbered(STARTED, 1)]
    assert begun_at == NOW


async def test_it_can_be_read_while_the_actuator_runs(journal: Journal, file: Path):
    await journal.add(STARTED)
    await journal.add(DONE)

    assert read_journal(file) == [numbered(STARTED, 1), numbered(DONE, 2)]


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "1.sqlite")

    with pytest.raises(StoreError, match="cannot be opened"):
        await journal.open(NOW)
    await journal.close()

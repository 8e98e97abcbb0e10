"""What the actuator was told and did: lines on disk that are only ever added.

A line `started` is there before the plant is touched, one of `done`, `refused` or `unknown` after.
The file itself refuses a second `started` of the same order.
"""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from agents.base.sqlite_file import SqliteFile
from app.core.command import AckState

_SCHEMA = """
CREATE TABLE IF NOT EXISTS begun (at TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS lines (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at TEXT NOT NULL,
    state TEXT NOT NULL, tag TEXT NOT NULL, value REAL NOT NULL, reason TEXT NOT NULL, shown REAL
) STRICT;
CREATE INDEX IF NOT EXISTS lines_by_id ON lines (id, number);
CREATE UNIQUE INDEX IF NOT EXISTS started_once ON lines (id) WHERE state = 'started';
CREATE UNIQUE INDEX IF NOT EXISTS ended_once ON lines (id) WHERE state <> 'started';
CREATE TRIGGER IF NOT EXISTS lines_no_update BEFORE UPDATE ON lines
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS lines_no_delete BEFORE DELETE ON lines
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
_COLUMNS = "number, id, at, state, tag, value, reason, shown"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the journal.

    Attributes:
        number: Grows by one a line; 0 until the journal has given it.
        id: The command.
        at: UTC.
        state: STARTED, DONE, REFUSED or UNKNOWN.
        tag: Path of the tag.
        value: What it was to become, in the tag's unit.
        reason: Why it was refused or is unknown, or how it is known.
        shown: What the plant showed, if it was read.
    """

    number: int
    id: str
    at: datetime
    state: AckState
    tag: str
    value: float
    reason: str = ""
    shown: float | None = None


class Journal:
    """The journal of one actuator instance; a line is on disk (fsync) when a method returns."""

    def __init__(self, file: Path) -> None:
        self._file = SqliteFile(file, _SCHEMA)

    async def open(self, now: datetime) -> None:
        """Open the file; a new one notes that it begins `now`.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._file.open()

        def begin(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT at FROM begun").fetchone() is None:
                connection.execute("INSERT INTO begun VALUES (?)", (now.isoformat(),))

        await self._file.run(begin)

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def begun_at(self) -> datetime:
        """Return when the journal began: of orders before that it knows nothing.

        Raises:
            StoreError: It cannot be read.
        """

        def read(connection: sqlite3.Connection) -> str:
            at: str = connection.execute("SELECT at FROM begun").fetchone()[0]
            return at

        return datetime.fromisoformat(await self._file.run(read))

    async def find(self, command: str) -> Line | None:
        """Return the last line of a command, None if there is none.

        Raises:
            StoreError: It cannot be read.
        """
        query = f"SELECT {_COLUMNS} FROM lines WHERE id = ? ORDER BY number DESC LIMIT 1"  # noqa: S608  our own words
        rows = await self._file.run(
            lambda connection: connection.execute(query, (command,)).fetchall()
        )
        return _line(rows[0]) if rows else None

    async def add(self, line: Line) -> None:
        """Add a line.

        Raises:
            StoreError: It cannot be written, or the command has a line of this kind.
        """
        statement = (
            "INSERT INTO lines (id, at, state, tag, value, reason, shown) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        values = (
            line.id, line.at.isoformat(), line.state.value, line.tag, line.value, line.reason,
            line.shown,
        )  # fmt: skip
        await self._file.run(lambda connection: connection.execute(statement, values))

    async def unfinished(self) -> list[Line]:
        """Return the lines `started` of commands without a further line, oldest first.

        Raises:
            StoreError: It cannot be read.
        """
        query = (
            f"SELECT {_COLUMNS} FROM lines AS first WHERE state = 'started' AND NOT EXISTS "  # noqa: S608  our own words
            "(SELECT 1 FROM lines WHERE id = first.id AND state <> 'started') ORDER BY number"
        )
        rows = await self._file.run(lambda connection: connection.execute(query).fetchall())
        return [_line(row) for row in rows]


def read_journal(file: Path) -> list[Line]:
    """Return all lines of a journal, the oldest first; the actuator may run meanwhile."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5.0)) as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM lines ORDER BY number").fetchall()  # noqa: S608  our own words
    return [_line(row) for row in rows]


def _line(row: sqlite3.Row | tuple[object, ...]) -> Line:
    fields = dict(zip(Line.__struct_fields__, tuple(row), strict=True))
    return msgspec.convert(fields, Line)

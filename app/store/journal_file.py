"""The journal's file: its tables, how it is opened, what happens to an unreadable one."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.core.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, alarm_id TEXT NOT NULL, actor TEXT NOT NULL,
    source TEXT NOT NULL, event TEXT NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL,
    why TEXT NOT NULL, priority INTEGER NOT NULL, equipment TEXT NOT NULL, message TEXT NOT NULL,
    value REAL
) STRICT;
CREATE INDEX IF NOT EXISTS journal_at ON journal (at);
CREATE INDEX IF NOT EXISTS journal_alarm ON journal (alarm_id, number);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the alarm journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the alarm journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_gap BEFORE INSERT ON journal
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM journal)
BEGIN SELECT RAISE(ABORT, 'the alarm journal numbers its lines without gaps'); END;
CREATE TABLE IF NOT EXISTS occurrences (
    number INTEGER PRIMARY KEY, alarm_id TEXT NOT NULL, raised_at INTEGER NOT NULL,
    state TEXT NOT NULL, priority INTEGER NOT NULL, equipment TEXT NOT NULL,
    message TEXT NOT NULL, alarm BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS occurrences_raised ON occurrences (raised_at, number);
CREATE TABLE IF NOT EXISTS alarms (
    alarm_id TEXT PRIMARY KEY, occurrence INTEGER NOT NULL, state TEXT NOT NULL,
    record BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS alarms_state ON alarms (state);
"""


@contextmanager
def store_errors(path: Path) -> Generator[None]:
    """Turn trouble of the file into a StoreError that names it."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f'Alarm journal "{path}" cannot be read or written: {error}',
            hint="Check free space and rights of the data folder",
        ) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, check it, make what is missing.

    Raises:
        sqlite3.OperationalError: It cannot be reached.
        sqlite3.DatabaseError: It is not a journal that can be read.
    """
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def move_aside(path: Path) -> Path:
    """Rename the file and what SQLite keeps beside it; return its new path."""
    number = 1
    while (target := path.with_name(f"{path.name}.corrupt-{number}")).exists():
        number += 1
    path.replace(target)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.replace(target.with_name(target.name + suffix))
    return target

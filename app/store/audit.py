"""Who did what to the plant outside the alarm list; rows are only ever added."""

import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec

from app.core.actor import Actor
from app.core.errors import StoreError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, actor TEXT NOT NULL,
    source TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, why TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""


class AuditRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action: when (UTC), who, from where, what, on what, why."""

    number: int
    at: datetime
    actor: str
    source: str
    action: str
    target: str
    why: str


class AuditLog:
    """Append-only table in a SQLite file; a row is on disk before `append` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open or make the file.

        Raises:
            StoreError: The file cannot be opened or is damaged.
        """
        try:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StoreError(
                f'Audit "{self._path}" cannot be opened: {error}',
                hint="Move the file aside to start a new audit; keep it for the auditors",
            ) from error

    def close(self) -> None:
        """Close the file; harmless if it is not open."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def append(self, at: datetime, actor: Actor, action: str, target: str, why: str = "") -> None:
        """Add a row.

        Raises:
            StoreError: It could not be written; the action must then not happen.
        """
        connection = self._opened()
        try:
            with connection:
                connection.execute(
                    "INSERT INTO audit (at, actor, source, action, target, why) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (at.isoformat(), actor.name, actor.source, action, target, why),
                )
        except sqlite3.Error as error:
            raise StoreError(
                f"Audit row for {action} {target} cannot be written: {error}",
                hint="Free disk space or check the data folder; nothing was changed",
            ) from error

    def rows(self, limit: int) -> list[AuditRow]:
        """Return the last rows, newest first."""
        found = self._opened().execute(
            "SELECT number, at, actor, source, action, target, why FROM audit "
            "ORDER BY number DESC LIMIT ?",
            (limit,),
        )
        return [AuditRow(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in found]

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("The audit is not open", hint="Start the plant first")
        return self._connection

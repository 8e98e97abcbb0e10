"""Who did what to the plant outside the alarm list; rows are only ever added."""

import sqlite3
import threading
from datetime import datetime
from pathlib import Path

import msgspec

from app.core.actor import Actor
from app.core.errors import StoreError
from app.store.remedy import remedy
from app.store.sqlite_file import connect, set_aside_damaged, store_errors

_WHAT = "Audit"
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
    """Append-only table in a SQLite file; a row is on disk before `append` returns.

    Safe to call from several threads.

    Attributes:
        moved_aside: Folder a damaged file was put in when it was opened; None if it was sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.moved_aside: Path | None = None

    def open(self) -> None:
        """Open or make the file; one that cannot be read is moved aside first.

        Raises:
            StoreError: The folder cannot be written, or a damaged file not be moved; until it
                is open no action is taken.
        """
        self.moved_aside = set_aside_damaged(self._path, _WHAT) or self.moved_aside
        self._connection = connect(self._path, _SCHEMA, _WHAT)

    def close(self) -> None:
        """Close the file; harmless if it is not open."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = None

    def append(self, at: datetime, actor: Actor, action: str, target: str, why: str = "") -> None:
        """Add a row.

        Raises:
            StoreError: It could not be written; the action must then not happen.
        """
        try:
            with self._lock:
                self._opened().execute(
                    "INSERT INTO audit (at, actor, source, action, target, why) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (at.isoformat(), actor.name, actor.source, action, target, why),
                )
        except sqlite3.Error as error:
            raise StoreError(
                f"Audit row for {action} {target} cannot be written: {error}",
                hint=f"Nothing was changed. {remedy(error)}",
            ) from error

    def rows(self, limit: int) -> list[AuditRow]:
        """Return the last rows, newest first.

        Raises:
            StoreError: They cannot be read.
        """
        query = (
            "SELECT number, at, actor, source, action, target, why FROM audit "
            "ORDER BY number DESC LIMIT ?"
        )
        with self._lock, store_errors(_WHAT, self._path, "read"):
            found = self._opened().execute(query, (limit,)).fetchall()
        return [AuditRow(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in found]

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("The audit is not open", hint="See Audit on the Health page")
        return self._connection

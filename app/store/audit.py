"""Who did what to the plant outside the alarm list; rows are only ever added."""

import logging
import sqlite3
import threading
from datetime import datetime
from pathlib import Path

import msgspec

from app.core.actor import Actor
from app.core.errors import StoreError
from app.store.journal_file import move_aside

logger = logging.getLogger(__name__)

_BUSY_S = 5.0
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
        moved_aside: The unreadable file a fresh one took the place of, if that happened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.moved_aside: Path | None = None

    def open(self) -> None:
        """Open or make the file; one that cannot be read is moved aside first.

        Raises:
            StoreError: The folder cannot be written.
        """
        try:
            self._connection = self._connect()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f'Audit "{self._path}" cannot be opened: {error}',
                hint="Check space and rights of the data folder; until then no action is taken",
            ) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            return _connection(self._path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self.moved_aside = move_aside(self._path)
            logger.warning("audit is unreadable (%s), moved to %s", error, self.moved_aside.name)
            return _connection(self._path)

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
            with self._lock, self._opened() as connection:
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
        """Return the last rows, newest first.

        Raises:
            StoreError: They cannot be read.
        """
        query = (
            "SELECT number, at, actor, source, action, target, why FROM audit "
            "ORDER BY number DESC LIMIT ?"
        )
        try:
            with self._lock:
                found = self._opened().execute(query, (limit,)).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f'Audit "{self._path}" cannot be read: {error}') from error
        return [AuditRow(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in found]

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("The audit is not open", hint="See Audit on the Health page")
        return self._connection


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection

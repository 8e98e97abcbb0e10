"""Who did what to the plant outside the alarm list, and what came of it; rows are only added."""

import sqlite3
import threading
from datetime import datetime
from enum import StrEnum
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
CREATE TABLE IF NOT EXISTS outcome (
    number INTEGER PRIMARY KEY REFERENCES audit (number), at TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outcome_no_update BEFORE UPDATE ON outcome
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outcome_no_delete BEFORE DELETE ON outcome
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""


class Outcome(StrEnum):
    """What came of an action.

    UNKNOWN: none is noted; it is under way, or the app ended meanwhile, or an app noted it that
    wrote no outcomes. REFUSED: nothing was changed. FAILED: it was begun and did not succeed.
    """

    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action: when (UTC), who, from where, what, on what, why, and what came of it.

    Attributes:
        number: Grows by one an action.
        at: When it was asked for, before anything happened.
        actor: Who asked.
        source: From where.
        action: What.
        target: On what.
        why: What the actor said.
        outcome: What came of it.
        reason: Why it was refused or failed.
    """

    number: int
    at: datetime
    actor: str
    source: str
    action: str
    target: str
    why: str
    outcome: Outcome = Outcome.UNKNOWN
    reason: str = ""


class AuditLog:
    """Append-only tables in a SQLite file; a row is on disk before a method returns.

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

    def append(self, at: datetime, actor: Actor, action: str, target: str, why: str = "") -> int:
        """Note what somebody is about to do; return the row's number for `conclude`.

        Raises:
            StoreError: It could not be written; the action must then not happen.
        """
        statement = (
            "INSERT INTO audit (at, actor, source, action, target, why) VALUES (?, ?, ?, ?, ?, ?)"
        )
        values = (at.isoformat(), actor.name, actor.source, action, target, why)
        try:
            with self._lock:
                number = self._opened().execute(statement, values).lastrowid
        except sqlite3.Error as error:
            raise StoreError(
                f"Audit row for {action} {target} cannot be written: {error}",
                hint=f"Nothing was changed. {remedy(error)}",
            ) from error
        if number is None:
            raise AssertionError("SQLite numbers each row it has inserted")
        return number

    def conclude(self, number: int, at: datetime, outcome: Outcome, reason: str = "") -> None:
        """Note what came of an action.

        Raises:
            StoreError: It could not be written; the action stays one of unknown outcome.
        """
        statement = "INSERT INTO outcome (number, at, outcome, reason) VALUES (?, ?, ?, ?)"
        with self._lock, store_errors(_WHAT, self._path, "written"):
            self._opened().execute(statement, (number, at.isoformat(), outcome.value, reason))

    def rows(self, limit: int) -> list[AuditRow]:
        """Return the last rows, newest first.

        Raises:
            StoreError: They cannot be read.
        """
        query = (
            "SELECT number, audit.at, actor, source, action, target, why, outcome, reason "
            "FROM audit LEFT JOIN outcome USING (number) ORDER BY number DESC LIMIT ?"
        )
        with self._lock, store_errors(_WHAT, self._path, "read"):
            found = self._opened().execute(query, (limit,)).fetchall()
        return [_row(*each) for each in found]

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("The audit is not open", hint="See Audit on the Health page")
        return self._connection


def _row(  # noqa: PLR0917  the columns of the query, in its order
    number: int,
    at: str,
    actor: str,
    source: str,
    action: str,
    target: str,
    why: str,
    outcome: str | None,
    reason: str | None,
) -> AuditRow:
    return AuditRow(
        number,
        datetime.fromisoformat(at),
        actor,
        source,
        action,
        target,
        why,
        Outcome(outcome or Outcome.UNKNOWN),
        reason or "",
    )

"""Who did what to the plant outside the alarm list, and what came of it; rows are only added.

Intents and outcomes are rows of one chain, in the order of writing: each carries a hash over the
row before it (app/core/audit_chain.py). After each row its number and hash are noted in a file
beside, so that a missing end is seen. A row that finds another end than the noted one is put
behind a row that says so: the plant goes on, and the break stays in the chain.
"""

import logging
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from app.core.actor import SYSTEM, Actor
from app.core.audit_chain import NOTHING, Flaw, Head, Kind, Link, find_head_flaw, sealed
from app.core.audit_row import AuditFilter, AuditRow, Outcome
from app.core.errors import StoreError
from app.store.audit_file import (
    FORMER_SCHEMA,
    SCHEMA,
    Former,
    former_digest,
    has_former,
    head_path,
    insert_link,
    read_head,
    read_link,
    write_head,
)
from app.store.audit_reader import WHAT, reading
from app.store.remedy import remedy
from app.store.sqlite_file import check_writable, connect, set_aside_damaged, store_errors

__all__ = ["AuditFilter", "AuditLog", "AuditRow", "Outcome"]

logger = logging.getLogger(__name__)

_HEAD_LOGGED_EACH = 1_000


class AuditLog:
    """The chain in a SQLite file; a row is on disk before a method returns.

    Safe to call from several threads.

    Attributes:
        path: The file.
        moved_aside: Folder a damaged file was put in when it was opened; None if it was sound.
        flaw: The break that was found while writing since the file was opened; None if none was.
        head_trouble: Why the head could not be noted the last time; empty if it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head_path = head_path(path)
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._noted: Head | None = None
        self.moved_aside: Path | None = None
        self.flaw: Flaw | None = None
        self.head_trouble = ""

    def open(self) -> None:
        """Open or make the file; one that cannot be read is moved aside first.

        Raises:
            StoreError: The folder cannot be written, or a damaged file not be moved; until it
                is open no action is taken.
        """
        self.moved_aside = set_aside_damaged(self.path, WHAT) or self.moved_aside
        connection = connect(self.path, SCHEMA, WHAT)
        with self._lock:
            self._connection = connection
            with store_errors(WHAT, self.path, "opened"):
                self._noted = read_head(self._head_path)
                self._begin(connection)
                tail = read_link(connection)
        if tail:
            logger.info("audit ends with row %d, hash %s", tail.number, tail.hash)

    def check(self) -> None:
        """See that the file can be written.

        Raises:
            StoreError: It cannot; every action would be refused.
        """
        check_writable(self.path, WHAT)

    def close(self) -> None:
        """Close the file; harmless if it is not open."""
        with self._lock:
            if self._connection:
                self._connection.close()
                if self._noted:
                    logger.info("audit closed, row %d, hash %s", *_pair(self._noted))
            self._connection = None

    def append(self, at: datetime, actor: Actor, action: str, target: str, why: str = "") -> int:
        """Note what somebody is about to do; return the row's number for `conclude`.

        Raises:
            StoreError: It could not be written; the action must then not happen.
        """
        intent = _intent(at, actor, action, target, why)
        try:
            with self._lock:
                return self._add(intent).number
        except sqlite3.Error as error:
            raise StoreError(
                f"Audit row for {action} {target} cannot be written: {error}",
                hint=f"Nothing was changed. {remedy(error)}",
            ) from error

    def conclude(self, number: int, at: datetime, outcome: Outcome, reason: str = "") -> None:
        """Note what came of an action.

        Raises:
            StoreError: It could not be written; the action stays one of unknown outcome.
        """
        with self._lock, store_errors(WHAT, self.path, "written"):
            self._add(_outcome(at, number, outcome, reason))

    def rows(self, limit: int) -> list[AuditRow]:
        """Return the last actions, newest first.

        Raises:
            StoreError: They cannot be read.
        """
        return self.search(AuditFilter(), limit)

    def search(self, wanted: AuditFilter, limit: int) -> list[AuditRow]:
        """Return actions, newest first, at most `limit`; writing goes on meanwhile.

        Raises:
            StoreError: They cannot be read.
        """
        with self._lock:
            self._opened()
        with reading(self.path) as reader:
            return reader.search(wanted, limit)

    def head(self) -> Head | None:
        """Return number and hash of the last row; None if there is none.

        Raises:
            StoreError: It cannot be read.
        """
        with self._lock, store_errors(WHAT, self.path, "read"):
            tail = read_link(self._opened())
        return tail.head if tail else None

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Begin the chain of a former version's file with the digest of its rows."""
        if not has_former(connection):
            return
        connection.executescript(FORMER_SCHEMA)
        if read_link(connection) is not None or (former := former_digest(connection)) is None:
            return
        mark = _former(former)
        with _transaction(connection):
            insert_link(connection, mark)
        logger.info("audit chain begins with row %d, over all rows before it", mark.number)
        if self._noted is None:
            self._note(mark.head)

    def _add(self, link: Link) -> Link:
        connection = self._opened()
        with _transaction(connection):
            tail = read_link(connection)
            if flaw := self._lost_end(connection, tail):
                logger.error("audit chain is broken: %s", flaw.reason)
                self.flaw = flaw
                tail = _put(connection, _break(link.at, flaw), tail)
            added = _put(connection, link, tail)
        self._note(added.head)
        return added

    def _lost_end(self, connection: sqlite3.Connection, tail: Link | None) -> Flaw | None:
        noted = self._noted
        if tail and noted == tail.head:
            return None
        named = read_link(connection, noted.number) if noted else None
        return find_head_flaw(noted, named.hash if named else None, tail)

    def _note(self, head: Head) -> None:
        """Note the head beside the file; if that fails a missing end may go unseen, no more."""
        self._noted = head
        try:
            write_head(self._head_path, head)
        except OSError as error:
            if not self.head_trouble:
                logger.error("head of the audit is not noted: %s", error)  # noqa: TRY400  no bug of ours
            self.head_trouble = f'"{self._head_path}" cannot be written: {error.strerror}'
        else:
            self.head_trouble = ""
        if head.number % _HEAD_LOGGED_EACH == 0:
            logger.info("audit is at row %d, hash %s", *_pair(head))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError("The audit is not open", hint="See Audit on the Health page")
        return self._connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[None]:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def _put(connection: sqlite3.Connection, link: Link, tail: Link | None) -> Link:
    if tail:
        number, previous = tail.number + 1, tail.hash
    else:
        former = former_digest(connection) if has_former(connection) else None
        number, previous = (former.last if former else 0) + 1, NOTHING
    added = sealed(msgspec.structs.replace(link, number=number, previous=previous))
    insert_link(connection, added)
    return added


def _intent(at: datetime, actor: Actor, action: str, target: str, why: str) -> Link:
    return Link(
        number=0,
        kind=Kind.INTENT,
        at=_time(at),
        actor=_storable(actor.name),
        source=_storable(actor.source),
        action=_storable(action),
        target=_storable(target),
        why=_storable(why),
    )


def _outcome(at: datetime, of: int, outcome: Outcome, reason: str) -> Link:
    return Link(
        number=0,
        kind=Kind.OUTCOME,
        of=of,
        at=_time(at),
        outcome=outcome.value,
        reason=_storable(reason),
    )


def _former(former: Former) -> Link:
    """Return the row that covers all rows of former versions, with the time of the last one."""
    return sealed(
        Link(
            number=former.last + 1,
            kind=Kind.FORMER,
            of=former.last,
            at=former.at,
            actor=SYSTEM.name,
            source=SYSTEM.source,
            action="begin audit chain",
            target=f"rows to {former.last}",
            why=former.digest,
            outcome=Outcome.DONE.value,
            previous=NOTHING,
        )
    )


def _break(at: str, flaw: Flaw) -> Link:
    return Link(
        number=0,
        kind=Kind.BREAK,
        of=flaw.number,
        at=at,
        actor=SYSTEM.name,
        source=SYSTEM.source,
        action="note break of audit chain",
        target=f"row {flaw.number}",
        outcome=Outcome.FAILED.value,
        reason=flaw.reason,
    )


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _storable(text: str) -> str:
    """Return a text without lone surrogates, which a file cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _pair(head: Head) -> tuple[int, str]:
    return head.number, head.hash

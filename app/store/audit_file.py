"""The audit's files: tables, the triggers that keep rows as they are, and the noted head."""

import os
import sqlite3
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from app.core.audit_chain import Head, Link, canon

COLUMNS = (
    "number, kind, of, at, actor, source, action, target, why, outcome, reason, previous, hash"
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, of INTEGER NOT NULL, at TEXT NOT NULL,
    actor TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    why TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS chain_outcome ON chain (of) WHERE kind = 'outcome';
CREATE TRIGGER IF NOT EXISTS chain_no_update BEFORE UPDATE ON chain
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS chain_no_delete BEFORE DELETE ON chain
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""
FORMER_COLUMNS = (
    "number, audit.at, actor, source, action, target, why, "
    "coalesce(outcome.at, ''), coalesce(outcome, ''), coalesce(reason, '')"
)
FORMER_SCHEMA = """
CREATE TABLE IF NOT EXISTS outcome (
    number INTEGER PRIMARY KEY REFERENCES audit (number), at TEXT NOT NULL,
    outcome TEXT NOT NULL, reason TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS audit_no_insert BEFORE INSERT ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of former versions are closed'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outcome_no_insert BEFORE INSERT ON outcome
    BEGIN SELECT RAISE(ABORT, 'rows of former versions are closed'); END;
CREATE TRIGGER IF NOT EXISTS outcome_no_update BEFORE UPDATE ON outcome
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER IF NOT EXISTS outcome_no_delete BEFORE DELETE ON outcome
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"""
"""Added to a file of a former version, which had the table `audit`, without or with `outcome`."""

FORMER_TABLES = "audit LEFT JOIN outcome USING (number)"
_HAS_FORMER = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'audit'"
_HASH_DIGITS = 64
_HEAD_BYTES = 20 + 1 + _HASH_DIGITS + 1 + 8 + 1
_TRIES = 3


class Former(NamedTuple):
    """The rows of former versions: number and time of the last one, and the digest of all."""

    last: int
    at: str
    digest: str


def head_path(path: Path) -> Path:
    """Return where the head of the audit in `path` is noted: audit.sqlite has audit.head."""
    return path.with_suffix(".head")


def read_head(path: Path) -> Head | None:
    """Return the noted head; None if the file is missing or says something else.

    Raises:
        OSError: The file is there and cannot be read.
    """
    for _ in range(_TRIES):
        try:
            line = path.read_bytes()[:_HEAD_BYTES]
        except FileNotFoundError:
            return None
        number, _, rest = line.decode("ascii", "replace").partition(" ")
        head = Head(int(number) if number.isdecimal() else 0, rest[:_HASH_DIGITS])
        if line == _head_line(head):  # else it was caught in the middle of a write, or spoiled
            return head
    return None


def write_head(path: Path, head: Head) -> None:
    """Note the head, in place and with one call.

    The line has a fixed length within one sector of a disk, so that a crash leaves the old or the
    new one; a file replaced by another cost 260 µs instead of 10 (ext4 flushes on the rename).
    It is not forced to disk: after a power cut an older one may stand there, which fits too.

    Raises:
        OSError: It cannot be written.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.write(file, _head_line(head))
    finally:
        os.close(file)


def _head_line(head: Head) -> bytes:
    words = f"{head.number:020d} {head.hash}".encode("ascii", "replace")
    return b"%b %08x\n" % (words, crc32(words))


def read_link(connection: sqlite3.Connection, number: int | None = None) -> Link | None:
    """Return a row of the chain, the last one without a number."""
    where = "" if number is None else "WHERE number = ? "
    values = () if number is None else (number,)
    query = f"SELECT {COLUMNS} FROM chain {where}ORDER BY number DESC LIMIT 1"  # noqa: S608  our own words
    row = connection.execute(query, values).fetchone()
    return Link(*row) if row else None


def first_link(connection: sqlite3.Connection) -> Link | None:
    """Return the first row of the chain."""
    query = f"SELECT {COLUMNS} FROM chain ORDER BY number LIMIT 1"  # noqa: S608  our own column names
    row = connection.execute(query).fetchone()
    return Link(*row) if row else None


def insert_link(connection: sqlite3.Connection, link: Link) -> None:
    """Add a row to the chain."""
    connection.execute(
        f"INSERT INTO chain ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  a constant
        msgspec.structs.astuple(link),
    )


def has_former(connection: sqlite3.Connection) -> bool:
    """Tell whether a version without a chain made the file."""
    return bool(connection.execute(_HAS_FORMER).fetchone()[0])


def former_rows(connection: sqlite3.Connection) -> Iterator[tuple[str, ...]]:
    """Yield the rows of former versions by number, each field as text."""
    if not has_former(connection):
        return
    query = f"SELECT {FORMER_COLUMNS} FROM {FORMER_TABLES} ORDER BY number"  # noqa: S608  our own words
    for row in connection.execute(query):
        yield tuple(str(each) for each in row)


def former_digest(connection: sqlite3.Connection) -> Former | None:
    """Return what covers all rows of former versions; None without any."""
    digest = sha256()
    last: tuple[str, ...] = ("0", "")
    for row in former_rows(connection):
        digest.update(canon(row))
        last = row
    return Former(int(last[0]), last[1], digest.hexdigest()) if last[1] else None

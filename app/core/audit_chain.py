"""The hash chain of the audit: what a row's hash covers, and what is wrong with a chain.

The hash of a row covers the hash of the row before it and every field of its own, so that no row
can be changed, left out or moved without the rows after it showing it. The chain has no key: who
rewrites all rows from one on, and the noted head too, makes a chain that fits. docs/audit.md says
so, and has a program of its own that checks a file; the canon below changes only with VERSION.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import msgspec

VERSION = "millwright-audit-1"
NOTHING = "0" * 64
"""Stands as the previous hash in the first row."""


class Kind(StrEnum):
    """What a row notes.

    INTENT: somebody is about to act. OUTCOME: what came of the intent `of`. FORMER: the digest of
    all rows that a version without a chain wrote, `of` is the last one's number. BREAK: when this
    row was added, the end of the chain was not the one that was noted.
    """

    INTENT = "intent"
    OUTCOME = "outcome"
    FORMER = "former"
    BREAK = "break"


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row as it stands in the file; texts are kept as found, also in a spoiled row.

    Attributes:
        number: Grows by one a row.
        kind: A `Kind`.
        of: Number of the row this one belongs to, 0 for none.
        at: UTC, ISO 8601.
        actor: Who.
        source: From where.
        action: What.
        target: On what.
        why: What the actor said; the digest in a FORMER row.
        outcome: What came of it, empty in an intent.
        reason: Why it was refused, failed or broke.
        previous: Hash of the row before it.
        hash: Of this row.
    """

    number: int
    kind: str
    of: int = 0
    at: str = ""
    actor: str = ""
    source: str = ""
    action: str = ""
    target: str = ""
    why: str = ""
    outcome: str = ""
    reason: str = ""
    previous: str = ""
    hash: str = ""

    @property
    def head(self) -> "Head":
        """Return what is noted elsewhere of this row."""
        return Head(self.number, self.hash)


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Number and hash of a row, of the last one of a chain where nothing else is said."""

    number: int
    hash: str


class Fault(StrEnum):
    """What does not fit."""

    CHANGED = "changed"
    MISSING = "missing"
    DETACHED = "detached"
    FORMER = "former"
    BREAK = "break"
    HEAD = "head"


class Flaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first thing that does not fit.

    Attributes:
        fault: What kind of thing.
        number: The row where it shows.
        reason: What it is, one sentence without its full stop.
    """

    fault: Fault
    number: int
    reason: str


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a check of the chain found.

    Attributes:
        at: When it ended, UTC.
        rows: How many rows were read; those before a flaw fit each other.
        is_whole: The check began with the first row; else with one of the last.
        head: The last row read; None if there is none.
        flaw: The first thing that does not fit; None if the chain is whole.
        after_head: Rows newer than the noted head, whose removal nobody would see.
        remedy: What to do about the flaw.
    """

    at: datetime
    rows: int
    is_whole: bool
    head: Head | None
    flaw: Flaw | None = None
    after_head: int = 0
    remedy: str = ""

    @property
    def is_ok(self) -> bool:
        """Tell whether everything fits."""
        return self.flaw is None


REMEDY = (
    "Copy the data folder before anything else, compare it with a backup and with the head that "
    "was noted elsewhere, and find out who could write there; see docs/audit.md"
)


def canon(fields: Iterable[str]) -> bytes:
    """Return fields as netstrings: length in bytes, colon, the bytes, comma."""
    encoded = (field.encode("utf-8", "surrogateescape") for field in fields)
    return b"".join(b"%d:%b," % (len(each), each) for each in encoded)


def link_hash(link: Link) -> str:
    """Return the hash that a row must have, 64 hexadecimal digits."""
    fields = (
        VERSION,
        link.previous,
        str(link.number),
        link.kind,
        str(link.of),
        link.at,
        link.actor,
        link.source,
        link.action,
        link.target,
        link.why,
        link.outcome,
        link.reason,
    )
    return sha256(canon(fields)).hexdigest()


def sealed(link: Link) -> Link:
    """Return a row with its hash."""
    return msgspec.structs.replace(link, hash=link_hash(link))


def find_flaw(link: Link, before: Head | None) -> Flaw | None:
    """Return what is wrong with a row.

    Args:
        link: The row.
        before: The row before it; None if this is the first of the file.
    """
    number = link.number
    if link_hash(link) != link.hash:
        return Flaw(Fault.CHANGED, number, f"The content of row {number} was changed")
    if link.kind == Kind.BREAK:
        return Flaw(Fault.BREAK, number, f"Row {number} notes a break: {link.reason}")
    first = link.of + 1 if link.kind == Kind.FORMER else 1
    expected = before.number + 1 if before else first
    if number != expected or (before is None and link.previous != NOTHING):
        return Flaw(Fault.MISSING, number, f"{_rows(expected, number - 1)} missing")
    if before and link.previous != before.hash:
        reason = f"Row {number} does not follow row {before.number}: one of them was replaced"
        return Flaw(Fault.DETACHED, number, reason)
    return None


def find_head_flaw(noted: Head | None, found: str | None, tail: Link | None) -> Flaw | None:
    """Return what is wrong between the noted head and the chain.

    Args:
        noted: The noted head; None if there is none.
        found: Hash of the row that the noted head names; None if there is no such row.
        tail: The last row of the chain; None if it has none.
    """
    last = tail.number if tail else 0
    if noted is None:
        # the app may have been killed between the first row and its note
        if tail is None or tail.previous == NOTHING:
            return None
        return Flaw(Fault.HEAD, last, "audit.head is missing or unreadable")
    if last < noted.number:
        ends = f"the chain ends with row {last}" if last else "the chain is empty"
        reason = f"audit.head names row {noted.number}, but {ends}"
        return Flaw(Fault.HEAD, last + 1, reason)
    if found != noted.hash:
        reason = f"Row {noted.number} is not the one that audit.head names"
        return Flaw(Fault.HEAD, noted.number, reason)
    return None


def find_former_flaw(first: Link | None, digest: str | None) -> Flaw | None:
    """Return what is wrong with the rows of former versions, which have no hash of their own.

    Args:
        first: The first row of the chain.
        digest: Of the rows of former versions as they stand; None if there are none.
    """
    covered = first.why if first and first.kind == Kind.FORMER else None
    if first is None or covered == digest:
        return None
    reason = "The rows that former versions wrote were changed"
    return Flaw(Fault.FORMER, first.number, reason)


def _rows(low: int, high: int) -> str:
    if high < low:
        return f"The rows before row {low} are"
    return f"Row {low} is" if low == high else f"Rows {low} to {high} are"

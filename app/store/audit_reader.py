"""Reads the audit's file over a connection that cannot write, also while the app is down."""

import sqlite3
from collections.abc import Generator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.core.audit_chain import Head, Link
from app.core.audit_row import AuditFilter, AuditRow, Outcome
from app.core.errors import StoreError
from app.store.audit_file import (
    COLUMNS,
    FORMER_TABLES,
    first_link,
    former_digest,
    has_former,
    head_path,
    read_head,
    read_link,
)
from app.store.sqlite_file import store_errors

WHAT = "Audit"
_UNREADABLE = datetime(1970, 1, 1, tzinfo=UTC)
_HAS_CHAIN = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'chain'"
_BUSY_S = 5.0
_CHAIN_ROWS = """
SELECT i.number, i.at, i.actor, i.source, i.action, i.target, i.why,
    coalesce(o.outcome, i.outcome) AS came, coalesce(o.reason, i.reason) AS because
FROM chain AS i LEFT JOIN chain AS o ON o.of = i.number AND o.kind = 'outcome'
WHERE i.kind <> 'outcome'
"""
_FORMER_ROWS = f"""
SELECT i.number, i.at, i.actor, i.source, i.action, i.target, i.why,
    coalesce(i.outcome, '') AS came, coalesce(i.reason, '') AS because
FROM (SELECT number, audit.at, actor, source, action, target, why, outcome, reason
    FROM {FORMER_TABLES}) AS i
WHERE true
"""  # noqa: S608  our own table names
_TEXTS = ("i.actor", "i.action", "i.target", "i.why", "because")
_OUTCOMES = frozenset(Outcome)


class AuditReader:
    """One connection for one thread; close it when done.

    Texts with bytes that are no UTF-8, which only damage or a person's hand can bring, keep them
    as surrogates, so that a row's hash is reckoned from the very bytes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors():
            self._connection = _connect(path)
        self._connection.text_factory = _text

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def search(self, wanted: AuditFilter, limit: int) -> list[AuditRow]:
        """Return actions, the newest first, at most `limit`.

        Raises:
            StoreError: They cannot be read.
        """
        with self._errors():
            found = self._search(_CHAIN_ROWS, wanted, limit)
            if len(found) < limit and has_former(self._connection):
                found += self._search(_FORMER_ROWS, wanted, limit - len(found))
        return found

    def links(self, after: int, limit: int) -> list[Link]:
        """Return rows of the chain with a number above `after`, in their order.

        Raises:
            StoreError: They cannot be read.
        """
        query = f"SELECT {COLUMNS} FROM chain WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608  our own column names
        with self._errors():
            return [Link(*row) for row in self._connection.execute(query, (after, limit))]

    def link(self, number: int | None = None) -> Link | None:
        """Return a row of the chain, the last one without a number; None if there is none."""
        with self._errors():
            return read_link(self._connection, number)

    def first(self) -> Link | None:
        """Return the first row of the chain; None if it has none."""
        with self._errors():
            return first_link(self._connection)

    def noted_head(self) -> Head | None:
        """Return the head noted beside the file; None if there is none."""
        with self._errors():
            return read_head(head_path(self._path))

    def former_digest(self) -> str | None:
        """Return the digest of the rows of former versions; None if there are none."""
        with self._errors():
            found = former_digest(self._connection)
        return found.digest if found else None

    def _search(self, query: str, wanted: AuditFilter, limit: int) -> list[AuditRow]:
        where, values = _where(wanted)
        query += "".join(f" AND {each}" for each in where) + " ORDER BY i.number DESC LIMIT ?"
        return [_row(row) for row in self._connection.execute(query, (*values, limit))]

    def _errors(self) -> AbstractContextManager[None]:
        return store_errors(WHAT, self._path, "read")


@contextmanager
def reading(path: Path) -> Generator[AuditReader]:
    """Open an audit for reading and close it afterwards.

    Raises:
        StoreError: It is not there, cannot be read, or has no chain yet.
    """
    if not path.exists():
        raise StoreError(
            f'There is no audit "{path}"', hint="Name the data folder: millwright audit --data DIR"
        )
    with closing(AuditReader(path)) as reader:
        yield reader


def _connect(path: Path) -> sqlite3.Connection:
    """Open read-only; on a disk that cannot be written nobody writes, so its log is not needed."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, check_same_thread=False)
    try:
        has_chain = connection.execute(_HAS_CHAIN).fetchone()[0]
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        address = f"{address}&immutable=1"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        has_chain = connection.execute(_HAS_CHAIN).fetchone()[0]
    if has_chain:
        return connection
    connection.close()
    raise StoreError(
        f'Audit "{path}" has no chain yet: a former version wrote it',
        hint="Start the app once with this version; it begins the chain and keeps all rows",
    )


def _where(wanted: AuditFilter) -> tuple[list[str], list[str | int]]:
    where: list[str] = []
    values: list[str | int] = []
    exact = (
        ("i.actor = ?", wanted.actor or None),
        ("i.source = ?", wanted.source or None),
        ("i.action = ?", wanted.action or None),
        ("came = ?", _came(wanted.outcome)),
        ("i.at >= ?", _moment(wanted.start)),
        ("i.at < ?", _moment(wanted.end)),
        ("i.number < ?", wanted.before),
    )
    for condition, value in exact:
        if value is not None:
            where.append(condition)
            values.append(value)
    if wanted.text:
        like = f"%{_like(wanted.text)}%"
        where.append("(" + " OR ".join(rf"{each} LIKE ? ESCAPE '\'" for each in _TEXTS) + ")")
        values += [like] * len(_TEXTS)
    return where, values


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _came(outcome: Outcome | None) -> str | None:
    if outcome is None:
        return None
    return "" if outcome is Outcome.UNKNOWN else outcome.value


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _row(row: tuple[int, str, str, str, str, str, str, str, str]) -> AuditRow:
    number, at, *texts, came, because = row
    actor, source, action, target, why = map(_shown, texts)
    outcome = Outcome(came) if came in _OUTCOMES else Outcome.UNKNOWN
    return AuditRow(number, _time(at), actor, source, action, target, why, outcome, _shown(because))


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _UNREADABLE
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _shown(text: str) -> str:
    """Return a text that can be sent: a byte that is no UTF-8 becomes the replacement mark."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

"""The only file that speaks to LanceDB, which is loaded when a store is opened.

Importing lancedb takes 1.8 s and 150 MB, so nobody but the historian's own threads does it.
Its objects have no usable types: they are `Any` here and nowhere else.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from app.core.errors import StoreError

T = TypeVar("T")
# By default LanceDB keeps 6 GB of indexes and 1 GB of metadata in memory; a year of day tables
# has 26 kB of index each.
_INDEX_CACHE_BYTES = 32 * 1024 * 1024
_METADATA_CACHE_BYTES = 64 * 1024 * 1024
# Younger versions may still be in use by a reader (FINDINGS of the store measurements).
_KEEP_VERSIONS = timedelta(hours=1)


class Table:
    """One Lance table; every failure of the library comes out as a StoreError."""

    def __init__(self, name: str, table: Any) -> None:  # noqa: ANN401  lancedb has no types
        self.name = name
        self._table = table

    def append(self, rows: Any) -> None:  # noqa: ANN401  an Arrow table
        """Add rows and return after their commit."""
        self._attempt("written", lambda: self._table.add(rows))

    def overwrite(self, schema: Any, batches: Iterator[Any]) -> None:  # noqa: ANN401  Arrow
        """Replace all rows in one commit, taking batch after batch."""
        reader = importlib.import_module("pyarrow").RecordBatchReader.from_batches(schema, batches)
        self._attempt("rewritten", lambda: self._table.add(reader, mode="overwrite"))

    def rows(self, where: str = "", only: Sequence[str] = ()) -> Any:  # noqa: ANN401  Arrow
        """Return an Arrow table; `where` is raw SQL and must hold validated text only."""

        def read() -> Any:  # noqa: ANN401
            query = self._table.search().limit(None)
            if where:
                query = query.where(where)
            if only:
                query = query.select(list(only))
            return query.to_arrow()

        return self._attempt("read", read)

    def count(self) -> int:
        """Return the number of rows."""
        return int(self._attempt("read", self._table.count_rows))

    def index(self, column: str) -> None:
        """Build the BITMAP index of a column anew; costs one pass over that column."""
        bitmap = importlib.import_module("lancedb.index").Bitmap()
        self._attempt("indexed", lambda: self._table.create_index(column, config=bitmap))

    def optimize(self) -> None:
        """Join small files and forget versions older than an hour."""
        self._attempt("compacted", lambda: self._table.optimize(cleanup_older_than=_KEEP_VERSIONS))

    def _attempt(self, what: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except (RuntimeError, OSError, ValueError) as error:  # what lancedb raises for I/O
            raise StoreError(f'Table "{self.name}" cannot be {what}: {_short(error)}') from error


class Lance:
    """One LanceDB folder or URI with the handles of its tables."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._tables: dict[str, Table] = {}
        try:
            lancedb = importlib.import_module("lancedb")
            session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
            self._database: Any = lancedb.connect(uri, session=session)
            self.names()
        except (RuntimeError, OSError, ValueError) as error:
            raise StoreError(f'History "{uri}" cannot be opened: {_short(error)}') from error

    def names(self) -> list[str]:
        """Return the names of all tables, sorted."""
        names: list[str] = []
        token: str | None = None
        while True:
            page = self._database.list_tables(page_token=token, limit=10_000)
            names += page.tables
            token = page.page_token
            if not token or not page.tables:
                return sorted(set(names))

    def open(self, name: str) -> Table:
        """Return an existing table.

        Raises:
            StoreError: It does not exist or cannot be read.
        """
        known = self._tables.get(name)
        if known is None:
            known = self._tables[name] = self._attempt(
                name, lambda: self._database.open_table(name)
            )
        return known

    def create(self, name: str, schema: Any) -> Table:  # noqa: ANN401  Arrow
        """Return the table, made empty if it does not exist."""
        if name not in self._tables:
            self._tables[name] = self._attempt(
                name, lambda: self._database.create_table(name, schema=schema, exist_ok=True)
            )
        return self._tables[name]

    def drop(self, name: str) -> None:
        """Delete a table; an absent one is no error."""
        self._tables.pop(name, None)
        if name in self.names():
            self._attempt(name, lambda: self._database.drop_table(name))

    def forget(self, name: str) -> None:
        """Drop the handle of a table that was moved away."""
        self._tables.pop(name, None)

    @staticmethod
    def _attempt(name: str, action: Callable[[], Any]) -> Table:
        try:
            return Table(name, action())
        except (RuntimeError, OSError, ValueError) as error:
            raise StoreError(f'Table "{name}" cannot be opened: {_short(error)}') from error


def _short(error: Exception) -> str:
    """Keep the first sentence; lancedb adds source paths of the machine it was built on."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    head, found, _ = text.partition(", /")
    return (head if found else text)[:300]

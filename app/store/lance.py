"""The only file that speaks to LanceDB, which is loaded when a store is opened.

Importing lancedb takes 1.4 s and 120 MB, so nobody but the historian's own threads does it.
Its objects have no usable types: they are `Any` here and nowhere else. Its asynchronous interface
runs on its own background loop, as its blocking one does, which asks for schemas besides: a read
of a day's table costs 1.4 ms of CPU against 3.6 ms.
"""

import asyncio
import importlib
from collections import OrderedDict
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from app.core.errors import StoreError
from app.late_import import put_off

T = TypeVar("T")
REST_CLIENT = "lance_namespace_urllib3_client"
"""A generated client of a REST catalogue, of which the history needs nothing; lancedb imports it
by lance_namespace. On import it builds a validator for each of its calls: 1.0 s of the 2.6 s of
CPU and 22 MB of the 148 MB that `import lancedb` takes (lancedb 0.40, lance-namespace 0.13)."""
# By default LanceDB keeps 6 GB of indexes and 1 GB of metadata in memory; a year of day tables
# has 26 kB of index each.
_INDEX_CACHE_BYTES = 32 * 1024 * 1024
_METADATA_CACHE_BYTES = 64 * 1024 * 1024
# Lance warns of keeping none; whoever cleans has waited until no reader needs an older version.
_KEEP_VERSIONS = timedelta(milliseconds=1)
# Tables read at the same time; more are not faster on two cores and cost memory.
_READ_AT_ONCE = 4
# Handles kept for reading, about 40 kB each; opening a table costs as much as reading it.
_READ_HANDLES = 500


class Table:
    """One Lance table; every failure of the library comes out as a StoreError."""

    def __init__(self, name: str, table: Any) -> None:  # noqa: ANN401  lancedb has no types
        self.name = name
        self._table = table

    def append(self, rows: Any) -> None:  # noqa: ANN401  an Arrow table
        """Add rows and return after their commit."""
        self._wait("written", self._table.add(rows))

    def overwrite(self, schema: Any, batches: Iterator[Any]) -> None:  # noqa: ANN401  Arrow
        """Replace all rows in one commit, taking batch after batch."""
        reader = importlib.import_module("pyarrow").RecordBatchReader.from_batches(schema, batches)
        self._wait("rewritten", self._table.add(reader, mode="overwrite"))

    def rows(self, where: str = "", only: Sequence[str] = ()) -> Any:  # noqa: ANN401  Arrow
        """Return an Arrow table; `where` is raw SQL and must hold validated text only."""
        return _run(self.fetch(where, only))

    async def fetch(self, where: str, only: Sequence[str]) -> Any:  # noqa: ANN401  Arrow
        """Return the same, on the loop of lancedb."""
        query = self._table.query()
        if where:
            query = query.where(where)
        if only:
            query = query.select(list(only))
        return await self._attempt("read", query.to_arrow())

    def count(self) -> int:
        """Return the number of rows."""
        return int(self._wait("read", self._table.count_rows()))

    def index(self, column: str) -> None:
        """Build the BITMAP index of a column anew; costs one pass over that column."""
        bitmap = importlib.import_module("lancedb.index").Bitmap()
        self._wait("indexed", self._table.create_index(column, config=bitmap))

    def clean(self) -> None:
        """Delete the files that only older versions need; a read still on one would fail."""
        self._wait("cleaned", self._table.optimize(cleanup_older_than=_KEEP_VERSIONS))

    def _wait(self, what: str, action: Coroutine[Any, Any, T]) -> T:
        return _run(self._attempt(what, action))

    async def _attempt(self, what: str, action: Coroutine[Any, Any, T]) -> T:
        try:
            return await action
        except (RuntimeError, OSError, ValueError) as error:  # what lancedb raises for I/O
            raise StoreError(f'Table "{self.name}" cannot be {what}: {_short(error)}') from error


class Lance:
    """One LanceDB folder or URI with the handles of its tables.

    `open`, `create`, `drop` and `forget` belong to one thread, which writes; `read` is called
    from any.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._tables: dict[str, Table] = {}
        # Opened by reads; least recently used first, changed on lancedb's loop and by `open`.
        self._read_only = OrderedDict[str, Table]()
        try:
            put_off(REST_CLIENT)
            lancedb = importlib.import_module("lancedb")
            session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
            self._database: Any = _run(lancedb.connect_async(uri, session=session))
            self.names()
        except (RuntimeError, OSError, ValueError) as error:
            raise StoreError(f'History "{uri}" cannot be opened: {_short(error)}') from error

    def names(self) -> list[str]:
        """Return the names of all tables, sorted."""
        names: list[str] = []
        token: str | None = None
        while True:
            page = _run(self._database.list_tables(page_token=token, limit=10_000))
            names += page.tables
            token = page.page_token
            if not token or not page.tables:
                return sorted(set(names))

    def open(self, name: str) -> Table:
        """Return an existing table.

        Raises:
            StoreError: It does not exist or cannot be read.
        """
        known = self._tables.get(name) or self._read_only.pop(name, None)
        if known is None:
            known = _run(_opened(name, self._database.open_table(name)))
        self._tables[name] = known
        return known

    def create(self, name: str, schema: Any) -> Table:  # noqa: ANN401  Arrow
        """Return the table, made empty if it does not exist."""
        known = self._tables.get(name) or self._read_only.pop(name, None)
        if known is None:
            making = self._database.create_table(name, schema=schema, exist_ok=True)
            known = _run(_opened(name, making))
        self._tables[name] = known
        return known

    def read(self, wheres: Mapping[str, str], only: Sequence[str]) -> list[Any]:
        """Return rows of several tables as Arrow tables, a StoreError for one that cannot be read.

        Args:
            wheres: Table name to the condition of its rows, as in `Table.rows`.
            only: The columns.
        """
        return _run(self._read(wheres, only))

    async def _read(self, wheres: Mapping[str, str], only: Sequence[str]) -> list[Any]:
        free = asyncio.Semaphore(_READ_AT_ONCE)

        async def read(name: str, where: str) -> Any:  # noqa: ANN401  Arrow
            async with free:
                try:
                    return await (await self._to_read(name)).fetch(where, only)
                except StoreError as error:
                    return error

        return await asyncio.gather(*(read(name, where) for name, where in wheres.items()))

    async def _to_read(self, name: str) -> Table:
        known = self._tables.get(name) or self._read_only.pop(name, None)
        if known is None:
            known = await _opened(name, self._database.open_table(name))
        if name not in self._tables:
            self._read_only[name] = known
            if len(self._read_only) > _READ_HANDLES:
                self._read_only.popitem(last=False)
        return known

    def drop(self, *names: str) -> None:
        """Delete tables; an absent one is no error."""
        present = set(self.names())
        for name in names:
            self.forget(name)
            if name in present:
                _run(_opened(name, self._database.drop_table(name)))

    def forget(self, name: str) -> None:
        """Drop the handle of a table that was moved away."""
        self._tables.pop(name, None)
        self._read_only.pop(name, None)


async def _opened(name: str, action: Coroutine[Any, Any, Any]) -> Table:
    try:
        return Table(name, await action)
    except (RuntimeError, OSError, ValueError) as error:
        raise StoreError(f'Table "{name}" cannot be opened: {_short(error)}') from error


def _run(action: Coroutine[Any, Any, T]) -> T:
    """Run on lancedb's loop and wait; called from any thread but that one."""
    result: T = importlib.import_module("lancedb.background_loop").LOOP.run(action)
    return result


def _short(error: Exception) -> str:
    """Keep the first sentence; lancedb adds source paths of the machine it was built on."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    head, found, _ = text.partition(", /")
    return (head if found else text)[:300]

"""A SQLite file of one agent, for what must outlive kill -9."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from app.core.errors import StoreError

T = TypeVar("T")
logger = logging.getLogger(__name__)


class SqliteFile:
    """SQLite on a thread of its own; whatever `run` did is on disk when it returns."""

    def __init__(self, file: Path, schema: str) -> None:
        self._file = file
        self._schema = schema
        # One thread: the connection is used by nobody else, and the loop never waits for the disk.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=file.stem)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file and make the tables that are missing; a damaged one is set aside.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._in_thread(self._open)

    async def close(self) -> None:
        """Close the file."""
        await self._in_thread(self._close)
        self._thread.shutdown(wait=False)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction and return what it returns.

        Raises:
            StoreError: The file is closed, or cannot be read or written.
        """
        return await self._in_thread(lambda: self._transact(work))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        try:
            self._connect()
        except sqlite3.OperationalError as error:  # locked, or no right to write
            raise StoreError(f'File "{self._file}" cannot be opened: {error}') from error
        except sqlite3.DatabaseError as error:
            logger.warning("%s is damaged and set aside: %s", self._file.name, error)
            self._close()
            set_aside(self._file)
            self._connect()
        except OSError as error:
            raise StoreError(f'File "{self._file}" cannot be opened: {error}') from error

    def _connect(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._file, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        # FULL: what is kept here was promised to somebody, so it survives a power cut too.
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(self._schema)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        if connection is None:
            raise StoreError(f'File "{self._file}" is closed')
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                done = work(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(
                f'File "{self._file}" cannot be read or written: {error}',
                "Free disk space or mend the rights of the data folder",
            ) from error
        return done


def set_aside(file: Path) -> None:
    """Rename a damaged SQLite file that nobody has open, and drop what belongs to it."""
    file.replace(file.with_suffix(".damaged"))
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)

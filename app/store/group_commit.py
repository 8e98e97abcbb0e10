"""Writes of many at once: what waits while the disk is busy goes into one transaction."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import MillwrightError, StoreError
from app.store.database import Database

T = TypeVar("T")
Work = Callable[[sa.Connection], object]
WAITING = 50_000
"""Writes that may wait; a writer that is further behind is told so."""

_AT_ONCE = 500


class _Write(NamedTuple):
    work: Work
    done: asyncio.Future[object]
    loop: asyncio.AbstractEventLoop


class GroupCommit:
    """One thread that writes; each write is on disk when its awaiter goes on.

    A write that fails takes no other with it: the others are written again without it.

    Attributes:
        trouble: Why the last write could not reach the disk; empty when it did.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._connection: sa.Connection | None = None
        self.trouble = ""
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; the database is open. Harmless if it runs."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="workflow store", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits and end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(self._queue.put, None)
            await asyncio.to_thread(thread.join, 5.0)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Do `work` in a transaction and return what it gave, once that is on disk.

        Raises:
            StoreError: It could not be written.
            MillwrightError: What `work` raised; nothing of it was written.
        """
        if self._thread is None:
            raise StoreError("The store of workflows is not open", "See Workflows on Health")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[object] = loop.create_future()
        if self._queue.qsize() >= WAITING:
            raise StoreError(f"{WAITING} writes wait for the disk already", "Wait")
        self._queue.put(_Write(work, done, loop))
        return await done  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  of `work`

    def _run(self) -> None:
        try:
            self._write_for_ever()
        finally:
            self._disconnect()

    def _write_for_ever(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = [first], False
            while len(batch) < _AT_ONCE:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    is_last = True
                    break
                batch.append(more)
            self._write(batch)
            if is_last:
                return

    def _write(self, batch: list[_Write]) -> None:
        try:
            with self._transaction() as connection:
                results: list[object] = [write.work(connection) for write in batch]
        except Exception as error:  # noqa: BLE001  the thread lives on; each writer is told
            if not isinstance(error, MillwrightError) or isinstance(error, StoreError):
                self._disconnect()  # it may be the connection that failed
            if len(batch) > 1:
                for write in batch:
                    self._write([write])
                return
            told = error if isinstance(error, MillwrightError) else _unforeseen(error)
            if isinstance(told, StoreError):
                self.trouble = str(told)
            results = [told]
        else:
            self.trouble = ""
        for loop in {write.loop for write in batch}:
            pairs = [
                (write.done, result)
                for write, result in zip(batch, results, strict=True)
                if write.loop is loop
            ]
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(_tell, pairs)

    def _transaction(self) -> AbstractContextManager[sa.Connection]:
        if self._database.is_shared:  # its pool asks first whether the connection still lives
            return self._database.begin()
        if self._connection is None:
            self._connection = self._database.writer()
        return self._database.begin_on(self._connection)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):  # it is gone already
                connection.close()


def _unforeseen(error: Exception) -> StoreError:
    made = StoreError(f"The store of workflows failed: {error!r}")
    made.__cause__ = error
    return made


def _tell(pairs: list[tuple[asyncio.Future[object], object]]) -> None:
    for done, result in pairs:
        if done.done():
            continue
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

"""Tasks that were accepted and their results, on disk, so that a restart forgets neither."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from agents.base.sqlite_file import set_aside
from app.core.errors import StoreError
from app.core.task import Task, TaskResult

T = TypeVar("T")
logger = logging.getLogger(__name__)

KEPT = 1000  # results; a sender gives up re-sending long before so many newer ones are done

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, task BLOB, result BLOB)
"""


class ResultStore:
    """SQLite on a thread of its own; survives kill -9 of the process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        # One thread: the connection is used by nobody else, and the loop never waits for the disk.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="results")
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> list[Task]:
        """Open the store and return the tasks that were accepted but not finished.

        A damaged file is set aside.

        Raises:
            StoreError: The file cannot be opened.
        """
        return await self._run(self._open)

    async def close(self) -> None:
        """Close the store."""
        await self._run(self._close)
        self._thread.shutdown(wait=False)

    async def find(self, task_id: str) -> TaskResult | None:
        """Return the result of a finished task."""
        return await self._run(lambda: self._find(task_id))

    async def accept(self, task: Task) -> TaskResult | None:
        """Keep a task until it has a result; return the result if it has one already.

        A result without output is that of its try: a later try is kept in its place.
        """
        return await self._run(lambda: self._accept(task))

    async def finish(self, result: TaskResult) -> None:
        """Keep a result; the oldest beyond the limit go."""
        payload = msgspec.json.encode(result)
        await self._run(lambda: self._finish(result.id, payload))

    async def forget(self, task_id: str) -> None:
        """Forget a task, so that a re-sent one is done anew."""
        await self._run(lambda: self._write("DELETE FROM tasks WHERE id = ?", (task_id,)))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> list[Task]:
        try:
            return self._open_file()
        except sqlite3.OperationalError as error:  # locked, or no right to write
            raise StoreError(f'Task results "{self._file}" cannot be opened: {error}') from error
        except (sqlite3.DatabaseError, msgspec.DecodeError) as error:
            logger.warning("Task results are damaged and set aside: %s", error)
            self._close()
            set_aside(self._file)
            return self._open_file()
        except OSError as error:
            raise StoreError(f'Task results "{self._file}" cannot be opened: {error}') from error

    def _open_file(self) -> list[Task]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(self._file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # The kernel keeps what was written when the process is killed.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(_SCHEMA)
        rows = self._connection.execute(
            "SELECT task FROM tasks WHERE result IS NULL ORDER BY number"
        ).fetchall()
        return [msgspec.json.decode(row[0], type=Task) for row in rows]

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _find(self, task_id: str) -> TaskResult | None:
        statement = "SELECT result FROM tasks WHERE id = ? AND result IS NOT NULL"
        row = self._opened().execute(statement, (task_id,)).fetchone()
        return msgspec.json.decode(row[0], type=TaskResult) if row else None

    def _accept(self, task: Task) -> TaskResult | None:
        payload = msgspec.json.encode(task)
        statement = "INSERT OR IGNORE INTO tasks (id, task) VALUES (?, ?)"
        is_new = self._opened().execute(statement, (task.id, payload)).rowcount
        known = None if is_new else self._find(task.id)
        if known is None or known.output is not None or task.attempt <= known.attempt:
            return known
        self._write("UPDATE tasks SET task = ?, result = NULL WHERE id = ?", (payload, task.id))
        return None

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._opened().execute(statement, values)

    def _finish(self, task_id: str, payload: bytes) -> None:
        connection = self._opened()
        with connection:  # ends the transaction, well or not
            connection.execute("BEGIN")
            connection.execute(
                "INSERT INTO tasks (id, result) VALUES (?, ?) "
                "ON CONFLICT (id) DO UPDATE SET result = excluded.result, task = NULL",
                (task_id, payload),
            )
            connection.execute(
                "DELETE FROM tasks WHERE result IS NOT NULL AND number <= "
                "(SELECT max(number) FROM tasks) - ?",
                (KEPT,),
            )

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f'Task results "{self._file}" are closed')
        return self._connection

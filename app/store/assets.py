"""The plant's units on disk, so that the plant is known with nothing connected."""

import contextlib
import logging
import sqlite3
from pathlib import Path

import msgspec

from app.core.equipment import Equipment
from app.core.errors import StoreError

logger = logging.getLogger(__name__)

_BUSY_S = 5.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS equipment (path TEXT PRIMARY KEY, body BLOB NOT NULL)"


class Assets:
    """Units by path in SQLite; used from one thread at a time.

    Attributes:
        moved: Where a damaged file was put when it was opened; None if it was sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.moved: Path | None = None

    def open(self) -> None:
        """Open the file, new if there is none; a damaged one is moved aside.

        Raises:
            StoreError: The folder cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise StoreError(f'Assets "{self._path}" cannot be opened: {error}') from error
            self._move_aside(error)
            self._connection = _connect(self._path)
        except OSError as error:
            raise StoreError(f'Assets "{self._path}" cannot be opened: {error}') from error

    def close(self) -> None:
        """Close the file; nothing if it is not open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def save(self, equipment: Equipment) -> None:
        """Insert or replace a unit; on disk when this returns.

        Raises:
            StoreError: The store is not open or the disk refuses.
        """
        row = (equipment.path, msgspec.json.encode(equipment))
        connection = self._open_connection()
        try:
            with connection:
                connection.execute("INSERT OR REPLACE INTO equipment VALUES (?, ?)", row)
        except sqlite3.Error as error:
            raise StoreError(f'Unit "{equipment.path}" cannot be saved: {error}') from error

    def load(self) -> list[Equipment]:
        """Return all units by path; one that an older version wrote differently is left out.

        Raises:
            StoreError: The store is not open or cannot be read.
        """
        connection = self._open_connection()
        try:
            rows = connection.execute("SELECT path, body FROM equipment ORDER BY path").fetchall()
        except sqlite3.Error as error:
            raise StoreError(f'Assets "{self._path}" cannot be read: {error}') from error
        units: list[Equipment] = []
        for path, body in rows:
            try:
                units.append(msgspec.json.decode(body, type=Equipment))
            except msgspec.DecodeError as error:
                logger.warning("Unit %s is left out, its row cannot be read: %s", path, error)
        return units

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f'Assets "{self._path}" are not open')
        return self._connection

    def _move_aside(self, error: sqlite3.DatabaseError) -> None:
        self.moved = self._path.with_name(f"{self._path.name}.quarantined")
        number = 1
        while self.moved.exists():
            number += 1
            self.moved = self._path.with_name(f"{self._path.name}.quarantined-{number}")
        logger.warning("Assets are damaged (%s) and were moved to %s", error, self.moved)
        self._path.rename(self.moved)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).unlink()


def _connect(path: Path) -> sqlite3.Connection:
    # Plant opens in a worker thread and saves in the loop, never both at once.
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_SCHEMA)
        (answer,) = connection.execute("PRAGMA quick_check").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
    except sqlite3.Error:
        connection.close()
        raise
    return connection

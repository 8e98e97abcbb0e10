"""The plant's units on disk, so that the plant is known with nothing connected."""

import logging
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from app.core.equipment import Equipment
from app.core.errors import StoreError
from app.core.rule_hold import UnitRules
from app.store.sqlite_file import check_writable, connect, set_aside_damaged, store_errors

logger = logging.getLogger(__name__)

_WHAT = "Equipment store"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS equipment (path TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rules (unit TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class Assets:
    """Units by path in SQLite; safe to call from several threads.

    At the end of the app a save may still be under way in its thread: closing waits for it.

    Attributes:
        moved_aside: Folder a damaged file was put in when it was opened; None if it was sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self.moved_aside: Path | None = None

    def open(self) -> None:
        """Open the file, new if there is none; a damaged one is moved aside.

        Raises:
            StoreError: The folder cannot be written, or a damaged file not be moved.
        """
        self.moved_aside = set_aside_damaged(self._path, _WHAT) or self.moved_aside
        connection = connect(self._path, _SCHEMA, _WHAT)
        with self._lock:
            self._connection = connection

    def check(self) -> None:
        """See that the file can be written.

        Raises:
            StoreError: It cannot.
        """
        check_writable(self._path, _WHAT)

    def close(self) -> None:
        """Close the file; nothing if it is not open."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def save(self, equipment: Equipment, rules: UnitRules | None = None) -> None:
        """Insert or replace a unit with what is kept of its rules; on disk when this returns.

        Raises:
            StoreError: The store is not open or the disk refuses.
        """
        row = (equipment.path, msgspec.json.encode(equipment))
        kept = (equipment.path, msgspec.json.encode(rules or {}))
        with (
            store_errors(f'Unit "{equipment.path}" in', self._path, "saved"),
            self._transaction() as connection,
        ):
            connection.execute("INSERT OR REPLACE INTO equipment VALUES (?, ?)", row)
            connection.execute("INSERT OR REPLACE INTO rules VALUES (?, ?)", kept)

    def delete(self, path: str) -> None:
        """Delete a unit, if it is there; on disk when this returns.

        Raises:
            StoreError: The store is not open or the disk refuses.
        """
        with (
            store_errors(f'Unit "{path}" in', self._path, "deleted"),
            self._transaction() as connection,
        ):
            connection.execute("DELETE FROM equipment WHERE path = ?", (path,))
            connection.execute("DELETE FROM rules WHERE unit = ?", (path,))

    def load(self) -> list[Equipment]:
        """Return all units by path; one that an older version wrote differently is left out.

        Raises:
            StoreError: The store is not open or cannot be read.
        """
        with store_errors(_WHAT, self._path, "read"), self._opened() as connection:
            rows = connection.execute("SELECT path, body FROM equipment ORDER BY path").fetchall()
        units: list[Equipment] = []
        for path, body in rows:
            try:
                units.append(msgspec.json.decode(body, type=Equipment))
            except msgspec.DecodeError as error:
                logger.warning("Unit %s is left out, its row cannot be read: %s", path, error)
        return units

    def load_rules(self) -> dict[str, UnitRules]:
        """Return what is kept of the rules of all units, by the unit's path.

        Raises:
            StoreError: The store is not open or cannot be read.
        """
        with store_errors(_WHAT, self._path, "read"), self._opened() as connection:
            rows = connection.execute("SELECT unit, body FROM rules ORDER BY unit").fetchall()
        kept: dict[str, UnitRules] = {}
        for unit, body in rows:
            try:
                kept[unit] = msgspec.json.decode(body, type=UnitRules)
            except msgspec.DecodeError as error:
                logger.warning(
                    "Rules of %s cannot be read, those of its tags count: %s", unit, error
                )
        return kept

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._opened() as connection, connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                raise StoreError(
                    f'{_WHAT} "{self._path}" is not open',
                    hint="See Equipment store on the Health page",
                )
            yield self._connection

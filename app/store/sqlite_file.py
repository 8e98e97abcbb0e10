"""A SQLite file of a store: opened, checked, and set aside when it is damaged."""

import logging
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from app.core.errors import StoreError
from app.core.quarantined import MARK
from app.store.quarantine import note_reason
from app.store.remedy import remedy

logger = logging.getLogger(__name__)

_BUSY_S = 5.0


@contextmanager
def store_errors(what: str, path: Path, done: str) -> Generator[None]:
    """Turn trouble of the file into a StoreError that tells what could not be done, and a hint."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f'{what} "{path}" cannot be {done}: {error}', hint=remedy(error)
        ) from error


def set_aside_damaged(path: Path, what: str) -> Path | None:
    """Move the file to a new folder beside it if it is damaged; return that folder.

    Raises:
        StoreError: The file cannot be reached, or is damaged and cannot be moved.
    """
    with store_errors(what, path, "opened"):
        path.parent.mkdir(parents=True, exist_ok=True)
        damage = _damage(path)
    if not damage:
        return None
    try:
        folder = _move_aside(path)
    except OSError as error:
        raise StoreError(
            f'{what} "{path}" is damaged and cannot be moved aside: {error}',
            hint=f"Move the file away by hand, keep it for the record. {remedy(error)}",
        ) from error
    logger.error("%s %s is damaged (%s), moved to %s", what, path, damage, folder.name)
    note_reason(folder, f"{what} is damaged: {damage}")
    return folder


def connect(path: Path, schema: str, what: str) -> sqlite3.Connection:
    """Open the file, new if there is none, and make the tables that are missing.

    A connection commits each statement by itself unless it is told to begin. It may be used
    from any thread, by one at a time.

    Raises:
        StoreError: It cannot be opened.
    """
    with store_errors(what, path, "opened"):
        connection = _connection(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(schema)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def check_writable(path: Path, what: str) -> None:
    """Write something that changes nothing, so that a full disk is seen before anybody needs it.

    On a connection of its own: what others write meanwhile is not touched.

    Raises:
        StoreError: It cannot be written.
    """
    with store_errors(what, path, "written"):
        uri = f"{path.absolute().as_uri()}?mode=rw"  # one that is gone is not made anew
        with closing(sqlite3.connect(uri, timeout=_BUSY_S, uri=True)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute(f"PRAGMA user_version = {version}")  # writes the page all the same


def _connection(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)


def _damage(path: Path) -> str:
    """Return what is wrong inside the file, "" if nothing is.

    Raises:
        sqlite3.OperationalError: It cannot be reached.
    """
    with closing(_connection(path)) as connection:
        try:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            return str(error)
        return "" if verdict == "ok" else str(verdict)


def _move_aside(path: Path) -> Path:
    number = 1
    while (folder := path.with_name(f"{path.name}{MARK}{number}")).exists():
        number += 1
    folder.mkdir()
    for name in (f"{path.name}-wal", f"{path.name}-shm", path.name):  # the file itself at last
        part = path.with_name(name)
        if part.exists():
            part.rename(folder / name)
    return folder

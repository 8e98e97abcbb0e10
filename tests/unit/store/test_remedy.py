"""What a person is told to do follows from the cause."""

import errno
import os
import sqlite3

import pytest

from app.core.errors import StoreError
from app.store.remedy import remedy


def told(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def from_sqlite(code: int, text: str) -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (told(errno.ENOSPC), "Free disk space"),
        (told(errno.EDQUOT), "Free disk space"),
        (told(errno.EACCES), "rights"),
        (told(errno.EPERM), "rights"),
        (told(errno.EROFS), "writable"),
        (told(errno.EMFILE), "log"),
        (from_sqlite(sqlite3.SQLITE_FULL, "database or disk is full"), "Free disk space"),
        (from_sqlite(sqlite3.SQLITE_READONLY_DIRECTORY, "attempt to write"), "rights"),
        (from_sqlite(sqlite3.SQLITE_CANTOPEN, "unable to open database file"), "rights"),
        (from_sqlite(sqlite3.SQLITE_BUSY, "database is locked"), "other program"),
        (from_sqlite(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error"), "Check the disk"),
        (StoreError("LanceError(IO): No space left on device (os error 28)"), "Free disk space"),
        (StoreError("LanceError(IO): Permission denied (os error 13)"), "rights"),
        (StoreError("LanceError(IO): Read-only file system (os error 30)"), "writable"),
        (StoreError("LanceError(IO): no such column"), "log"),
    ],
)
def test_the_remedy_fits_the_cause(error: Exception, word: str) -> None:
    assert word in remedy(error)


def test_the_cause_of_an_error_decides_when_its_text_does_not() -> None:
    outer = StoreError("Table cannot be written")
    outer.__cause__ = told(errno.ENOSPC)
    assert remedy(outer) == remedy(told(errno.ENOSPC))

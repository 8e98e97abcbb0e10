"""What a person can do about a store that refuses, told from the cause."""

import errno
import sqlite3
from collections.abc import Iterator
from enum import Enum, auto


class _Cause(Enum):
    FULL = auto()
    RIGHTS = auto()
    READ_ONLY = auto()
    LOCKED = auto()
    UNKNOWN = auto()


_REMEDIES = {
    _Cause.FULL: "Free disk space; the app goes on by itself",
    _Cause.RIGHTS: "Check the rights of the data folder: the app's user must own or write it",
    _Cause.READ_ONLY: "Make the disk of the data folder writable again; it is mounted read-only",
    _Cause.LOCKED: "Close the other program that has the file open",
    _Cause.UNKNOWN: "Check the disk and the app's log, which has the cause",
}
_ERRNOS = {
    errno.ENOSPC: _Cause.FULL,
    errno.EDQUOT: _Cause.FULL,
    errno.EACCES: _Cause.RIGHTS,
    errno.EPERM: _Cause.RIGHTS,
    errno.EROFS: _Cause.READ_ONLY,
}
_SQLITE = {
    sqlite3.SQLITE_FULL: _Cause.FULL,
    sqlite3.SQLITE_PERM: _Cause.RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _Cause.RIGHTS,
    sqlite3.SQLITE_READONLY: _Cause.RIGHTS,
    sqlite3.SQLITE_BUSY: _Cause.LOCKED,
    sqlite3.SQLITE_LOCKED: _Cause.LOCKED,
}
# LanceDB tells the system's error by its words alone.
_WORDS = {
    "No space left": _Cause.FULL,
    "Permission denied": _Cause.RIGHTS,
    "Read-only file system": _Cause.READ_ONLY,
}


def remedy(error: BaseException) -> str:
    """Return what a person can do, one short sentence; the error's causes are looked at too."""
    causes = (_cause(each) for each in _chain(error))
    found = next((cause for cause in causes if cause is not _Cause.UNKNOWN), _Cause.UNKNOWN)
    return _REMEDIES[found]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _cause(error: BaseException) -> _Cause:
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return _ERRNOS[error.errno]
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    if code is not None:
        return _SQLITE.get(code & 0xFF, _Cause.UNKNOWN)  # the low byte is the primary code
    words = str(error)
    return next((cause for text, cause in _WORDS.items() if text in words), _Cause.UNKNOWN)

"""Puts a damaged store aside, so that the app starts and nothing is deleted."""

import shutil
from datetime import datetime
from pathlib import Path

from app.core.errors import StoreError

# Such an error is the machine's, not the store's: the store is left where it is and tried again.
_PASSING = ("No space left", "Permission denied", "Too many open files", "Read-only file system")


def is_damage(error: StoreError) -> bool:
    """Tell damage of the files from a machine that refuses to read them."""
    return not any(text in str(error) for text in _PASSING)


def move_aside(path: Path, now: datetime) -> Path:
    """Move a store or one of its tables to `lancedb.quarantined-<time>` beside the store.

    Raises:
        StoreError: It cannot be moved.
    """
    store = path if path.suffix != ".lance" else path.parent
    folder = store.with_name(f"{store.name}.quarantined-{now:%Y%m%dT%H%M%SZ}")
    target = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    except OSError as error:
        raise StoreError(f'Damaged "{path}" cannot be moved to "{folder}": {error}') from error
    return target

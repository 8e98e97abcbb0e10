"""Puts a damaged store aside, so that the app starts and nothing is deleted."""

import logging
import shutil
from datetime import datetime
from pathlib import Path

from app.core.errors import StoreError

logger = logging.getLogger(__name__)

REASON_FILE = "reason.txt"
"""In each folder of what was put aside."""

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


def note_reason(folder: Path, reason: str) -> None:
    """Add a line to the folder's reasons; a disk that refuses it is logged, the move counts."""
    try:
        with (folder / REASON_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{reason}\n")
    except OSError as error:
        logger.warning("Reason of %s is not noted: %s", folder, error)

"""Puts a damaged store aside, so that the app starts and nothing is deleted; lists what was."""

import logging
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from app.core.errors import StoreError
from app.core.quarantined import MARK, REASON_FILE, Quarantined

logger = logging.getLogger(__name__)

# Such an error is the machine's, not the store's: the store is left where it is and tried again.
_PASSING = ("No space left", "Permission denied", "Too many open files", "Read-only file system")


def is_damage(error: StoreError) -> bool:
    """Tell damage of the files from a machine that refuses to read them."""
    return not any(text in str(error) for text in _PASSING)


def move_aside(path: Path, now: datetime, reason: str) -> Path:
    """Move a store or one of its tables to `lancedb.quarantined-<time>` beside the store.

    Raises:
        StoreError: It cannot be moved.
    """
    store = path if path.suffix != ".lance" else path.parent
    folder = store.with_name(f"{store.name}{MARK}{now:%Y%m%dT%H%M%SZ}")
    target = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    except OSError as error:
        raise StoreError(f'Damaged "{path}" cannot be moved to "{folder}": {error}') from error
    note_reason(folder, reason)
    return target


def note_reason(folder: Path, reason: str) -> None:
    """Add a line to the folder's reasons; a disk that refuses it is logged, the move counts."""
    try:
        with (folder / REASON_FILE).open("a", encoding="utf-8") as file:
            file.write(f"{reason}\n")
    except OSError as error:
        logger.warning("Reason of %s is not noted: %s", folder, error)


def list_quarantined(data_dir: Path, history_uri: str = "") -> list[Quarantined]:
    """Return what was moved aside of all stores, the newest first; blocking.

    Args:
        data_dir: Home folder of the stores.
        history_uri: As in the setting; a history elsewhere on this computer is looked at too.
    """
    places = {data_dir.resolve()}
    if history_uri and "://" not in history_uri:
        places.add(Path(history_uri).resolve().parent)
    found: list[Quarantined] = []
    for place in places:
        for folder in place.glob(f"*{MARK}*"):
            with suppress(FileNotFoundError):  # deleted while we looked
                found.append(_describe(folder))
    return sorted(found, key=lambda each: each.at, reverse=True)


def size_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # dropped while we looked
            total += file.stat().st_size
    return total


def _describe(folder: Path) -> Quarantined:
    reason = ""
    with suppress(OSError):  # the disk had no room for it
        reason = "; ".join((folder / REASON_FILE).read_text("utf-8").splitlines())
    return Quarantined(
        name=folder.name.partition(MARK)[0],
        path=str(folder),
        size_bytes=size_bytes(folder),
        at=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
        reason=reason,
    )

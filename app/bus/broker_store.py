"""The folder in which the embedded broker keeps its messages: check it, set it aside."""

import logging
import os
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

from app.core.quarantined import MARK, REASON_FILE

logger = logging.getLogger(__name__)

_RECORD_HEAD_BYTES = 30  # 22 of header, 8 of checksum: the shortest record of nats-server
_RECORD_LIMIT_BYTES = 32 * 2**20  # nats-server's own bound of a sane record (rlBadThresh)
_ROOM_BYTES = 2**20
_HAS_HEADERS = 0x80000000  # top bit of a record's length


def damaged_file(store: Path) -> Path | None:
    """Return a message file of nats-server that begins no sane record somewhere, or None.

    nats-server 2.15.1 cuts such a file at that place and goes on without a word. A record that
    is only cut short at the end of a file is what a kill leaves, and no damage.
    """
    return next((file for file in sorted(store.rglob("*.blk")) if not _is_sane(file)), None)


def _is_sane(file: Path) -> bool:
    size = file.stat().st_size
    with file.open("rb") as stream:
        place = 0
        while place + 4 <= size:
            stream.seek(place)
            length = int.from_bytes(stream.read(4), "little") & ~_HAS_HEADERS
            if not _RECORD_HEAD_BYTES <= length <= _RECORD_LIMIT_BYTES:
                return False
            place += length
    return True


def has_room(store: Path) -> bool:
    """Tell whether the disk takes some messages; writes a file beside them and deletes it."""
    trial = store / "room"
    try:
        with trial.open("wb") as stream:
            stream.write(bytes(_ROOM_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        return False
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)
    return True


def quarantine(store: Path, at: datetime, reason: str) -> str:
    """Rename `store` to `<name>.quarantined-<time>` and note why in it; return the new name.

    Raises:
        OSError: The folder cannot be renamed.
    """
    stem = f"{store.name}{MARK}{at:%Y%m%dT%H%M%SZ}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    name = next(name for name in names if not (store.parent / name).exists())
    folder = store.rename(store.parent / name)
    try:
        (folder / REASON_FILE).write_text(f"{reason}\n", "utf-8")
    except OSError as error:  # the store is moved all the same
        logger.warning("Reason of %s is not noted: %s", folder, error)
    return name

"""Opens the historian's store, putting damaged parts aside with the reason."""

import logging
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.core.errors import StoreError
from app.store.catalogue import Catalogue
from app.store.chunks import DayTables, table_name, telling
from app.store.hot import HotLog, Unrolled
from app.store.lance import Lance
from app.store.quarantine import is_damage, move_aside, size_bytes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenStore:
    """An opened store.

    Attributes:
        tables: The day tables.
        log: The write-ahead tables.
        recovered: Readings an earlier process left in them.
        notes: What was moved aside and why.
        folder: Where the tables are; None for a remote store.
    """

    tables: DayTables
    log: HotLog
    recovered: Unrolled
    notes: tuple[str, ...]
    folder: Path | None

    def size_bytes(self) -> int:
        """Return the bytes on disk, 0 for a remote store."""
        return size_bytes(self.folder) if self.folder else 0

    def move_unreadable(self, now: datetime) -> list[str]:
        """Move day tables aside that a read found damaged; return what was moved and why."""
        notes: list[str] = []
        for day, reason in list(self.tables.unreadable.items()):
            if self.folder is None or not is_damage(StoreError(reason)):
                self.tables.unreadable.pop(day, None)
                continue
            path = self.folder / f"{table_name(day)}.lance"
            where = "is gone"
            if path.exists():
                target = move_aside(path, now, f"Day {day} is damaged: {reason}")
                where = f'was moved to "{target}"'
            self.tables.forget(day)
            notes.append(f"Day {day} is damaged and {where}: {reason}")
        return notes

    def drop_expired(self, now: datetime, retention: timedelta) -> None:
        """Drop the day tables last written longer ago than `retention`."""
        for day in self.tables.expired(now, retention):
            with telling(f"History of {day} cannot be dropped"):
                self.tables.drop(day)
            logger.info("History of %s dropped: last written more than %s ago", day, retention)

    def tidy(self, now: datetime, quiet: timedelta) -> bool:
        """Tidy or clean one day table not written for `quiet`; return False when none is left."""
        if (day := self.tables.untidy(now, quiet)) is not None:
            with telling(f"History of {day} cannot be tidied"):
                self.tables.tidy(day, now)
            return True
        if (day := self.tables.littered(now)) is not None:
            with telling(f"History of {day} cannot be cleaned"):
                self.tables.clean(day)
        return day is not None


def open_store(uri: str, data_dir: Path, now: datetime) -> OpenStore:
    """Open the store, new if there is none; takes 2 s for the import of lancedb.

    Args:
        uri: LanceDB URI; empty is `lancedb` in `data_dir`.
        data_dir: Home folder; the catalogue stands in it.
        now: For the name of the folder that damaged parts are moved to.

    Raises:
        StoreError: The machine refuses: disk full, no permission, remote store unreachable.
    """
    folder = None if "://" in uri else Path(uri or data_dir / "lancedb")
    notes: list[str] = []
    try:
        lance = Lance(str(folder or uri))
    except StoreError as error:
        if folder is None or not folder.exists() or not is_damage(error):
            raise
        notes.append(f'The store was moved to "{move_aside(folder, now, str(error))}": {error}')
        lance = Lance(str(folder))
    if folder:
        _drop_unwritten(folder)
    tables = DayTables(lance, Catalogue.load(data_dir / "history.json"))
    tables.find(now)
    log = HotLog(lance)
    recovered, broken = log.load()
    for name, reason in broken:
        if folder is None or not is_damage(StoreError(reason)):
            raise StoreError(reason)
        target = move_aside(folder / f"{name}.lance", now, f'"{name}" is damaged: {reason}')
        lance.forget(name)
        notes.append(f'"{name}" is damaged and was moved to "{target}": {reason}')
    return OpenStore(tables, log, recovered, tuple(notes), folder)


def _drop_unwritten(folder: Path) -> None:
    """Delete the folders of tables that were never written: a full disk leaves such behind."""
    for table in folder.glob("*.lance"):
        if table.is_dir() and not (_holds_files(table, "_versions") or _holds_files(table, "data")):
            try:
                shutil.rmtree(table)
            except OSError as error:
                logger.warning('Empty table "%s" cannot be deleted: %s', table, error.strerror)
            else:
                logger.info('Table "%s" was never written and is dropped', table.name)


def _holds_files(table: Path, part: str) -> bool:
    return any(path.is_file() for path in (table / part).rglob("*"))

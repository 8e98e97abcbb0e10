"""The alarm journal: append-only lines in SQLite, with the present alarms beside them.

`journal` is the record of who did what when: triggers refuse UPDATE, DELETE and a gap in the
numbers. `occurrences` (one row each time an alarm was raised) and `alarms` (the present state)
follow from it and are written in the same transaction, so that a crash leaves all or nothing.
Blocking; callers on the event loop use a thread.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from app.core.alarm import Alarm, AlarmState, JournalEntry
from app.core.alarm_machine import AlarmEvent
from app.core.alarm_record import AlarmRecord, Change
from app.core.errors import StoreError
from app.store.journal_file import SCHEMA
from app.store.sqlite_file import check_writable, connect, set_aside_damaged, store_errors

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WHAT = "Alarm journal"
_COLUMNS = (
    "number, at, alarm_id, actor, source, event, old, new, why, priority, equipment, message, value"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """What part of the past is asked for; empty fields ask for all.

    Attributes:
        start: First moment, UTC.
        end: Moment after the last, UTC.
        states: States an occurrence may have (its last one, if it is over).
        priorities: 1 to 4.
        equipment: Path, or the beginning of one up to a slash.
        text: Part of message, equipment or alarm id, any case.
        alarm_id: One alarm only.
    """

    start: datetime | None = None
    end: datetime | None = None
    states: tuple[AlarmState, ...] = ()
    priorities: tuple[int, ...] = ()
    equipment: str = ""
    text: str = ""
    alarm_id: str = ""


class Occurrence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One time an alarm was raised, as it stood at the end of that time.

    Attributes:
        number: Of the journal line that raised it.
        alarm: The alarm then; its present form if `current`.
        current: It is the alarm's latest occurrence.
    """

    number: int
    alarm: Alarm
    current: bool


class AlarmJournal:
    """Owns the journal file; safe to call from several threads.

    Attributes:
        moved_aside: Folder a damaged file was put in when it was opened; None if it was sound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._write: sqlite3.Connection | None = None
        self._read_lock = threading.Lock()
        self._read: sqlite3.Connection | None = None
        self.moved_aside: Path | None = None

    def open(self) -> None:
        """Open or create the file; one that cannot be read is moved aside first.

        Raises:
            StoreError: The folder cannot be written, or a damaged file not be moved.
        """
        self.moved_aside = set_aside_damaged(self._path, _WHAT) or self.moved_aside
        self._write = connect(self._path, SCHEMA, _WHAT)
        self._read = connect(self._path, SCHEMA, _WHAT)

    def check(self) -> None:
        """See that the file can be written.

        Raises:
            StoreError: It cannot.
        """
        check_writable(self._path, _WHAT)

    def close(self) -> None:
        """Close the file; may be called again."""
        with self._lock, self._read_lock:
            for connection in (self._read, self._write):
                if connection is not None:
                    connection.close()
            self._read = self._write = None

    def append(self, changes: Sequence[Change]) -> list[JournalEntry]:
        """Write lines and alarms in one transaction; return the lines with their numbers.

        When it returns they are on disk (WAL, synchronous FULL).

        Raises:
            StoreError: Nothing was written.
        """
        with self._lock, store_errors(_WHAT, self._path, "read or written"):
            connection = _opened(self._write, self._path)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                row = connection.execute("SELECT coalesce(max(number), 0) FROM journal").fetchone()
                return [
                    _append(connection, number, change)
                    for number, change in enumerate(changes, int(row[0]) + 1)
                ]

    def load(self) -> list[AlarmRecord]:
        """Return the alarms that are not normal or still chatter."""
        query = "SELECT record FROM alarms WHERE state <> ? ORDER BY occurrence"
        return self._records(query, (AlarmState.NORMAL.value,))

    def find(self, alarm_ids: Sequence[str]) -> list[AlarmRecord]:
        """Return the alarms of these ids that were ever raised."""
        found: list[AlarmRecord] = []
        for alarm_id in alarm_ids:
            found += self._records("SELECT record FROM alarms WHERE alarm_id = ?", (alarm_id,))
        return found

    def entries(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        alarm_id: str = "",
        limit: int = 100_000,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Return journal lines, the newest first, at most `limit`, numbers below `before`."""
        where, values = _where(HistoryFilter(start=start, end=end, alarm_id=alarm_id), "at")
        if before is not None:
            where.append("number < ?")
            values.append(before)
        rows = self._query(
            f"SELECT {_COLUMNS} FROM journal{_and(where)} ORDER BY number DESC LIMIT ?",  # noqa: S608  only our own column names
            (*values, limit),
        )
        return [_entry(row) for row in rows]

    def lines(self, start: datetime, end: datetime, at_once: int = 5_000) -> Iterator[JournalEntry]:
        """Yield the journal lines of [start, end) in order of time, reading `at_once` together."""
        query = (
            f"SELECT {_COLUMNS} FROM journal WHERE (at, number) > (?, ?) AND at < ?"  # noqa: S608  only our own column names
            " ORDER BY at, number LIMIT ?"
        )
        place, until = (_microseconds(start), 0), _microseconds(end)
        while rows := self._query(query, (*place, until, at_once)):
            yield from map(_entry, rows)
            place = (rows[-1][1], rows[-1][0])

    def occurrences(self, wanted: HistoryFilter, limit: int, offset: int = 0) -> list[Occurrence]:
        """Return times alarms were raised, the newest first."""
        where, values = _where(wanted, "raised_at")
        rows = self._query(
            "SELECT o.number, o.alarm, o.number = a.occurrence FROM occurrences o"  # noqa: S608  only our own column names
            f" JOIN alarms a USING (alarm_id){_and(where)}"
            " ORDER BY o.raised_at DESC, o.number DESC LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [
            Occurrence(number, known, bool(current))
            for number, alarm, current in rows
            if (known := _readable(alarm, Alarm))
        ]

    def count_occurrences(self, wanted: HistoryFilter) -> int:
        """Count the times alarms were raised."""
        where, values = _where(wanted, "raised_at")
        query = f"SELECT count(*) FROM occurrences o{_and(where)}"  # noqa: S608  only our own column names
        return int(self._query(query, tuple(values))[0][0])

    def _records(self, query: str, values: tuple[str | int, ...]) -> list[AlarmRecord]:
        rows = self._query(query, values)
        return [found for row in rows if (found := _readable(row[0], AlarmRecord))]

    def _query(self, query: str, values: tuple[str | int | float, ...]) -> list[sqlite3.Row]:
        with self._read_lock, store_errors(_WHAT, self._path, "read or written"):
            return _opened(self._read, self._path).execute(query, values).fetchall()


def _readable(payload: bytes, type_: type[T]) -> T | None:
    """Return what a row holds; None if another version wrote it: it is raised anew if it holds."""
    try:
        return msgspec.json.decode(payload, type=type_)
    except msgspec.MsgspecError as error:
        logger.warning("An alarm is left out, its row cannot be read: %s", error)
        return None


def _append(connection: sqlite3.Connection, number: int, change: Change) -> JournalEntry:
    entry, alarm = msgspec.structs.replace(change.entry, number=number), change.record.alarm
    connection.execute(
        f"INSERT INTO journal ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608  a constant
        (
            number,
            _microseconds(entry.at),
            entry.alarm_id,
            entry.actor,
            entry.source,
            entry.event,
            entry.old.value,
            entry.new.value,
            entry.why,
            entry.priority,
            entry.equipment,
            entry.message,
            entry.value,
        ),
    )
    occurrence = _occurrence(connection, entry)
    connection.execute(
        "INSERT INTO occurrences VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (number) DO UPDATE SET"
        " state = excluded.state, priority = excluded.priority, message = excluded.message,"
        " alarm = excluded.alarm",
        (
            occurrence,
            alarm.id,
            _microseconds(alarm.raised_at),
            _standing(alarm),
            int(alarm.finding.priority or entry.priority),
            alarm.finding.equipment,
            alarm.finding.message,
            msgspec.json.encode(alarm),
        ),
    )
    connection.execute(
        "INSERT OR REPLACE INTO alarms VALUES (?,?,?,?)",
        (alarm.id, occurrence, _standing(alarm), msgspec.json.encode(change.record)),
    )
    return entry


def _standing(alarm: Alarm) -> str:
    """Return the state column: a normal alarm that still chatters is not over yet."""
    is_calm = alarm.state is not AlarmState.NORMAL or not alarm.chattering
    return alarm.state.value if is_calm else "chattering"


def _occurrence(connection: sqlite3.Connection, entry: JournalEntry) -> int:
    row = connection.execute(
        "SELECT occurrence FROM alarms WHERE alarm_id = ?", (entry.alarm_id,)
    ).fetchone()
    if row is None or entry.event == AlarmEvent.RAISE:
        if row is not None:
            connection.execute(
                "UPDATE occurrences SET state = ? WHERE number = ?",
                (AlarmState.NORMAL.value, row[0]),
            )
        return entry.number
    return int(row[0])


def _where(wanted: HistoryFilter, time_column: str) -> tuple[list[str], list[str | int | float]]:
    where: list[str] = []
    values: list[str | int | float] = []
    for condition, moment in (
        (f"{time_column} >= ?", wanted.start),
        (f"{time_column} < ?", wanted.end),
    ):
        if moment is not None:
            where.append(condition)
            values.append(_microseconds(moment))
    for column, choices in (
        ("o.state", tuple(state.value for state in wanted.states)),
        ("o.priority", wanted.priorities),
    ):
        if choices:
            where.append(f"{column} IN ({','.join('?' * len(choices))})")
            values.extend(choices)
    if wanted.equipment:
        where.append(r"(o.equipment = ? OR o.equipment LIKE ? ESCAPE '\')")
        values += [wanted.equipment.rstrip("/"), _like(wanted.equipment.rstrip("/")) + "/%"]
    if wanted.text:
        where.append(
            r"(o.message LIKE ? ESCAPE '\' OR o.equipment LIKE ? ESCAPE '\' OR o.alarm_id = ?)"
        )
        values += [f"%{_like(wanted.text)}%", f"%{_like(wanted.text)}%", wanted.text]
    if wanted.alarm_id:
        where.append("alarm_id = ?")
        values.append(wanted.alarm_id)
    return where, values


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")


def _and(where: list[str]) -> str:
    return f" WHERE {' AND '.join(where)}" if where else ""


def _entry(row: sqlite3.Row) -> JournalEntry:
    number, at, alarm_id, actor, source, event, old, new, why, *rest = row
    priority, equipment, message, value = rest
    return JournalEntry(
        number=number,
        at=_EPOCH + at * _MICROSECOND,
        alarm_id=alarm_id,
        actor=actor,
        event=event,
        old=AlarmState(old),
        new=AlarmState(new),
        why=why,
        priority=priority,
        equipment=equipment,
        message=message,
        value=value,
        source=source,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _opened(connection: sqlite3.Connection | None, path: Path) -> sqlite3.Connection:
    if connection is None:
        raise StoreError(
            f'Alarm journal "{path}" is not open',
            hint="Mend the data folder, then start the app again",
        )
    return connection

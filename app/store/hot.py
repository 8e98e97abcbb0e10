"""Readings not yet in a day table: in memory for reads, in write-ahead tables for safety."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from app.core.errors import StoreError
from app.core.reading import Reading
from app.store.arrow import hot_rows, hot_schema
from app.store.lance import Lance, Table
from app.store.quarantine import is_damage
from app.store.series import QUALITY_CODES, Columns, columns, to_us

HOT = "telemetry_hot"


@dataclass(slots=True)
class Rows:
    """Readings of many tags as growing columns: the next batch of the write-ahead table."""

    tags: list[str] = field(default_factory=list[str])
    times_us: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    qualities: "array[int]" = field(default_factory=lambda: array("B"))

    def __len__(self) -> int:
        return len(self.tags)

    def extend(self, rows: "Rows") -> None:
        """Add rows of the same kind."""
        self.tags.extend(rows.tags)
        self.times_us.extend(rows.times_us)
        self.values.extend(rows.values)
        self.qualities.extend(rows.qualities)

    def take(self, readings: Iterable[Reading]) -> None:
        """Add readings."""
        for reading in readings:
            self.tags.append(reading.tag)
            self.times_us.append(to_us(reading.source_time))
            self.values.append(float("nan") if reading.value is None else reading.value)
            self.qualities.append(QUALITY_CODES[reading.quality])

    def join(self, other: "Rows") -> "Rows":
        """Return these rows and then those of `other`."""
        return Rows(
            self.tags + other.tags,
            self.times_us + other.times_us,
            self.values + other.values,
            self.qualities + other.qualities,
        )


_NONE = Rows()


class Unrolled:
    """Rows by tag that still wait for their day table.

    Attributes:
        tables: Names of the write-ahead tables that hold these rows.
        rows: How many there are, repeats counted.
    """

    def __init__(self, tables: Sequence[str] = ()) -> None:
        self.tables = list(tables)
        self.rows = 0
        self._tags: dict[str, Rows] = {}

    def add(self, rows: Rows) -> None:
        """Take in a batch."""
        for tag, time_us, value, quality in zip(
            rows.tags, rows.times_us, rows.values, rows.qualities, strict=True
        ):
            kept = self._tags.get(tag)
            if kept is None:
                kept = self._tags[tag] = Rows()
            kept.times_us.append(time_us)
            kept.values.append(value)
            kept.qualities.append(quality)
        self.rows += len(rows)

    def tags(self) -> list[str]:
        """Return the tags that have rows."""
        return list(self._tags)

    def columns(self, tag: str) -> Columns:
        """Copy the rows of a tag, in order of arrival."""
        rows = self._tags.get(tag, _NONE)
        return columns(rows.times_us, rows.values, rows.qualities)


# A commit writes the list of all files of its table, so a long table makes commits slow: at 2,000
# batches 12 ms and 1 GB (measured before the build). Compacting instead costs twice the CPU and
# grew the process by 5 MB a minute (docs/decisions/0010).
_BATCHES_A_TABLE = 100


class HotLog:
    """The write-ahead tables: `telemetry_hot_<n>`, appended in batches, dropped when rolled.

    A new number begins with each roll and after _BATCHES_A_TABLE batches, so that rolled rows go
    away by dropping tables and not by deleting rows. A crash before the drop leaves rows that are
    also in a day table; reads remove such repeats.
    """

    def __init__(self, lance: Lance) -> None:
        self._lance = lance
        self._number: int = 0
        self._table: Table | None = None
        self._batches = 0

    def load(self) -> tuple[Unrolled, list[tuple[str, str]]]:
        """Read what an earlier process left; return it and the unreadable tables with reasons."""
        names = [name for name in self._lance.names() if name.startswith(f"{HOT}_")]
        self._number = max((int(name.rpartition("_")[2]) for name in names), default=0)
        unrolled, broken = Unrolled(), list[tuple[str, str]]()
        for name in names:
            try:
                rows = _read(self._lance.open(name))
            except StoreError as error:
                broken.append((name, str(error)))
            else:
                unrolled.add(rows)
                unrolled.tables.append(name)
        return unrolled, broken

    def append(self, rows: Rows, unrolled: Unrolled) -> None:
        """Commit a batch; the table is noted in `unrolled`, made if it is the first.

        Raises:
            StoreError: It is not written; the next try begins a new table if this one is damaged.
        """
        table = self._table
        is_full = self._batches >= _BATCHES_A_TABLE
        if table is None or is_full or table.name not in unrolled.tables:
            table = self._begin(unrolled)
        batch = hot_rows(rows.tags, rows.times_us, rows.values, rows.qualities)
        try:
            table.append(batch)
        except StoreError as error:
            if is_damage(error):  # its rows are still in memory
                self._table = None
            raise
        self._batches += 1

    def _begin(self, unrolled: Unrolled) -> Table:
        if self._table is not None:
            self._lance.forget(self._table.name)
        number = self._number + 1
        name = f"{HOT}_{number:08d}"
        try:
            self._table = self._lance.create(name, hot_schema())
        except StoreError as error:
            if is_damage(error):  # a full disk leaves an empty folder, which the next try takes
                self._number = number
            raise
        self._number, self._batches = number, 0
        unrolled.tables.append(name)
        return self._table

    def drop(self, unrolled: Unrolled) -> None:
        """Drop the tables of rows that are now in day tables."""
        self._lance.drop(*unrolled.tables)
        if self._table is not None and self._table.name in unrolled.tables:
            self._table = None


def _read(table: Table) -> Rows:
    found = table.rows()
    return Rows(
        found["tag"].to_pylist(),
        array("q", found["time_us"].to_numpy().tobytes()),
        array("d", found["value"].to_numpy().tobytes()),
        array("B", found["quality"].to_numpy().tobytes()),
    )

"""The day tables: one row a tag-hour, BITMAP indexes on tag and hour, one table a UTC day.

A roll appends its rows as they are; late readings of an hour make a second row of that tag-hour.
`tidy` joins such rows once the day has been left alone. Reads join them at any time.
"""

import contextlib
import itertools
from collections.abc import Container, Generator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from app.core.errors import StoreError
from app.store.arrow import chunk_columns, chunk_rows, chunk_schema
from app.store.catalogue import Catalogue, Day
from app.store.lance import Lance, Table
from app.store.quarantine import is_damage
from app.store.series import (
    DAY_US,
    EARLIEST_US,
    HOUR_US,
    LATEST_US,
    Columns,
    from_us,
    to_us,
)

_PREFIX = "day_"
# Readings held at once while a day is tidied: 17 bytes each and some copies, so about 50 MB.
_TIDY_ROWS = 500_000
# A larger day stays in parts: rewriting it would hold up the batches for more than some seconds.
_TIDY_DAY_ROWS = 20_000_000
_LONGEST_READ = timedelta(minutes=30)
_LISTS = ("hour_us", "written_us", "count", "offsets", "values", "qualities")


class DayTables:
    """Reads and writes the day tables; writing from one thread, reading from any."""

    def __init__(self, lance: Lance, catalogue: Catalogue) -> None:
        self._lance = lance
        self.catalogue = catalogue
        self.unreadable: dict[date, str] = {}

    def find(self, now: datetime) -> None:
        """Bring the catalogue in line with the tables that exist."""
        days = (_day_of(name) for name in self._lance.names())
        self.catalogue.complete((day for day in days if day is not None), now)

    def put(self, day: date, series: Mapping[str, Columns], now: datetime) -> None:
        """Append the readings of one day; each series is ordered and without repeats.

        Raises:
            StoreError: They are not in the table, or twice when put again; it is in `unreadable`.
        """
        old = self.catalogue.days.get(day) or Day(now)
        try:
            table = self._lance.create(table_name(day), chunk_schema())
            table.append(chunk_rows(series, max(to_us(now), to_us(old.last_write) + 1)))
            _index(table)
        except StoreError as error:
            self.unreadable[day] = str(error)
            raise
        rows = old.rows + sum(len(columns) for columns in series.values())
        self.catalogue.put(day, Day(now, rows, old.parts + 1, max(old.tags, len(series))))

    def read(self, tag: str, start_us: int, end_us: int) -> Columns:
        """Return the readings of a validated tag path, ordered, without repeats.

        A day that cannot be read is left out and noted in `unreadable`.
        """
        days = [day for day in sorted(self.catalogue.days) if _overlaps(day, start_us, end_us)]
        rows = self._rows({day: _where(day, tag, start_us, end_us) for day in days}, _LISTS)
        return chunk_columns(list(rows.values())).between(start_us, end_us)

    def tags(self, day: date) -> dict[str, int]:
        """Return the tags of a day with their number of readings, repeats counted."""
        rows = self._lance.open(table_name(day)).rows(only=("tag", "count"))
        counts: dict[str, int] = {}
        for tag, count in zip(rows["tag"].to_pylist(), rows["count"].to_pylist(), strict=True):
            counts[tag] = counts.get(tag, 0) + count
        return dict(sorted(counts.items()))

    def counts(self, without: Container[str]) -> dict[str, int]:
        """Return the number of readings by tag but those of `without`, repeats removed.

        A day that cannot be read is left out and noted in `unreadable`.
        """
        counts: dict[str, int] = {}
        for day in list(self.catalogue.days):
            found = self._rows({day: ""}, ("tag", "hour_us", "count"))
            if day not in found:
                continue
            rows = found[day]
            hours: dict[tuple[str, int], list[int]] = {}
            names, begins, sizes = (rows[name].to_pylist() for name in ("tag", "hour_us", "count"))
            for tag, hour_us, size in zip(names, begins, sizes, strict=True):
                if tag not in without:
                    hours.setdefault((tag, hour_us), []).append(size)
            for (tag, hour_us), parts in hours.items():
                is_split = len(parts) > 1
                size = len(self.read(tag, hour_us, hour_us + HOUR_US)) if is_split else parts[0]
                counts[tag] = counts.get(tag, 0) + size
        return counts

    def untidy(self, now: datetime, quiet: timedelta) -> date | None:
        """Return a past day written in several parts that has been left alone for `quiet`."""
        today = now.astimezone(UTC).date()
        for day, entry in self.catalogue.days.items():
            is_left_alone = day < today and now - entry.last_write >= quiet
            is_small = entry.rows <= _TIDY_DAY_ROWS
            if is_left_alone and entry.parts > 1 and is_small and day not in self.unreadable:
                return day
        return None

    def tidy(self, day: date, now: datetime) -> None:
        """Rewrite a day as one ordered row a tag-hour, in one commit, in bounded memory.

        The files of before stay for reads that are under way, until `clean`.

        Raises:
            StoreError: It is as before; a day that cannot be read is in `unreadable`.
        """
        entry = self.catalogue.days[day]
        kept: list[int] = []
        written_us = to_us(entry.last_write)
        with self._noting_damage(day):
            table, counts = self._lance.open(table_name(day)), self.tags(day)
            table.overwrite(chunk_schema(), _tidied(table, _groups(counts), written_us, kept))
            _index(table)
        self.catalogue.put(day, Day(entry.last_write, sum(kept), 1, len(counts), now))

    def littered(self, now: datetime) -> date | None:
        """Return a day that still has the files of before it was tidied, and no reader of them."""
        for day, entry in self.catalogue.days.items():
            is_littered = entry.tidied_at is not None and now - entry.tidied_at >= _LONGEST_READ
            if is_littered and day not in self.unreadable:
                return day
        return None

    def clean(self, day: date) -> None:
        """Delete the files that a tidied day no longer needs: as much again as the day itself.

        Raises:
            StoreError: They are still there; a day that cannot be read is in `unreadable`.
        """
        with self._noting_damage(day):
            self._lance.open(table_name(day)).clean()
        entry = self.catalogue.days[day]
        self.catalogue.put(day, Day(entry.last_write, entry.rows, entry.parts, entry.tags))

    def expired(self, now: datetime, retention: timedelta) -> list[date]:
        """Return the days whose last write is older than `retention`."""
        days = self.catalogue.days.items()
        return [day for day, entry in days if now - entry.last_write > retention]

    def drop(self, day: date) -> None:
        """Delete a day.

        Raises:
            StoreError: It is not deleted, or not all of it; it can be dropped again.
        """
        entry = self.catalogue.days[day]
        try:
            self.catalogue.remove(day)
            self._lance.drop(table_name(day))
        except StoreError:
            self.catalogue.days = {**self.catalogue.days, day: entry}
            raise

    def forget(self, day: date) -> None:
        """Take a day whose table was moved away out of the catalogue."""
        self._lance.forget(table_name(day))
        self.catalogue.remove(day)
        self.unreadable.pop(day, None)

    @contextlib.contextmanager
    def _noting_damage(self, day: date) -> Generator[None]:
        """Note a day in `unreadable` when work on it fails and it cannot be read either.

        A disk that refuses a rewrite tells nothing about the day, so that is asked of the day.
        """
        try:
            yield
        except StoreError:
            try:
                self._read_all(day)
            except StoreError as error:
                if is_damage(error):
                    self.unreadable[day] = str(error)
            raise

    def _read_all(self, day: date) -> None:
        table = self._lance.open(table_name(day))
        for group in _groups(self.tags(day)):
            table.rows(_among(group))

    def _rows(self, wheres: Mapping[date, str], only: Sequence[str]) -> dict[date, Any]:
        """Return rows of days as Arrow tables; a day that cannot be read is left out and noted."""
        days = list(wheres)
        found = self._lance.read({table_name(day): wheres[day] for day in days}, only)
        for day, rows in zip(days, found, strict=True):
            if isinstance(rows, StoreError) and day in self.catalogue.days:  # else just dropped
                self.unreadable[day] = str(rows)
        pairs = zip(days, found, strict=True)
        return {day: rows for day, rows in pairs if not isinstance(rows, StoreError)}


def table_name(day: date) -> str:
    """Return the name of a day's table."""
    return f"{_PREFIX}{day.isoformat().replace('-', '')}"


@contextlib.contextmanager
def telling(what: str) -> Generator[None]:
    """Put what cannot be done in front of why."""
    try:
        yield
    except StoreError as error:
        raise StoreError(f"{what}: {error}", error.hint) from error


def by_day(series: Mapping[str, Columns]) -> dict[date, dict[str, Columns]]:
    """Split ordered series of tags by UTC day; times that no calendar holds are left out."""
    days: dict[date, dict[str, Columns]] = {}
    for tag, every in series.items():
        columns = every.between(EARLIEST_US, LATEST_US + 1)
        numbers = columns.times_us // DAY_US
        cuts = np.flatnonzero(np.diff(numbers)) + 1
        bounds = [0, *cuts.tolist(), len(columns)]
        for begin, end in itertools.pairwise(bounds):
            if begin < end:
                part = Columns(
                    columns.times_us[begin:end],
                    columns.values[begin:end],
                    columns.qualities[begin:end],
                )
                days.setdefault(from_us(int(part.times_us[0])).date(), {})[tag] = part
    return dict(sorted(days.items()))


def _day_of(name: str) -> date | None:
    digits = name.removeprefix(_PREFIX)
    if digits == name or not digits.isdecimal():
        return None
    with contextlib.suppress(ValueError):
        return date.fromisoformat(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}")
    return None


def _begin_us(day: date) -> int:
    return to_us(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _overlaps(day: date, start_us: int, end_us: int) -> bool:
    return _begin_us(day) < end_us and _begin_us(day) + DAY_US > start_us


def _where(day: date, tag: str, start_us: int, end_us: int) -> str:
    """Return the condition of rows; a second column costs, so the hours only where they exclude."""
    begin_us = _begin_us(day)
    conditions = [f"tag = '{tag}'"]
    if start_us > begin_us:
        conditions.append(f"hour_us >= {start_us // HOUR_US * HOUR_US}")
    if end_us < begin_us + DAY_US:
        conditions.append(f"hour_us < {end_us}")
    return " AND ".join(conditions)


def _index(table: Table) -> None:
    # Without the one on the hour, part of a day is read in two passes, at 1.5 to 4 times the CPU.
    for column in ("tag", "hour_us"):
        table.index(column)


def _groups(counts: Mapping[str, int]) -> Iterator[list[str]]:
    group: list[str] = []
    rows = 0
    for tag, count in counts.items():
        if group and rows + count > _TIDY_ROWS:
            yield group
            group, rows = [], 0
        group.append(tag)
        rows += count
    if group:
        yield group


def _tidied(
    table: Table, groups: Iterator[list[str]], written_us: int, kept: list[int]
) -> Iterator[Any]:
    for group in groups:
        rows = table.rows(_among(group))
        tags = np.array(rows["tag"].to_pylist())
        series = {tag: chunk_columns([rows.take(np.flatnonzero(tags == tag))]) for tag in group}
        kept.append(sum(len(columns) for columns in series.values()))
        yield from chunk_rows(series, written_us).to_batches()


def _among(tags: Sequence[str]) -> str:
    names = ", ".join(f"'{tag}'" for tag in tags)
    return f"tag IN ({names})"

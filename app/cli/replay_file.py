"""Reads a CSV file as messages with a source time each, ready to be published."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple, TextIO

from app.core.errors import InputError
from app.ingest.fields import number
from app.ingest.times import parse_time

TIME_KEY = "Timestamp"
MACHINE_KEY = "Machine_ID"
_TIME_NAMES = ("timestamp", "time", "datetime", "date_time", "date", "ts")
_GZIP = b"\x1f\x8b"
_LOOKED_AT = 50
_LINE_CHARACTERS = 1_000_000  # a machine's row has some hundred
_INT_DIGITS = 16  # more do not fit a double exactly
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
SPACING = timedelta(seconds=1)
_STEP = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a first reading of the file tells.

    Attributes:
        columns: Names in the header.
        rows: Number of rows.
        time: The column with the time; None if there is none.
        is_month_first: Dates with slashes put the month first.
    """

    columns: tuple[str, ...]
    rows: int
    time: str | None
    is_month_first: bool


class SkippedRow(NamedTuple):
    """A row that cannot be sent, and why."""

    reason: str


class ReplayFile:
    """A CSV file, plain or gzip, read twice: for its layout and then row by row.

    Raises:
        InputError: It is absent, no UTF-8 text, empty, or has no such column.
    """

    def __init__(self, path: Path, zone: tzinfo, time_column: str = "") -> None:
        self._path = path
        self._zone = zone
        self._columns, self._delimiter = self._header()
        self.layout = self._look(time_column)

    def messages(
        self, names: Mapping[str, str], first: datetime
    ) -> Iterator[dict[str, object] | SkippedRow]:
        """Yield one message a row, or why the row is left out.

        Each has a `Timestamp`, UTC. Two rows of one machine never have the same: a repeated one
        is moved by as many microseconds as it takes. The times of all rows are held in memory,
        about 100 bytes each.

        Args:
            names: Column to key; an empty key leaves the column out, an absent column keeps
                its name.
            first: Time of the first row where the file has no time; rows follow each second.
        """
        used: set[tuple[object, datetime]] = set()
        for place, (line, row) in enumerate(self._rows()):
            try:
                at = self._time(row, first + place * SPACING)
                message = self._message(row, names)
            except InputError as error:
                yield SkippedRow(f"line {line}: {error}")
                continue
            machine = message.get(MACHINE_KEY)
            while (machine, at) in used:
                at += _STEP
            used.add((machine, at))
            message[TIME_KEY] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
            yield message

    def _message(self, row: list[str], names: Mapping[str, str]) -> dict[str, object]:
        if len(row) != len(self._columns):
            raise InputError(f"{len(row)} values for {len(self._columns)} columns")
        message: dict[str, object] = {}
        for column, raw in zip(self._columns, row, strict=True):
            key, text = names.get(column, column), raw.strip()
            if key and column != self.layout.time and text:
                message[key] = text if key == MACHINE_KEY else _value(text)
        return message

    def _time(self, row: list[str], otherwise: datetime) -> datetime:
        if self.layout.time is None:
            return otherwise
        place = self._columns.index(self.layout.time)
        text = row[place] if place < len(row) else ""
        at = self._parse(text, is_month_first=self.layout.is_month_first)
        if at is None:
            raise InputError(f'"{text[:40]}" in column "{self.layout.time}" is no time')
        return at

    def _parse(self, text: str, *, is_month_first: bool) -> datetime | None:
        if is_month_first:
            text = _SLASHED.sub(r"\2/\1/\3", text.strip())
        return parse_time(text, self._zone)

    def _look(self, time_column: str) -> Layout:
        if time_column and time_column not in self._columns:
            names = ", ".join(self._columns)
            raise InputError(f'File "{self._path}" has no column "{time_column}"; it has: {names}')
        sample: list[list[str]] = []
        rows, most_first, most_second = 0, 0, 0
        for _, row in self._rows():
            rows += 1
            if rows <= _LOOKED_AT:
                sample.append(row)
            for text in row:
                if "/" in text and (found := _SLASHED.match(text)):
                    most_first = max(most_first, int(found[1]))
                    most_second = max(most_second, int(found[2]))
        if not rows:
            raise InputError(f'File "{self._path}" has a header and no rows')
        is_month_first = most_second > 12 >= most_first
        time = time_column or self._find_time(sample, is_month_first=is_month_first)
        return Layout(self._columns, rows, time, is_month_first)

    def _find_time(self, sample: list[list[str]], *, is_month_first: bool) -> str | None:
        named = [name for name in self._columns if name.lower() in _TIME_NAMES]
        named.sort(key=lambda name: _TIME_NAMES.index(name.lower()))
        for name in [*named, *self._columns]:
            place = self._columns.index(name)
            texts = [row[place] for row in sample if place < len(row)]
            if name not in named and any(number(text) is not None for text in texts):
                continue  # a plain number is a time only under the name of one
            times = [self._parse(text, is_month_first=is_month_first) for text in texts]
            if times and None not in times:
                return name
        return None

    def _header(self) -> tuple[tuple[str, ...], str]:
        with self._reading() as file:
            line = next(_lines(file), "")
            if not line.strip():
                raise InputError(f'File "{self._path}" is empty')
            delimiter = max(",;\t", key=line.count)
            columns = tuple(name.strip() for name in next(csv.reader([line], delimiter=delimiter)))
        if len(set(columns)) != len(columns) or "" in columns:
            raise InputError(f'File "{self._path}" has empty or repeated names in its header')
        return columns, delimiter

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._reading() as file:
            reader = csv.reader(_lines(file), delimiter=self._delimiter)
            next(reader, None)
            for row in reader:
                if row:
                    yield reader.line_num, row

    @contextmanager
    def _reading(self) -> Generator[TextIO]:
        try:
            with self._path.open("rb") as raw:
                is_packed = raw.read(2) == _GZIP
                raw.seek(0)
                plain = gzip.GzipFile(fileobj=raw) if is_packed else raw
                with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="") as file:
                    yield file
        except (OSError, EOFError, zlib.error) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InputError(f'File "{self._path}" cannot be read: {why}') from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f'File "{self._path}" is no CSV text: {error}') from error


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines; one that does not end is refused before it fills the memory."""
    while line := file.readline(_LINE_CHARACTERS):
        if len(line) == _LINE_CHARACTERS:
            raise csv.Error(f"a line has {_LINE_CHARACTERS} characters or more")
        yield line


def _value(text: str) -> object:
    """Return a number where the text is one, so that JSON carries it as such."""
    if text.lstrip("-").isdecimal() and len(text) < _INT_DIGITS:
        return int(text)
    value = number(text)
    return text if value is None else value

"""Readings as the bytes of a CSV or Parquet file, piece by piece.

Arrow has no types and takes 0.1 s to load: it is `Any` here, loaded at the first use.
"""

import importlib
import io
from datetime import timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from app.core.equipment import Tag
from app.store.series import from_us

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ZONE_STEP_US = 900_000_000  # every zone change since 1972 falls on a quarter of an hour


class ExportFile(Protocol):
    """A file that is made from tables with the columns tag, source_time, value, quality."""

    media_type: str

    def head(self) -> bytes:
        """Return what stands before the rows."""
        ...

    def rows(self, table: Any, tag: Tag) -> bytes:  # noqa: ANN401  Arrow
        """Return the rows of one tag; may be empty."""
        ...

    def tail(self) -> bytes:
        """Return what stands after the rows."""
        ...


class CsvFile:
    """Comma-separated text; a spreadsheet takes no text cell of it for a formula."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.media_type = "text/csv; charset=utf-8"
        self._zone = zone

    def head(self) -> bytes:
        """Return the line of column names."""
        return f'"tag","source_time","time in {self._zone.key}","value","unit","quality"\n'.encode()

    def rows(self, table: Any, tag: Tag) -> bytes:  # noqa: ANN401  Arrow
        """Return one line a reading; an absent value is an empty cell."""
        arrow = importlib.import_module("pyarrow")
        csv = importlib.import_module("pyarrow.csv")
        count = table.num_rows
        times_us = table["source_time"].cast(arrow.int64()).to_numpy()
        cells = arrow.table(
            {
                "tag": arrow.repeat(inert(tag.path), count),
                "source_time": utc_texts(times_us),
                "local": local_texts(times_us, self._zone),
                "value": table["value"],
                "unit": arrow.repeat(inert(tag.unit), count),
                "quality": table["quality"],
            }
        )
        out = io.BytesIO()
        csv.write_csv(cells, out, csv.WriteOptions(include_header=False))
        return out.getvalue()

    def tail(self) -> bytes:
        """Return nothing: a CSV file just ends."""
        return b""


class ParquetFile:
    """One row group a call of `rows`."""

    def __init__(self) -> None:
        self.media_type = "application/vnd.apache.parquet"
        self._pipe = _Pipe()
        self._writer: Any = None

    def head(self) -> bytes:
        """Return the magic bytes."""
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
        schema = arrow.schema(
            [
                ("tag", arrow.string()),
                ("source_time", arrow.timestamp("us", "UTC")),
                ("value", arrow.float64()),
                ("unit", arrow.string()),
                ("quality", arrow.string()),
            ]
        )
        self._writer = parquet.ParquetWriter(self._pipe, schema, compression="zstd")
        return self._pipe.take()

    def rows(self, table: Any, tag: Tag) -> bytes:  # noqa: ANN401  Arrow
        """Return a row group."""
        if table.num_rows == 0:
            return b""
        arrow = importlib.import_module("pyarrow")
        unit = arrow.repeat(arrow.scalar(tag.unit, arrow.string()), table.num_rows)
        complete = table.append_column("unit", unit).select(self._writer.schema.names)
        self._writer.write_table(complete.cast(self._writer.schema))
        return self._pipe.take()

    def tail(self) -> bytes:
        """Return the footer."""
        self._writer.close()
        return self._pipe.take()


class _Pipe(io.RawIOBase):
    """A file whose bytes are taken away as they are written."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    @override
    def tell(self) -> int:
        return self._position

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def inert(text: str) -> str:
    """Return `text` so that no spreadsheet runs it (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def utc_texts(times_us: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return (n,) texts like 2026-11-21T14:02:11.000Z of (n,) microseconds since 1970."""
    return np.char.add(_texts(times_us), "Z")


def local_texts(times_us: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.str_]:
    """Return (n,) texts like 2026-11-21T15:02:11.000+01:00 of (n,) microseconds since 1970."""
    steps, step_of = np.unique(times_us // _ZONE_STEP_US, return_inverse=True)
    locals_ = [from_us(int(step) * _ZONE_STEP_US).astimezone(zone) for step in steps]
    shifts = [(at.utcoffset() or timedelta()) // timedelta(microseconds=1) for at in locals_]
    suffixes = np.array([at.isoformat()[-6:] for at in locals_], dtype=np.str_)
    if not len(steps):
        return _texts(times_us)
    return np.char.add(_texts(times_us + np.array(shifts)[step_of]), suffixes[step_of])


def _texts(times_us: NDArray[np.int64]) -> NDArray[np.str_]:
    milliseconds = (times_us // 1000).astype("datetime64[ms]")
    return np.datetime_as_string(milliseconds)

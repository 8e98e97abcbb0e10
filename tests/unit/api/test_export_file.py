"""Exported files: what a spreadsheet and what Arrow read back."""

import csv
import importlib
import io
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.api.export_file import CsvFile, ParquetFile, inert, local_texts
from app.core.equipment import Tag

arrow: Any = importlib.import_module("pyarrow")  # has no types
parquet: Any = importlib.import_module("pyarrow.parquet")
BERLIN = ZoneInfo("Europe/Berlin")
TAG = Tag(path="site/area/line/unit/pressure", unit="bar")


def us(*at: datetime) -> Any:
    return np.array([int(each.timestamp()) * 1_000_000 for each in at], np.int64)


def table(times_us: Any, values: list[float | None]) -> Any:
    return arrow.table(
        {
            "tag": arrow.repeat(TAG.path, len(values)),
            "source_time": arrow.array(times_us).cast(arrow.timestamp("us", "UTC")),
            "value": arrow.array(values, arrow.float64()),
            "quality": arrow.repeat("good", len(values)),
        }
    )


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode())))


def test_a_csv_row_holds_both_times_value_unit_and_quality() -> None:
    file = CsvFile(BERLIN)
    data = file.head() + file.rows(table(us(datetime(2026, 7, 1, 10, tzinfo=UTC)), [1.5]), TAG)
    assert rows_of(data) == [
        ["tag", "source_time", "time in Europe/Berlin", "value", "unit", "quality"],
        [
            TAG.path,
            "2026-07-01T10:00:00.000Z",
            "2026-07-01T12:00:00.000+02:00",
            "1.5",
            "bar",
            "good",
        ],
    ]


def test_an_absent_value_is_an_empty_cell() -> None:
    data = CsvFile(BERLIN).rows(table(us(datetime(2026, 7, 1, tzinfo=UTC)), [None]), TAG)
    assert rows_of(data)[0][3] == ""


def test_no_rows_give_no_lines() -> None:
    assert CsvFile(BERLIN).rows(table(us(), []), TAG) == b""


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    twice = us(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert local_texts(twice, BERLIN).tolist() == [
        "2026-10-25T02:30:00.000+02:00",
        "2026-10-25T02:30:00.000+01:00",
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert inert(text) == f"'{text}"


def test_a_tag_path_stays_as_it_is() -> None:
    assert inert(TAG.path) == TAG.path


def test_a_unit_that_is_a_formula_is_written_as_text() -> None:
    tag = Tag(path=TAG.path, unit='=HYPERLINK("http://x")')
    data = CsvFile(BERLIN).rows(table(us(datetime(2026, 7, 1, tzinfo=UTC)), [1.0]), tag)
    assert rows_of(data)[0][4].startswith("'=")


def test_a_parquet_file_made_in_pieces_reads_back() -> None:
    file = ParquetFile()
    first, second = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)
    data = file.head()
    data += file.rows(table(us(first), [1.0]), TAG)
    data += file.rows(table(us(), []), TAG)
    data += file.rows(table(us(second), [None]), TAG) + file.tail()
    found = parquet.read_table(io.BytesIO(data))
    assert found["source_time"].to_pylist() == [first, second]
    assert found["value"].to_pylist() == [1.0, None]
    assert found["unit"].to_pylist() == ["bar", "bar"]


def test_a_parquet_file_without_rows_is_still_one() -> None:
    file = ParquetFile()
    found = parquet.read_table(io.BytesIO(file.head() + file.tail()))
    assert found.num_rows == 0

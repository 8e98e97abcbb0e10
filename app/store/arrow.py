"""The shapes of the historian's tables, and arrays to and from Arrow.

Arrow has no types and takes 0.1 s to load: it is `Any` here, loaded at the first use.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.store.series import BAD, HOUR_US, QUALITIES, Columns, join


def hot_schema() -> Any:  # noqa: ANN401  Arrow
    """Return the schema of the write-ahead tables: one row a reading."""
    arrow = importlib.import_module("pyarrow")
    return arrow.schema(
        [
            ("tag", arrow.string()),
            ("time_us", arrow.int64()),
            ("value", arrow.float64()),
            ("quality", arrow.uint8()),
        ]
    )


def chunk_schema() -> Any:  # noqa: ANN401  Arrow
    """Return the schema of the day tables: one row a tag-hour, times as offsets in it, µs."""
    arrow = importlib.import_module("pyarrow")
    return arrow.schema(
        [
            ("tag", arrow.string()),
            ("hour_us", arrow.int64()),
            ("written_us", arrow.int64()),
            ("count", arrow.int64()),
            ("minimum", arrow.float64()),
            ("maximum", arrow.float64()),
            ("mean", arrow.float64()),
            ("offsets", arrow.list_(arrow.uint32())),
            ("values", arrow.list_(arrow.float64())),
            ("qualities", arrow.list_(arrow.uint8())),
        ]
    )


def hot_rows(
    tags: Sequence[str], times_us: Sequence[int], values: Sequence[float], qualities: Sequence[int]
) -> Any:  # noqa: ANN401  Arrow
    """Return readings as an Arrow table of `hot_schema`."""
    arrow = importlib.import_module("pyarrow")
    return arrow.table(
        [
            arrow.array(tags, arrow.string()),
            arrow.array(np.array(times_us, np.int64)),
            arrow.array(np.array(values, np.float64)),
            arrow.array(np.array(qualities, np.uint8)),
        ],
        schema=hot_schema(),
    )


def export_rows(series: Mapping[str, Columns]) -> Any:  # noqa: ANN401  Arrow
    """Return readings as columns tag, source_time, value, quality for a file a person opens."""
    arrow = importlib.import_module("pyarrow")
    names = arrow.array([quality.value for quality in QUALITIES], arrow.string())
    tables = [
        arrow.table(
            {
                "tag": arrow.repeat(arrow.scalar(tag, arrow.string()), len(columns)),
                "source_time": arrow.array(columns.times_us).cast(arrow.timestamp("us", "UTC")),
                "value": arrow.array(columns.values, from_pandas=True),
                "quality": names.take(arrow.array(columns.qualities.astype(np.int32))),
            }
        )
        for tag, columns in series.items()
    ]
    if tables:
        return arrow.concat_tables(tables)
    return arrow.table({"tag": [], "source_time": [], "value": [], "quality": []})


def chunk_rows(series: Mapping[str, Columns], written_us: int) -> Any:  # noqa: ANN401  Arrow
    """Return one row a tag-hour of `chunk_schema`; each series is ordered without repeats."""
    arrow = importlib.import_module("pyarrow")
    tags, parts = list(series), list(series.values())
    tag_of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    times = np.concatenate([part.times_us for part in parts])
    values = np.concatenate([part.values for part in parts])
    qualities = np.concatenate([part.qualities for part in parts])
    hours = times // HOUR_US
    begins = np.flatnonzero(np.diff(hours, prepend=-1) | np.diff(tag_of, prepend=-1))
    ends = np.append(begins, len(times)).astype(np.int32)
    usable = np.where(qualities == BAD, np.nan, values)
    good = np.add.reduceat(np.isfinite(usable).astype(np.int64), begins)
    total = np.add.reduceat(np.nan_to_num(usable), begins)

    def lists(flat: Any) -> Any:  # noqa: ANN401
        return arrow.ListArray.from_arrays(arrow.array(ends), arrow.array(flat))

    return arrow.table(
        [
            arrow.array(tags, arrow.string()).take(arrow.array(tag_of[begins])),
            arrow.array(hours[begins] * HOUR_US),
            arrow.array(np.full(len(begins), written_us, np.int64)),
            arrow.array(np.diff(ends).astype(np.int64)),
            arrow.array(np.fmin.reduceat(usable, begins)),
            arrow.array(np.fmax.reduceat(usable, begins)),
            arrow.array(np.where(good > 0, total / np.maximum(good, 1), np.nan)),
            lists((times - hours * HOUR_US).astype(np.uint32)),
            lists(values),
            lists(qualities),
        ],
        schema=chunk_schema(),
    )


def chunk_columns(parts: Sequence[Any]) -> Columns:
    """Return the readings in rows of day tables, of one tag, ordered, the newest of repeats."""
    rows = importlib.import_module("pyarrow").concat_tables(parts) if parts else None
    if rows is None or rows.num_rows == 0:
        return join([])
    # Hours in order and each hour's later writes last is mostly how they stand: no copy then.
    order = np.lexsort((rows["written_us"].to_numpy(), rows["hour_us"].to_numpy()))
    if np.any(np.diff(order) < 0):
        rows = rows.take(order)
    counts = rows["count"].to_numpy()
    offsets = _flat(rows["offsets"]).astype(np.int64)
    times = np.repeat(rows["hour_us"].to_numpy(), counts) + offsets
    return join([Columns(times, _flat(rows["values"]), _flat(rows["qualities"]))])


def _flat(lists: Any) -> Any:  # noqa: ANN401  Arrow
    return np.concatenate([chunk.flatten().to_numpy() for chunk in lists.chunks])

"""Fewer points for a chart without losing a peak, a bad stretch or a gap."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tsdownsample import MinMaxLTTBDownsampler

from app.store.series import BAD, GAP, Columns, Series

# A silence counts as a gap when it is this many times the usual interval. Ten is the judgement of
# this project: three missed readings of a jittering source are no gap, ten are.
_GAP_INTERVALS = 10.0


def downsample(raw: Columns, points: int) -> Series:
    """Return about `points` points of ordered readings that have no repeated times.

    MinMaxLTTB picks among the usable values, so each local peak stays. `low` and `high` span
    all usable values from a point up to the next one. Each bad stretch and each gap becomes one
    point with the value NaN and the quality BAD or GAP, the longest ones first, at most
    `points` / 2 of them.

    Args:
        raw: Readings in ascending order of time.
        points: Wanted number of points, at least 4; fewer readings are returned as they are.
    """
    usable = (raw.qualities != BAD) & np.isfinite(raw.values)
    times, values = raw.times_us[usable], raw.values[usable]
    breaks = _limited(_breaks(raw, usable), max(points // 2, 1))
    chosen = _choose(times, values, max(points - len(breaks), 4))
    return _with_breaks(_buckets(times, values, raw.qualities[usable], chosen), breaks)


def _choose(
    times: NDArray[np.int64], values: NDArray[np.float64], points: int
) -> NDArray[np.int64]:
    if len(times) <= points:
        return np.arange(len(times), dtype=np.int64)
    downsampler: Any = MinMaxLTTBDownsampler  # tsdownsample is typed in parts
    picked = downsampler().downsample(times, values, n_out=points)
    return np.unique(picked.astype(np.int64))


def _buckets(
    times: NDArray[np.int64],
    values: NDArray[np.float64],
    qualities: NDArray[np.uint8],
    chosen: NDArray[np.int64],
) -> Series:
    if len(chosen) == len(times):
        return Series(times, values, qualities, values, values)
    return Series(
        times[chosen],
        values[chosen],
        np.maximum.reduceat(qualities, chosen),
        np.minimum.reduceat(values, chosen),
        np.maximum.reduceat(values, chosen),
    )


def _breaks(raw: Columns, usable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return (m, 3) int64: where each bad stretch or gap begins, its length in µs, BAD or GAP."""
    if len(raw) == 0:
        return np.empty((0, 3), np.int64)
    steps = np.diff(raw.times_us)
    usual = float(np.median(steps)) if len(steps) else 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([True], usable, [True])).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    until = raw.times_us[np.minimum(ends, len(raw) - 1)]
    bad = _break_rows(raw.times_us[begins], until - raw.times_us[begins], BAD)
    silent = np.flatnonzero(steps > usual * _GAP_INTERVALS)
    silent = silent[usable[silent]]
    after = raw.times_us[silent] + max(int(usual), 1)
    return np.concatenate([bad, _break_rows(after, steps[silent], GAP)])


def _break_rows(
    begins_us: NDArray[np.int64], lengths_us: NDArray[np.int64], kind: int
) -> NDArray[np.int64]:
    return np.stack([begins_us, lengths_us, np.full_like(begins_us, kind)], axis=1)


def _limited(breaks: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    longest = np.argsort(-breaks[:, 1], kind="stable")[:limit]
    return breaks[longest]


def _with_breaks(series: Series, breaks: NDArray[np.int64]) -> Series:
    if len(breaks) == 0:
        return series
    nothing = np.full(len(breaks), np.nan)
    times = np.concatenate([series.times_us, breaks[:, 0]])
    order = np.argsort(times, kind="stable")
    return Series(
        times[order],
        np.concatenate([series.values, nothing])[order],
        np.concatenate([series.qualities, breaks[:, 2].astype(np.uint8)])[order],
        np.concatenate([series.low, nothing])[order],
        np.concatenate([series.high, nothing])[order],
    )

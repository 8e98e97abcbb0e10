"""A tag's values over time as plain arrays: what the historian returns and passes inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.core.reading import Quality

GOOD, UNCERTAIN, BAD = 0, 1, 2
GAP = 3
"""In a `Series` in place of a quality: nothing was read there, neither well nor badly."""
QUALITY_CODES = {Quality.GOOD: GOOD, Quality.UNCERTAIN: UNCERTAIN, Quality.BAD: BAD}
QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
# What a datetime can hold; 9999-12-31T23:59-14:00 is later and would stop every roll.
EARLIEST_US = -62_135_596_800_000_000
LATEST_US = 253_402_300_799_999_999


@dataclass(frozen=True, slots=True)
class Columns:
    """Raw readings of one tag, in any order, repeats possible.

    Attributes:
        times_us: (n,) int64, microseconds since 1970 UTC.
        values: (n,) float64, NaN where the reading has no value.
        qualities: (n,) uint8, GOOD, UNCERTAIN or BAD.
    """

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    qualities: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.times_us)

    def between(self, start_us: int, end_us: int) -> "Columns":
        """Return those with start <= time < end."""
        inside = (self.times_us >= start_us) & (self.times_us < end_us)
        return Columns(self.times_us[inside], self.values[inside], self.qualities[inside])


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one tag in the order of time, possibly down-sampled.

    Attributes:
        times_us: (n,) int64, microseconds since 1970 UTC, ascending.
        values: (n,) float64; NaN for a bad reading and for a gap.
        qualities: (n,) uint8: GOOD, UNCERTAIN or BAD, the worst of the bucket; or GAP.
        low: (n,) float64, least value of the bucket that begins at the point.
        high: (n,) float64, greatest value of that bucket.
    """

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    qualities: NDArray[np.uint8]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.times_us)


def columns(times: Sequence[int], values: Sequence[float], qualities: Sequence[int]) -> Columns:
    """Copy growing sequences into arrays."""
    return Columns(
        np.array(times, dtype=np.int64),
        np.array(values, dtype=np.float64),
        np.array(qualities, dtype=np.uint8),
    )


def join(parts: Sequence[Columns]) -> Columns:
    """Order by time and keep the last of equal times; later parts are the newer ones."""
    times = np.concatenate([np.empty(0, np.int64), *(part.times_us for part in parts)])
    values = np.concatenate([np.empty(0, np.float64), *(part.values for part in parts)])
    qualities = np.concatenate([np.empty(0, np.uint8), *(part.qualities for part in parts)])
    steps = np.diff(times)
    if np.all(steps > 0):
        return Columns(times, values, qualities)
    order = np.argsort(times, kind="stable")
    times = times[order]
    last = np.append(times[1:] != times[:-1], True)
    keep = order[last]
    return Columns(times[last], values[keep], qualities[keep])


def to_us(at: datetime) -> int:
    """Return microseconds since 1970 UTC, exact."""
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_us(us: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=int(us))

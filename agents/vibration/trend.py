"""Slow course of the RMS velocity: one mean a minute, kept for three hours."""

from datetime import datetime

import msgspec
import numpy as np

_KEPT = 180  # minutes
_LEAST = 10  # minutes before a slope says anything


class Trend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Minute means of one figure, oldest first.

    Attributes:
        minutes: Minutes since 1970 of each mean.
        means: The figure's mean in that minute.
        count: Readings in the last minute, which is still open.
    """

    minutes: tuple[int, ...] = ()
    means: tuple[float, ...] = ()
    count: int = 0


def follow(trend: Trend, value: float, at: datetime) -> Trend:
    """Take one reading in."""
    minute = int(at.timestamp() // 60)
    if trend.minutes and trend.minutes[-1] == minute:
        count = trend.count + 1
        mean = trend.means[-1] + (value - trend.means[-1]) / count
        return Trend(trend.minutes, (*trend.means[:-1], mean), count)
    if trend.minutes and minute < trend.minutes[-1]:
        return trend
    return Trend((*trend.minutes[1 - _KEPT :], minute), (*trend.means[1 - _KEPT :], value), 1)


def slope_per_hour(trend: Trend) -> float | None:
    """Return the least-squares slope, figure an hour; None before ten minutes are known."""
    if len(trend.minutes) < _LEAST:
        return None
    hours = (np.array(trend.minutes) - trend.minutes[0]) / 60
    return float(np.polynomial.polynomial.polyfit(hours, trend.means, 1)[1])

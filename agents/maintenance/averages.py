"""Running means of signals that do not depend on how often they are sampled."""

import math
from collections.abc import Mapping

import msgspec

FAST_S = 60.0  # smooths sensor noise and single cuts of a program
WARM_UP_S = 300.0  # before this the slow mean says too little for a judgement
_LEAST_SPEED = 0.3  # of rated speed, slow mean
SLOW_S = 600.0  # the thermal memory of a winding of these sizes (IEC 60034-1, S1 heating runs)


class Averages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exponential means of named signals over two horizons.

    Until a horizon has passed, the mean of all that was seen stands in for it, so that the first
    value weighs no more than any other.

    Attributes:
        fast: Mean over about a minute.
        slow: Mean over about ten minutes.
        seconds: Time covered.
    """

    fast: dict[str, float] = {}
    slow: dict[str, float] = {}
    seconds: float = 0.0


def steady(signals: Mapping[str, float]) -> Averages:
    """Return the averages of a unit that has been in this state for long."""
    return Averages(dict(signals), dict(signals), SLOW_S)


def average(old: Averages, signals: Mapping[str, float], dt_s: float) -> Averages:
    """Take in signals that held for the last `dt_s` seconds; other names begin anew."""
    if old.fast.keys() != signals.keys():
        return Averages(dict(signals), dict(signals), max(dt_s, 0.0))
    if dt_s <= 0:
        return old
    seconds = old.seconds + dt_s
    return Averages(
        _mixed(old.fast, signals, _share(dt_s, seconds, FAST_S)),
        _mixed(old.slow, signals, _share(dt_s, seconds, SLOW_S)),
        seconds,
    )


def is_judgeable(means: Averages) -> bool:
    """Tell whether the means say enough of the unit to judge it.

    A drive that stood for most of the slow mean is still warm of what it did before that, and
    ratios of heat to what makes it mislead.
    """
    return means.seconds >= WARM_UP_S and means.slow.get("speed", 1.0) >= _LEAST_SPEED


def _share(dt_s: float, seconds: float, horizon_s: float) -> float:
    return max(-math.expm1(-dt_s / horizon_s), dt_s / seconds)


def _mixed(old: Mapping[str, float], new: Mapping[str, float], share: float) -> dict[str, float]:
    return {name: value + share * (new[name] - value) for name, value in old.items()}

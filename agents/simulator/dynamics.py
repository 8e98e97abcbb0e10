"""The building blocks of every unit: noise, slow wander, first-order lags, surroundings."""

import math
import random
import zlib
from dataclasses import dataclass

import numpy as np

from agents.simulator.calendar import Shift

_BLOCK = 1024
_SQRT12 = math.sqrt(12)


class Noise:
    """The randomness of one unit; the same seed and path give the same numbers for ever."""

    def __init__(self, seed: int, path: str) -> None:
        self._generator = np.random.default_rng([seed, zlib.crc32(path.encode())])
        self._block: list[float] = []
        self.events = random.Random(f"{seed}:{path}")  # noqa: S311  a model, not a secret

    def normal(self) -> float:
        """Return one draw of the standard normal distribution."""
        if not self._block:
            self._block = self._generator.standard_normal(_BLOCK).tolist()
        return self._block.pop()

    def happens(self, every_s: float, dt_s: float) -> bool:
        """Tell whether an event that comes every `every_s` on average comes now."""
        return self.events.random() < dt_s / every_s

    def poisson(self, mean: float) -> int:
        """Return a count; Knuth's product below 20, the normal approximation above."""
        if mean > 20:
            return max(0, round(mean + math.sqrt(mean) * self.normal()))
        limit, product, count = math.exp(-mean), self.events.random(), 0
        while product > limit:
            product *= self.events.random()
            count += 1
        return count


class Lag:
    """A first-order lag, solved exactly, so that any step width is stable.

    Attributes:
        value: The present value.
    """

    __slots__ = ("_dt_s", "_gain", "tau_s", "value")

    def __init__(self, value: float, tau_s: float) -> None:
        self.value = value
        self.tau_s = tau_s
        self._dt_s = 0.0
        self._gain = 0.0

    def step(self, target: float, dt_s: float) -> float:
        """Move towards `target` for `dt_s` and return the value reached."""
        if dt_s != self._dt_s:
            self._dt_s = dt_s
            self._gain = -math.expm1(-dt_s / self.tau_s)
        self.value += (target - self.value) * self._gain
        return self.value


class Wander:
    """A bounded, mean-reverting disturbance (Ornstein-Uhlenbeck), cut at three sigma."""

    __slots__ = ("_keep", "_noise", "_sigma", "_tau_s", "value")

    def __init__(self, noise: Noise, sigma: float, tau_s: float) -> None:
        self._noise = noise
        self._sigma = sigma
        self._tau_s = tau_s
        self._keep = (0.0, 0.0, 0.0)
        self.value = 0.0

    def step(self, dt_s: float) -> float:
        """Advance by `dt_s` and return the value."""
        if self._keep[0] != dt_s:
            keep = math.exp(-dt_s / self._tau_s)
            self._keep = (dt_s, keep, self._sigma * math.sqrt(1 - keep * keep))
        _, keep, kick = self._keep
        bound = 3 * self._sigma
        moved = self.value * keep + kick * self._noise.normal()
        self.value = min(bound, max(-bound, moved))
        return self.value


@dataclass(slots=True)
class Surroundings:
    """What all units share during one step.

    Attributes:
        dt_s: Width of the step, s.
        thermal_dt_s: Width for heat flows, s; longer only while the model settles at its start.
        shift: The production calendar.
        air: Temperature in the halls, Cel.
    """

    dt_s: float
    thermal_dt_s: float
    shift: Shift
    air: float

"""From true values to readings: noise, resolution, range, and what a broken sensor does.

A set tag has no sensor: its controller echoes it without noise, and goes on when the sensors of
its unit have lost their connection.
"""

import random
from collections.abc import Iterable, Sequence

import numpy as np

from agents.simulator.declare import Stream
from agents.simulator.faults import Scenario
from agents.simulator.scenarios import SensorFault
from app.core.equipment import Tag, TagKind
from app.core.reading import Quality, Reason

Sample = tuple[str, float | None, Quality, Reason]
"""Tag path, measured value, quality, reason."""

_BIAS_SHARE = 0.15
_SILENT_FROM = 0.5
_SLACK = 0.01
_STREAM_SEED = 0x5E45


class Sensors:
    """All sensors of the plant, in the order of their tags."""

    def __init__(
        self, seed: int, tags: Sequence[Tag], noise: Sequence[float], streams: Sequence[Stream]
    ) -> None:
        """Wire the sensors up.

        Args:
            seed: Seed of their noise.
            tags: What they measure.
            noise: Standard deviation of each, in its tag's unit.
            streams: Where the readings of each come from.
        """
        self._paths = [tag.path for tag in tags]
        self._index = {path: index for index, path in enumerate(self._paths)}
        self._of_unit: dict[str, list[int]] = {}
        for index, tag in enumerate(tags):
            if streams[index] is not Stream.ECHO:
                self._of_unit.setdefault(tag.equipment, []).append(index)
        self._noise = np.array(noise)
        counts = np.array([tag.kind is TagKind.COUNTER for tag in tags])
        self._low = np.array([tag.low for tag in tags])
        self._high = np.where(counts, np.inf, [tag.high for tag in tags])
        self._slack = _SLACK * np.array([tag.high - tag.low for tag in tags])
        # One digit more than the screen shows.
        self._scale = np.power(10.0, [tag.decimals + 1 for tag in tags])
        self._streams = [
            (np.random.default_rng([seed, _STREAM_SEED + stream]), np.flatnonzero(members))
            for stream in (Stream.FIRST, Stream.LATER)
            for members in [np.equal(streams, stream)]
        ]
        self._chance = random.Random(f"{seed}:sensors")  # noqa: S311  a model, not a secret
        self._good = [Quality.GOOD] * len(tags)
        self._sound = [Reason.NONE] * len(tags)
        self._held: dict[str, float | None] = {}

    def measure(self, true: Iterable[float], faults: Sequence[SensorFault]) -> list[Sample]:
        """Return what the control system receives of the true values, tag by tag."""
        exact = np.fromiter(true, float, len(self._paths))
        drawn = np.zeros(len(exact))
        for generator, indices in self._streams:
            drawn[indices] = generator.standard_normal(len(indices))
        seen = exact + self._noise * drawn
        for fault in faults:
            if fault.scenario is Scenario.SENSOR_BIAS:
                index = self._index[fault.tag]
                span = self._high[index] - self._low[index]
                shift = _BIAS_SHARE * fault.strength * span if np.isfinite(span) else 1000.0
                seen[index] += shift
        seen = np.round(np.clip(seen, self._low, self._high) * self._scale) / self._scale
        beyond = (exact > self._high + self._slack) | (exact < self._low - self._slack)
        values: list[float | None] = seen.tolist()
        qualities, reasons = self._good, self._sound
        if beyond.any():
            qualities, reasons = list(qualities), list(reasons)
            for index in np.flatnonzero(beyond).tolist():
                qualities[index], reasons[index] = Quality.UNCERTAIN, Reason.OUT_OF_RANGE
        if faults or self._held:
            return self._break(values, list(qualities), list(reasons), faults)
        return list(zip(self._paths, values, qualities, reasons, strict=True))

    def _break(
        self,
        values: list[float | None],
        qualities: list[Quality],
        reasons: list[Reason],
        faults: Sequence[SensorFault],
    ) -> list[Sample]:
        silent: set[int] = set()
        stuck = {fault.tag for fault in faults if fault.scenario is Scenario.SENSOR_STUCK}
        self._held = {tag: value for tag, value in self._held.items() if tag in stuck}
        for fault in faults:
            hit = [self._index[fault.tag]] if fault.tag else self._of_unit[fault.equipment]
            if fault.scenario is Scenario.SENSOR_STUCK:
                values[hit[0]] = self._stick(fault, values[hit[0]])
            elif fault.scenario is Scenario.SENSOR_DROPOUT:
                if fault.strength >= _SILENT_FROM:
                    silent.update(hit)
                for index in hit:
                    values[index] = None
                    qualities[index], reasons[index] = Quality.BAD, Reason.COMM_LOST
        samples = zip(self._paths, values, qualities, reasons, strict=True)
        return [sample for index, sample in enumerate(samples) if index not in silent]

    def _stick(self, fault: SensorFault, value: float | None) -> float | None:
        """Hold a value; below full severity a fresh one gets through now and then."""
        loose = self._chance.random() < 0.1 * (1 - fault.strength)
        if fault.tag not in self._held or loose:
            self._held[fault.tag] = value
        return self._held[fault.tag]

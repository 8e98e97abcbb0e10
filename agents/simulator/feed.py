"""What the simulator says on the bus: declarations, readings, truth."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from agents.simulator.faults import specs_for
from agents.simulator.sensors import Sample
from app.bus.client import Bus
from app.core.equipment import Equipment
from app.core.reading import Quality, ReadingMessage
from app.core.topics import equipment_topic, reading_topic, truth_topic
from app.core.truth import Truth

RETAIN_EVERY = 60
"""Ticks between two retained readings of a tag; the tags take turns."""


class Feed:
    """Publishes one plant; remembers qualities and turns, nothing else."""

    def __init__(self, bus: Bus, equipment: Sequence[Equipment]) -> None:
        self._bus = bus
        self._equipment = equipment
        tags = [tag for unit in equipment for tag in unit.tags]
        self._topics = {tag.path: reading_topic(tag.path) for tag in tags}
        self._units = {tag.path: tag.unit for tag in tags}
        self._turns = {tag.path: index % RETAIN_EVERY for index, tag in enumerate(tags)}
        self._qualities = dict.fromkeys(self._topics, Quality.GOOD)
        self._tick = 0

    def declare(self) -> None:
        """Have every unit's declaration stand on the broker."""
        for unit in self._equipment:
            self._bus.publish_state(equipment_topic(unit.path), unit)

    def readings(self, samples: Iterable[Sample], at: datetime) -> None:
        """Publish one reading a sample; retained in the tag's turn and when its quality changes."""
        self._tick += 1
        turn = self._tick % RETAIN_EVERY
        for path, value, quality, reason in samples:
            retain = self._turns[path] == turn or self._qualities[path] is not quality
            self._qualities[path] = quality
            message = ReadingMessage(value, quality, at, self._units[path], reason)
            self._bus.publish(self._topics[path], message, retain=retain)

    def truth(self, truth: Truth) -> None:
        """Publish what is true of one unit, retained."""
        self._bus.publish(truth_topic(truth.equipment), truth, retain=True)

    def all_truths(self, running: Iterable[Truth], at: datetime) -> None:
        """Publish what is true of every unit, so that nothing of an earlier life stands on."""
        latest = {truth.equipment: truth for truth in running}
        for unit in filter(_can_fail, self._equipment):
            self.truth(latest.get(unit.path, Truth(unit.path, "", 0.0, at, False)))


def _can_fail(unit: Equipment) -> bool:
    return bool(specs_for(unit.kind))

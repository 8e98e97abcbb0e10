"""Takes a unit that is gone out of the app and off the broker."""

from app.bus.client import Bus, BusState
from app.core.actor import Actor
from app.core.equipment import Equipment
from app.core.errors import ConflictError
from app.core.topics import equipment_topic, reading_topic, truth_topic
from app.ingest.service import IngestService
from app.intake import Intake
from app.live.tags import TagTable


class UnitRemoval:
    """Forgets units with their tags and present conditions; history and journal stay."""

    def __init__(self, *, tags: TagTable, bus: Bus, intake: Intake, ingest: IngestService) -> None:
        self._tags = tags
        self._bus = bus
        self._intake = intake
        self._ingest = ingest

    async def forget(self, unit: Equipment, actor: Actor) -> None:
        """Forget a unit here, at the broker and on disk.

        Raises:
            ConflictError: It still sends, or the broker, which would bring it back, is away.
        """
        self._check_gone(unit)
        kept = [reading_topic(tag.path) for tag in unit.tags]
        for topic in (equipment_topic(unit.path), truth_topic(unit.path), *kept):
            self._bus.publish(topic, b"", qos=1, retain=True)
        self._intake.forget(unit, f"{unit.name} was forgotten by {actor.name}")
        self._ingest.forget(unit.path)
        await self._intake.save_declared()

    def _check_gone(self, unit: Equipment) -> None:
        if self._tags.is_sending(unit.path):
            raise ConflictError(
                f"{unit.name} still sends values",
                "Stop what sends them, wait until they are stale, then forget the unit",
            )
        if self._bus.state is not BusState.CONNECTED:
            raise ConflictError(
                f"{unit.name} cannot be forgotten while the broker is away, which keeps a copy",
                "See Broker and Bus on the Health page",
            )

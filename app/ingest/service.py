"""Takes outside messages from the bus, stores their readings, then acknowledges them."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from app.bus.client import Bus, Received
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.errors import InputError, MillwrightError
from app.core.reading import Quality, Reading, Reason
from app.ingest.filters import covering
from app.ingest.mapping import Mapped, Mapping
from app.ingest.pending import Message, PendingTimes
from app.ingest.units import Declarations
from app.live.tags import TOO_MANY
from app.settings import Settings
from app.store.history import Historian

logger = logging.getLogger(__name__)

# Mapping 100 messages of 10 readings takes about 5 ms; then the loop serves others.
_TURN = 100
_SHOWN_PROBLEMS = 5


class IngestService:
    """One durable subscription a topic filter; the first mapping that matches takes a message.

    A message is acknowledged after the commit that holds its readings, so none is lost when the
    app is killed. One that the broker sends again replaces itself, for a reading is identified by
    tag and source time. A value that the broker had retained and that carries no time is shown as
    uncertain and not stored: nobody knows when it was true.
    """

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        historian: Historian,
        clock: Clock,
        *,
        accept: Callable[[Sequence[Reading]], None] = lambda _: None,
        declare: Callable[[Equipment], None] = lambda _: None,
        is_shown: Callable[[str], bool] = lambda _: True,
    ) -> None:
        """Make the service.

        Args:
            settings: The mappings, the plant's time zone and the data folder are read.
            bus: A persistent connection.
            historian: Where readings go.
            clock: Gives way to others between parts of a batch.
            accept: Called with stored readings, for screens and limits.
            declare: Called with each unit made here, again when it gets a further tag; it may
                raise MillwrightError to refuse.
            is_shown: Tells whether an accepted reading's tag is on screens; a message with one
                that is not becomes a dead letter.
        """
        zone = ZoneInfo(settings.site.timezone)
        self._mappings = [Mapping(each, zone) for each in settings.mappings]
        self._folder = settings.data.dir
        self._bus = bus
        self._historian = historian
        self._clock = clock
        self._accept = accept
        self._declare = declare
        self._is_shown = is_shown
        self._declarations = Declarations()
        self.stored = 0

    def start(self) -> None:
        """Subscribe; call before the bus starts."""
        for topic_filter in covering([mapping.settings.topic for mapping in self._mappings]):
            name = hashlib.blake2b(topic_filter.encode(), digest_size=4).hexdigest()
            path = self._folder / f"ingest-pending-{name}.json"
            route = _Route(self, PendingTimes(path))
            self._bus.subscribe_durable(topic_filter, bytes, route.take)

    def mapping_for(self, topic: str) -> Mapping | None:
        """Return the first mapping meant for a topic."""
        return next((mapping for mapping in self._mappings if mapping.matches(topic)), None)

    def forget(self, unit: str) -> None:
        """Forget that a unit was declared; should it send again, it is declared again."""
        self._declarations.forget(unit)
        for mapping in self._mappings:
            mapping.forget()

    async def give_way(self) -> None:
        """Let the event loop serve others."""
        await self._clock.sleep(0)

    async def store(self, batch: "_Batch") -> None:
        """Commit a mapped batch, then show it.

        Raises:
            StoreError: It is not stored; call again.
        """
        await self._historian.append(batch.readings)
        self.stored += len(batch.readings)
        for received, reason in batch.refused:
            self._bus.refuse(received.topic, received.message, reason, retained=received.retained)
        self._declare_units(batch)
        try:
            self._accept(batch.readings + batch.unstored)
        except MillwrightError as error:  # the readings are stored: the message is done
            logger.warning("Stored readings are not shown: %s", error)
        else:
            self._refuse_unshown(batch)

    def _refuse_unshown(self, batch: "_Batch") -> None:
        for received, readings in batch.mapped:
            if not all(self._is_shown(reading.tag) for reading in readings):
                self._bus.refuse(received.topic, received.message, TOO_MANY)

    def _declare_units(self, batch: "_Batch") -> None:
        for mapping, names in batch.names:
            for equipment in self._declarations.add(names, mapping.settings.units):
                try:
                    self._declare(equipment)
                except MillwrightError as error:  # each message of it tells, as a dead letter
                    logger.debug("Unit %s is not shown: %s", equipment.path, error)


class _Batch(msgspec.Struct):
    """A batch of messages as readings."""

    received: Sequence[Received[bytes]]
    readings: list[Reading] = []
    unstored: list[Reading] = []
    refused: list[tuple[Received[bytes], str]] = []
    names: list[tuple[Mapping, dict[str, str]]] = []
    mapped: list[tuple[Received[bytes], list[Reading]]] = []


class _Route:
    """One subscription; the bus hands it one batch at a time."""

    def __init__(self, service: IngestService, pending: PendingTimes) -> None:
        self._service = service
        self._pending = pending
        self._is_loaded = False
        self._batch: _Batch | None = None

    async def take(self, received: Sequence[Received[bytes]]) -> None:
        """Map, store and return; raising has the bus call again with the same batch."""
        if not self._is_loaded:
            await asyncio.to_thread(self._pending.load)
            self._is_loaded = True
        # A batch that failed keeps the times it got: it may be stored in spite of the failure.
        if self._batch is None or self._batch.received is not received:
            self._batch = await self._map(received)
        if not self._pending.is_empty:
            await asyncio.to_thread(self._pending.save)
        await self._service.store(self._batch)
        self._pending.finish()
        self._batch = None

    async def _map(self, received: Sequence[Received[bytes]]) -> _Batch:
        self._pending.begin()
        batch = _Batch(received)
        for place, each in enumerate(received):
            self._map_one(each, batch)
            if place % _TURN == _TURN - 1:
                await self._service.give_way()
        return batch

    def _map_one(self, received: Received[bytes], batch: _Batch) -> None:
        mapping = self._service.mapping_for(received.topic)
        if mapping is None:  # a filter that covers others may match more than they do
            return
        try:
            mapped = self._with_times(mapping, received)
        except InputError as error:
            batch.refused.append((received, str(error)))
            return
        if mapped.problems:
            batch.refused.append((received, "; ".join(mapped.problems[:_SHOWN_PROBLEMS])))
        if mapped.names:
            batch.names.append((mapping, mapped.names))
        batch.mapped.append((received, mapped.readings))
        if received.retained and not mapped.has_own_times:
            batch.unstored += [_doubtful(reading) for reading in mapped.readings]
        else:
            batch.readings += mapped.readings

    def _with_times(self, mapping: Mapping, received: Received[bytes]) -> Mapped:
        topic, payload, at = received.topic, received.message, received.received_time
        mapped = mapping.map(topic, payload, at)
        if mapped.has_own_times or not mapped.readings or received.retained:
            return mapped
        message = Message(topic, payload, at)
        given = self._pending.time_of(message, is_duplicate=received.duplicate, rows=mapped.rows)
        if given == at:
            return mapped
        again = mapping.map(topic, payload, given)
        again.names |= mapped.names
        return again


def _doubtful(reading: Reading) -> Reading:
    return msgspec.structs.replace(reading, quality=Quality.UNCERTAIN, reason=Reason.STALE)

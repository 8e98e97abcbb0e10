"""The ingest service between a real broker and a historian."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from app.bus.client import Bus
from app.clock import SystemClock
from app.core.equipment import Equipment
from app.core.errors import InputError, StoreError
from app.core.reading import Quality, Reading
from app.ingest.service import IngestService
from app.settings import Settings
from app.store.history import Historian
from tests.processes import eventually

pytestmark = pytest.mark.slow

SEED = "sensors/factory/data"


class FailingHistorian(Historian):
    """Stores, and then says three times that it has not."""

    failures = 3

    @override
    async def append(self, readings: Sequence[Reading]) -> None:
        await super().append(readings)
        if self.failures:
            self.failures -= 1
            raise StoreError("the disk is full")


@dataclass
class Plant:
    bus: Bus
    historian: Historian
    service: IngestService
    shown: list[Reading] = field(default_factory=list[Reading])
    declared: list[Equipment] = field(default_factory=list[Equipment])

    async def send(self, *payloads: bytes, topic: str = SEED, retain: bool = False) -> None:
        for payload in payloads:
            await self.bus.publish_confirmed(topic, payload, retain=retain)

    async def stored(self, count: int) -> dict[str, int]:
        await eventually(lambda: self.service.stored >= count)
        return await self.historian.counts()


def make(settings: Settings, historian: type[Historian] = Historian, refuses: str = "") -> Plant:
    clock = SystemClock()
    settings.data.dir.mkdir(parents=True, exist_ok=True)
    bus = Bus(settings, f"test-{uuid.uuid4()}", clock, persistent=True)
    store = historian(settings.history, settings.data.dir, clock)
    shown: list[Reading] = []
    declared: list[Equipment] = []

    def accept(readings: Sequence[Reading]) -> None:
        if refuses:
            raise InputError(refuses)
        shown.extend(readings)

    service = IngestService(settings, bus, store, clock, accept=accept, declare=declared.append)
    return Plant(bus, store, service, shown, declared)


async def run(plant: Plant) -> None:
    await plant.historian.start()
    plant.service.start()
    await plant.bus.start()
    await plant.bus.wait_connected(20)


async def end(plant: Plant) -> None:
    await plant.bus.stop()
    await plant.historian.stop()


@pytest.fixture
async def plant(connected_settings: Settings) -> AsyncIterator[Plant]:
    made = make(connected_settings)
    await run(made)
    yield made
    await end(made)


async def test_a_row_is_stored_shown_and_declared(plant: Plant):
    await plant.send(b'{"Machine_ID": "A", "Timestamp": "2026-01-01T00:00:00Z", "Torque [Nm]": 4}')
    assert await plant.stored(1) == {"factory/floor/line/A/Torque_Nm": 1}
    await eventually(lambda: plant.shown)
    (unit,) = plant.declared
    assert (unit.path, unit.tags[0].unit) == ("factory/floor/line/A", "N.m")
    assert unit.tags[0].description == "Torque [Nm]"


async def test_the_same_row_sent_twice_is_stored_once(plant: Plant):
    await plant.send(*[b'{"Timestamp": "2026-01-01T00:00:00Z", "a": 1}'] * 2)
    assert await plant.stored(2) == {"factory/floor/line/machine/a": 1}


async def test_good_fields_of_a_bad_message_are_kept_and_the_bad_one_is_named(plant: Plant):
    bad = b'{"Timestamp": "2026-01-01T00:00:00Z", "a": 1, "b": 1%s}' % (b"0" * 400)
    await plant.send(b"not json", b"\xff\xff", bad, b"{}")
    assert await plant.stored(1) == {"factory/floor/line/machine/a": 1}
    await eventually(lambda: plant.bus.dead_letters.total == 4)
    reasons = " | ".join(letter.reason for letter in plant.bus.dead_letters.list())
    assert "b: " in reasons
    assert "no JSON" in reasons


async def test_a_commit_that_seemed_to_fail_doubles_nothing(connected_settings: Settings):
    plant = make(connected_settings, FailingHistorian)
    await run(plant)
    try:
        await plant.send(b'{"a": 1}', b'{"a": 1}', b'{"a": 2}')
        assert await plant.stored(3) == {"factory/floor/line/machine/a": 3}
        assert plant.bus.dead_letters.total == 0
    finally:
        await end(plant)


async def test_a_retained_value_without_time_is_shown_uncertain_and_not_stored(
    plant: Plant, connected_settings: Settings
):
    await plant.send(b"5", topic="data/press/flow", retain=True)
    await plant.stored(1)
    late = make(connected_settings.model_copy(update={"data": plant_data(connected_settings)}))
    await run(late)
    try:
        await eventually(lambda: late.shown)
        assert late.shown[0].quality is Quality.UNCERTAIN
        assert await late.historian.count() == 0
    finally:
        await end(late)
        await plant.send(b"", topic="data/press/flow", retain=True)


def plant_data(settings: Settings) -> object:
    return settings.data.model_copy(update={"dir": settings.data.dir / "other"})


async def test_a_screen_that_refuses_does_not_stop_the_storing(connected_settings: Settings):
    plant = make(connected_settings, refuses="20000 tags are the limit")
    await run(plant)
    try:
        await plant.send(b'{"a": 1}')
        await plant.stored(1)
        await plant.send(b'{"a": 2}')
        assert await plant.stored(2) == {"factory/floor/line/machine/a": 2}
    finally:
        await end(plant)

"""Runs that are started over MQTT, when the store breaks a batch off."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from app.bus.address import broker_address
from app.bus.client import Bus
from app.clock import SystemClock
from app.core.actor import Actor
from app.core.errors import NotFoundError, StoreError
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.topics import SEED_TRIGGERS, TRIGGERS
from app.settings import Settings
from app.workflow.mqtt import MqttStarts
from tests.mqtt_peer import Peer, peer
from tests.processes import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Starts:
    """What is started is noted; the store is away when the trouble says so."""

    def __init__(self, settings: Settings) -> None:
        self.started: list[object] = []
        self.refused: list[str] = []
        self.away = set[int]()
        self.is_leader = True
        name = f"starts-{uuid4().hex[:8]}"
        self.bus = Bus(settings, name, SystemClock(), persistent=True)
        self.starts = MqttStarts(self, lambda: self.bus, lambda: self.is_leader, self._refuse)

    async def start_workflow(
        self, name: str, given: dict[str, object], actor: Actor, *, why: str = "", id: str = ""
    ) -> WorkflowRun:
        number = given["n"]
        if isinstance(number, int) and number in self.away:
            self.away.discard(number)
            raise StoreError("away")
        if name != "demo":
            raise NotFoundError(f'There is no workflow "{name}"')
        self.started.append(given["n"])
        return WorkflowRun(id, name, "v", RunState.RUNNING, NOW, {}, StartedBy("mqtt", actor.name))

    def _refuse(self, _topic: str, _payload: bytes, why: str) -> None:
        self.refused.append(why)


@pytest.fixture
async def starts(connected_settings: Settings) -> AsyncIterator[Starts]:
    made = Starts(connected_settings)
    await made.starts.connection.start()
    await made.bus.wait_connected(10)
    yield made
    await made.starts.connection.stop()


@pytest.fixture
async def outside(connected_settings: Settings) -> AsyncIterator[Peer]:
    with peer(broker_address(connected_settings.broker).port, "starter") as made:
        await made.connected()
        yield made


def seed(number: int, name: str = "demo") -> bytes:
    return msgspec.json.encode({"workflow_name": name, "parameters": {"n": number}})


def own(number: int, **more: object) -> bytes:
    return msgspec.json.encode({"workflow": "demo", "input": {"n": number}, **more})


@pytest.mark.parametrize(("topic", "message"), [(SEED_TRIGGERS, seed), (TRIGGERS, own)])
async def test_a_store_that_is_away_in_the_middle_starts_nothing_twice(
    starts: Starts, outside: Peer, topic: str, message: type
):
    starts.away = {3, 5}
    for number in range(8):
        await outside.publish(topic, message(number))

    await eventually(lambda: len(starts.started) >= 8)
    assert starts.started == list(range(8))


async def test_what_nobody_may_take_yet_is_taken_later(starts: Starts, outside: Peer):
    starts.is_leader = False
    await outside.publish(SEED_TRIGGERS, seed(1))
    await outside.publish(TRIGGERS, own(2))
    starts.is_leader = True

    await eventually(lambda: len(starts.started) == 2)
    assert set(starts.started) == {1, 2}


async def test_what_cannot_be_started_is_refused_once_and_holds_up_nothing(
    starts: Starts, outside: Peer
):
    starts.away = {2}
    await outside.publish(SEED_TRIGGERS, seed(1, "nope"))
    await outside.publish(TRIGGERS, own(1, id="no id"))
    await outside.publish(SEED_TRIGGERS, seed(2))
    await outside.publish(TRIGGERS, own(3))

    await eventually(lambda: len(starts.started) == 2)
    assert sorted(starts.refused) == [
        'There is no workflow "nope"',
        "id: use letters, digits, _ and -",
    ]


async def test_a_name_that_no_page_can_show_is_refused(starts: Starts, outside: Peer):
    await outside.publish(TRIGGERS, own(1, requested_by="x" * 41))
    await outside.publish(TRIGGERS, own(2, requested_by="x" * 40))

    await eventually(lambda: starts.started == [2])
    assert ["requested_by" in each.reason for each in starts.bus.dead_letters.list()] == [True]


async def test_a_program_that_calls_itself_as_the_app_does_starts_nothing(
    starts: Starts, outside: Peer
):
    for name in ("system", "Workflow demo", "  "):
        await outside.publish(TRIGGERS, own(1, requested_by=name))
    await outside.publish(TRIGGERS, own(2, requested_by="mqtt"))

    await eventually(lambda: starts.started == [2])
    assert starts.refused == [
        '"system" is a name of the app itself; use your own',
        '"Workflow demo" is a name of the app itself; use your own',
        "The name is empty; say who you are",
    ]


async def test_a_workflow_whose_name_none_can_have_is_not_even_audited(
    starts: Starts, outside: Peer
):
    await outside.publish(SEED_TRIGGERS, seed(1, "x" * 200_000))
    await outside.publish(TRIGGERS, msgspec.json.encode({"workflow": "x" * 61}))
    await outside.publish(SEED_TRIGGERS, seed(2))

    await eventually(lambda: starts.started == [2] and starts.bus.dead_letters.total == 2)
    assert starts.refused == []


async def test_one_that_the_broker_kept_starts_nothing_and_says_how_to_clear_it(
    connected_settings: Settings, outside: Peer
):
    await outside.publish(SEED_TRIGGERS, seed(1), retain=True)
    starts = Starts(connected_settings)
    await starts.starts.connection.start()
    try:
        await eventually(lambda: starts.refused)
    finally:
        await starts.starts.connection.stop()
        await outside.publish(SEED_TRIGGERS, b"", retain=True)

    assert starts.started == []
    assert starts.refused[0].startswith("a trigger must not be retained; the broker keeps it")
    assert starts.refused[0].endswith("an empty retained message is published on its topic")

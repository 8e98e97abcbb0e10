"""Wishes that come again, stay in the broker, or give no reason."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.bus.client import Received
from app.clock import ManualClock
from app.core.actor import Actor
from app.core.command import AckState, CommandAck, CommandRequest, CommandState
from app.core.errors import ConflictError, InputError
from app.core.topics import COMMAND_REQUESTS, ack_topic
from app.settings import Settings
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.unit.commands.rig import ANN, BOB, FREE, LOCKED, TWO, Rig, offline, online

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
async def rig(settings: Settings) -> AsyncGenerator[Rig]:
    async with offline(settings, ManualClock(NOW)) as made:
        yield made


async def test_the_same_wish_that_waits_for_approval_is_not_taken_twice(rig: Rig):
    first = await rig.ask(TWO, 2.0)
    with pytest.raises(ConflictError, match=f"{first.id}, asked for by ann"):
        await rig.ask(TWO, 2.0, BOB)
    assert len(await rig.gateway.find([CommandState.AWAITING_APPROVAL])) == 1


async def test_the_same_id_again_is_the_waiting_command(rig: Rig):
    first = await rig.ask(TWO, 2.0, id="c1")
    assert await rig.ask(TWO, 2.0, id="c1") == first


async def test_another_value_is_another_wish(rig: Rig):
    await rig.ask(TWO, 2.0)
    assert (await rig.ask(TWO, 3.0)).state is CommandState.AWAITING_APPROVAL


async def test_a_rejected_wish_may_be_asked_for_again(rig: Rig):
    first = await rig.ask(TWO, 2.0)
    await rig.gateway.reject(first.id, ANN)
    assert (await rig.ask(TWO, 2.0)).state is CommandState.AWAITING_APPROVAL


@pytest.mark.parametrize("source", ["ui", "http", "cli"])
@pytest.mark.parametrize("why", ["", "  "])
async def test_a_person_must_say_why(rig: Rig, source: str, why: str):
    with pytest.raises(InputError, match="why: is empty"):
        await rig.gateway.request(FREE, 1.0, Actor("ann", source), why)
    assert await rig.gateway.find() == []


async def test_a_program_need_not_say_why(rig: Rig):
    command = await rig.gateway.request(FREE, 1.0, Actor("line-3", "mqtt"), "")
    assert command.state is CommandState.REQUESTED


def wish(rig: Rig, tag: str) -> CommandRequest:
    return CommandRequest("m1", tag, 1.0, rig.clock.now() + timedelta(seconds=30), "", "line-3")


async def test_a_rejected_request_is_answered_once(connected_settings: Settings):
    acks: list[CommandAck] = []

    def take(batch: Sequence[Received[CommandAck]]) -> None:
        acks.extend(each.message for each in batch)

    async with online(connected_settings) as rig:
        rig.bus.subscribe(ack_topic("m1"), CommandAck, take, qos=1)
        rig.bus.subscribe(ack_topic("end"), CommandAck, take, qos=1)
        await rig.bus.publish_confirmed(COMMAND_REQUESTS, wish(rig, LOCKED))
        await eventually(lambda: acks)
        await rig.bus.publish_confirmed(ack_topic("end"), CommandAck("end", acks[0].state, "", NOW))
        await eventually(lambda: acks[-1].id == "end")
    assert [each.id for each in acks] == ["m1", "end"]


async def test_a_wrong_request_has_none_that_came_with_it_answered_twice(
    connected_settings: Settings,
):
    acks: list[CommandAck] = []

    def take(batch: Sequence[Received[CommandAck]]) -> None:
        acks.extend(each.message for each in batch)

    async with online(connected_settings) as rig:
        for name in ("m1", "m2", "end"):
            rig.bus.subscribe(ack_topic(name), CommandAck, take, qos=1)
        await rig.bus.wait_connected(15)
        good, nameless = wish(rig, LOCKED), msgspec.structs.replace(wish(rig, FREE), id="a b")
        late = msgspec.structs.replace(wish(rig, FREE), id="m2", expires_at=NOW)
        for wanted in (good, nameless, late):  # in one go, and so in one batch
            rig.bus.publish(COMMAND_REQUESTS, wanted, qos=1)
        await eventually(lambda: {each.id for each in acks} == {"m1", "m2"})
        await rig.bus.publish_confirmed(ack_topic("end"), CommandAck("end", acks[0].state, "", NOW))
        await eventually(lambda: acks[-1].id == "end")
        # both that were wrong, and the unsigned end
        await eventually(lambda: rig.durable_bus.counters.dead == 3)

    assert sorted(each.id for each in acks) == ["end", "m1", "m2"]


async def test_a_program_that_calls_itself_as_the_app_does_is_refused_and_told_why(
    connected_settings: Settings,
):
    acks: list[CommandAck] = []

    def take(batch: Sequence[Received[CommandAck]]) -> None:
        acks.extend(each.message for each in batch)

    async with online(connected_settings) as rig:
        rig.bus.subscribe(ack_topic("m1"), CommandAck, take, qos=1)
        claimed = msgspec.structs.replace(wish(rig, FREE), requested_by="System")
        await rig.bus.publish_confirmed(COMMAND_REQUESTS, claimed)
        await eventually(lambda: acks)

        assert (acks[0].state, acks[0].reason) == (
            AckState.REFUSED,
            '"System" is a name of the app itself; use your own',
        )
        assert await rig.gateway.find() == []


async def test_a_retained_request_does_not_stay_in_the_broker(connected_settings: Settings):
    port = int(connected_settings.broker.url.rpartition(":")[2])
    heard: list[bytes] = []

    def hear(batch: Sequence[Received[bytes]]) -> None:
        heard.extend(each.message for each in batch)

    async with online(connected_settings) as rig:
        rig.bus.subscribe(COMMAND_REQUESTS, bytes, hear, qos=1)
        await rig.bus.wait_connected(15)
        await rig.bus.publish_confirmed(COMMAND_REQUESTS, wish(rig, LOCKED), retain=True)
        await eventually(lambda: b"" in heard)  # the app has cleared the topic
        await rig.bus.publish_confirmed("a/marker", b"1", retain=True)
        with peer(port, "late") as late:
            await late.connected()
            await late.subscribe("#")
            await eventually(lambda: ("a/marker", b"1") in late.received)
        assert rig.durable_bus.dead_letters.total == 0
    assert COMMAND_REQUESTS not in [topic for topic, _ in late.received]

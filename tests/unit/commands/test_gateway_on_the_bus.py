"""The gateway with a real broker and a real actuator: sent once, and followed to the end."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import pytest

from app.bus.client import Received
from app.clock import SystemClock
from app.command_key import make_key
from app.core.actor import Actor
from app.core.alarm import Priority
from app.core.command import AckState, Command, CommandAck, CommandRequest, CommandState
from app.core.command_signature import sign
from app.core.equipment import Equipment, Tag
from app.core.errors import BusError, ConflictError
from app.core.health import Health
from app.core.topics import COMMAND_REQUESTS, ack_topic
from app.core.write_rule import Confirm, WriteRule
from app.settings import Settings
from app.store.commands import Sent
from tests.processes import eventually
from tests.unit.commands.rig import (
    ANN,
    BOB,
    FREE,
    LOCKED,
    SPEED,
    UNIT,
    VALVE,
    Rig,
    acting,
    hasty,
    online,
)

S = CommandState


async def test_a_command_is_sent_done_and_shown_by_the_plant(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        command = await rig.settled(await rig.ask(), S.VERIFIED)
        states = [each.new for each in await rig.gateway.changes(command.id)]

    assert states == [S.REQUESTED, S.DISPATCHED, S.ACKNOWLEDGED, S.VERIFIED]
    assert (command.after, command.actuator) == (1.0, "actuator/1")
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_a_whole_number_is_signed_as_the_actuator_reads_it(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        command = await rig.settled(await rig.ask(value=1), S.VERIFIED)

    assert command.after == 1.0


async def test_an_approved_command_names_both_persons(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        asked = await rig.ask(SPEED, 900.0)
        await rig.gateway.approve(asked.id, BOB, "agreed")
        command = await rig.settled(asked, S.VERIFIED)
        lines = await rig.gateway.changes(command.id)

    assert (command.requested_by, command.approved_by) == ("ann", "bob")
    assert asked.expires_at - asked.requested_at == timedelta(seconds=600)
    assert command.sent_at
    assert command.expires_at == command.sent_at + timedelta(seconds=60)
    assert ("bob", S.DISPATCHED, "agreed") in [(each.actor, each.new, each.why) for each in lines]


async def test_what_was_before_is_what_the_tag_showed_when_the_order_was_sent(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig, acting(rig):
        asked = await rig.ask(SPEED, 900.0)
        rig.plant.show(SPEED, 700.0)
        await rig.gateway.approve(asked.id, BOB, "agreed")
        command = await rig.settled(asked, S.VERIFIED)

    assert (asked.before, command.before, command.after) == (1000.0, 700.0, 900.0)


async def test_a_command_sent_again_under_its_id_is_done_once(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        first = await rig.ask(id="once")
        await rig.settled(first, S.VERIFIED)
        again = await rig.ask(id="once")

    assert again.state is S.VERIFIED
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_a_second_command_too_soon_is_rejected(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        first = await rig.ask(VALVE, 40.0)
        second = await rig.ask(VALVE, 30.0)

    assert first.state is S.DISPATCHED
    assert (second.state, "10 s must lie" in second.reason) == (S.REJECTED, True)


async def test_two_steps_before_the_plant_shows_the_first_are_one_too_great(
    connected_settings: Settings,
):
    tag = Tag(path=FREE, high=1500, write=WriteRule(confirm=Confirm.NONE, max_step=100))
    async with online(connected_settings) as rig, acting(rig):
        rig.tags.declare(Equipment(UNIT, "Cooling pump P-101", tags=(tag,)))
        rig.plant.show(FREE, 1000.0)
        rig.plant.is_obedient = False
        await rig.settled(await rig.ask(value=1100.0), S.ACKNOWLEDGED)
        back = await rig.ask(value=900.0)

    assert back.state is S.REJECTED
    assert "At most 100 from 1100, which it was just set to; is 200" in back.reason


async def test_what_waited_for_an_actuator_is_sent_when_one_comes(connected_settings: Settings):
    async with online(connected_settings) as rig:
        command = await rig.ask()
        assert "No actuator is alive" in command.reason
        async with acting(rig):
            ended = await rig.settled(command, S.VERIFIED)

    assert ended.reason == ""


async def test_what_the_plant_refuses_is_rejected_in_its_words(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        rig.plant.trouble = ConflictError("the pump is locked out")
        command = await rig.settled(await rig.ask(), S.REJECTED)

    assert "the pump is locked out" in command.reason


async def test_what_the_plant_does_not_show_is_unknown_with_an_alarm(
    connected_settings: Settings,
):
    async with online(connected_settings, verify_s=1.0) as rig, acting(rig):
        rig.plant.is_obedient = False
        command = await rig.settled(await rig.ask(), S.UNKNOWN)
        await eventually(lambda: rig.findings[-1].priority)
        finding = rig.findings[-1]

    assert command.reason.startswith("After 1 s lamp is")
    assert (finding.equipment, finding.priority) == (UNIT, Priority.HIGH)
    assert finding.latching


async def test_the_alarm_ends_when_the_plant_shows_it_late(connected_settings: Settings):
    async with online(connected_settings, verify_s=1.0) as rig, acting(rig):
        rig.plant.is_obedient = False
        command = await rig.settled(await rig.ask(), S.UNKNOWN)
        rig.plant.is_obedient = True
        await rig.settled(command, S.VERIFIED)
        await eventually(lambda: rig.findings[-1].priority is None)

    assert rig.plant.writes == [(FREE, 1.0)]


async def test_the_alarm_ends_when_a_later_command_is_shown(connected_settings: Settings):
    async with online(connected_settings, verify_s=1.0) as rig, acting(rig):
        rig.plant.is_obedient = False
        lost = await rig.settled(await rig.ask(), S.UNKNOWN)
        rig.plant.is_obedient = True
        await rig.settled(await rig.ask(value=2.0), S.VERIFIED)
        await eventually(lambda: rig.findings[-1].priority is None)
        still = await rig.gateway.get(lost.id)

    assert still.state is S.UNKNOWN


async def test_what_the_actuator_cannot_tell_is_unknown_and_never_sent_again(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig, acting(rig):
        rig.plant.trouble, rig.plant.is_obedient = BusError("silent"), False
        command = await rig.settled(await rig.ask(), S.UNKNOWN)

    assert "silent" in command.reason
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_an_actuator_that_goes_away_leaves_the_command_unknown(
    connected_settings: Settings,
):
    async with online(hasty(connected_settings)) as rig:
        async with acting(rig):
            rig.plant.trouble = BusError("silent")
            rig.plant.is_readable = False
        await eventually(lambda: not rig.registry.capable("act"))
        command = await dispatched_to_nobody(rig)
        ended = await rig.settled(command, S.UNKNOWN)

    assert "is away" in ended.reason


async def test_what_the_actuator_never_had_expires(connected_settings: Settings):
    async with online(hasty(connected_settings)) as rig, acting(rig):
        command = await dispatched_to_nobody(rig)
        ended = await rig.settled(command, S.EXPIRED)

    assert "never began it" in ended.reason
    assert rig.plant.writes == []


async def test_what_a_crash_left_unsent_holds_up_its_tag_and_is_sent_once(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig:
        command = await dispatched_to_nobody(rig, valid_s=40.0)
        second = await rig.ask(value=2.0)
        async with acting(rig):
            await rig.settled(command, S.VERIFIED)

    assert second.state is S.REJECTED
    assert "Command lost = 1, asked for by ann, was sent" in second.reason
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_a_tag_is_free_when_the_end_of_the_order_before_is_unknown(
    connected_settings: Settings,
):
    async with online(hasty(connected_settings)) as rig, acting(rig):
        rig.plant.trouble, rig.plant.is_obedient = BusError("silent"), False
        await rig.settled(await rig.ask(), S.UNKNOWN)
        rig.plant.trouble, rig.plant.is_obedient = None, True
        await rig.settled(await rig.ask(value=2.0), S.VERIFIED)

    assert rig.plant.writes == [(FREE, 1.0), (FREE, 2.0)]


async def dispatched_to_nobody(rig: Rig, valid_s: float = 5.0) -> Command:
    """Leave a row as a crash between the row and the sending does; by itself its time is over."""
    now = rig.clock.now() - timedelta(seconds=10)
    expires_at = now + timedelta(seconds=valid_s)
    asked = Command("lost", FREE, 1.0, "ann", "ui", now, expires_at, S.REQUESTED, now)
    await rig.gateway._rows.insert(asked)  # pyright: ignore[reportPrivateUsage]  what a crash leaves
    sent = msgspec.structs.replace(
        asked,
        state=S.DISPATCHED,
        actuator="actuator/1",
        sent_at=rig.clock.now(),
        changed_at=rig.clock.now(),
    )
    rig.gateway._rows._store.change(asked, sent, "ann")  # pyright: ignore[reportPrivateUsage]
    return sent


async def test_after_a_restart_what_was_sent_is_followed_and_done_once(
    connected_settings: Settings,
):
    async with online(connected_settings) as first, acting(first):
        first.plant.is_obedient = False
        command = await first.settled(await first.ask(), S.ACKNOWLEDGED)
    async with online(connected_settings) as second, acting(second):
        second.plant.show(FREE, 1.0)
        ended = await second.settled(command, S.VERIFIED)

    assert ended.id == command.id
    assert second.plant.writes == []


async def test_an_ack_without_our_signature_is_not_believed(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        rig.plant.trouble, rig.plant.is_obedient = BusError("silent"), False
        command = await rig.settled(await rig.ask(), S.UNKNOWN)
        forged = CommandAck(command.id, AckState.DONE, "actuator/1", rig.clock.now())
        await rig.bus.publish_confirmed(ack_topic(command.id), forged)
        await eventually(lambda: rig.durable_bus.dead_letters.total == 1)
        still = await rig.gateway.get(command.id)

    assert still.state is S.UNKNOWN


async def test_an_ack_of_an_impossible_time_holds_up_no_other(connected_settings: Settings):
    """Anybody may publish it; the bus calls a handler that fails on it again for ever."""
    forged = b'{"id":"x","state":"done","actuator":"actuator/1","at":"0001-01-01T00:00:00+14:00"}'
    async with online(connected_settings) as rig, acting(rig):
        await rig.bus.publish_confirmed(ack_topic("x"), forged)
        await rig.settled(await rig.ask(), S.VERIFIED)
        await eventually(lambda: rig.durable_bus.counters.dead == 1)

    assert rig.durable_bus.counters.failed == 0


async def test_an_ack_of_a_command_of_another_version_holds_up_no_other(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig, acting(rig) as agent:
        old = await rig.settled(await rig.ask(), S.VERIFIED)
        rig.spoil_rows()
        ack = CommandAck(old.id, AckState.DONE, agent.name, rig.clock.now())
        key = rig.gateway._wire.key  # pyright: ignore[reportPrivateUsage]  signs as the actuator
        assert key
        await rig.bus.publish_confirmed(ack_topic(old.id), sign(ack, key))
        await rig.settled(await rig.ask(SPEED, 900.0, confirmed=True), S.VERIFIED)
        await eventually(lambda: rig.durable_bus.counters.dead == 1)

    assert rig.durable_bus.counters.failed == 0


async def test_acks_wait_for_a_store_that_is_not_open_yet(connected_settings: Settings):
    """Else each would count as forged, and be lost."""
    rig = Rig(connected_settings, SystemClock())
    ack = CommandAck("c1", AckState.DONE, "actuator/1", rig.clock.now())
    key = make_key(connected_settings)
    try:
        for bus in (rig.bus, rig.durable_bus):
            await bus.start()
            await bus.wait_connected(15)
        await rig.bus.publish_confirmed(ack_topic("c1"), sign(ack, key))
        await eventually(lambda: rig.durable_bus.counters.failed > 0)
        await rig.open()
        await eventually(lambda: rig.durable_bus.status.state is Health.OK)
    finally:
        for bus in (rig.bus, rig.durable_bus):
            await bus.stop()
        await rig.close()

    assert rig.durable_bus.counters.dead == 0


async def test_an_answer_counts_though_the_row_is_changed_while_it_is_taken(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig, acting(rig):
        store = rig.gateway._rows._store  # pyright: ignore[reportPrivateUsage]  changes rows between
        read = store.get

        def get(command_id: str) -> Command | None:
            found = read(command_id)
            if found and found.state is S.DISPATCHED and not found.reason:
                store.change(found, msgspec.structs.replace(found, reason="slow"), "system")
            return found

        store.get = get
        command = await rig.settled(await rig.ask(), S.VERIFIED)

    assert command.reason == ""
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_a_caller_that_leaves_while_the_row_is_written_takes_no_order_with_it(
    connected_settings: Settings,
):
    async with online(connected_settings) as rig, acting(rig):
        store = rig.gateway._rows._store  # pyright: ignore[reportPrivateUsage]  takes its time
        write = store.change
        is_writing, may_write = threading.Event(), threading.Event()

        def change(
            old: Command, new: Command, actor: str, why: str = "", known: Sent | None = None
        ) -> bool:
            if new.state is S.DISPATCHED:
                is_writing.set()
                assert may_write.wait(10)
            return write(old, new, actor, why, known)

        store.change = change
        asking = asyncio.create_task(rig.ask())
        await eventually(is_writing.is_set)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        may_write.set()
        await rig.settled(rig.told[0], S.VERIFIED)

    assert rig.plant.writes == [(FREE, 1.0)]


def request(rig: Rig, valid_s: float = 30.0) -> CommandRequest:
    expires_at = rig.clock.now() + timedelta(seconds=valid_s)
    return CommandRequest("m1", FREE, 1.0, expires_at, "by script", "line-3")


async def answered(rig: Rig, wanted: CommandRequest, *, retain: bool = False) -> CommandAck:
    """Ask on MQTT and return what the gateway answers at the end."""
    acks: list[CommandAck] = []

    def take(batch: Sequence[Received[CommandAck]]) -> None:
        acks.extend(each.message for each in batch if each.message.actuator == "gateway")

    rig.bus.subscribe(ack_topic(wanted.id), CommandAck, take, qos=1)
    await rig.bus.wait_connected(15)
    await rig.bus.publish_confirmed(COMMAND_REQUESTS, wanted, retain=retain)

    def is_there() -> bool:
        rig.plant.obey()
        return bool(acks)

    await eventually(is_there)
    return acks[0]


async def test_a_request_on_mqtt_is_done_and_answered(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        ack = await answered(rig, request(rig))
        command = await rig.gateway.get("m1")

    assert (ack.state, ack.value) == (AckState.DONE, 1.0)
    assert (command.requested_by, command.source) == ("line-3", "mqtt")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tag": VALVE}, "May come from"),
        ({"tag": LOCKED}, "nobody may change it"),
        ({"value": 1e9}, "Must be between"),
    ],
)
async def test_a_request_on_mqtt_that_fails_a_check_is_answered(
    connected_settings: Settings, more: dict[str, object], words: str
):
    async with online(connected_settings) as rig:
        ack = await answered(rig, msgspec.structs.replace(request(rig), **more))

    assert (ack.state, words in ack.reason) == (AckState.REFUSED, True)


async def test_a_request_on_mqtt_that_comes_late_is_refused(connected_settings: Settings):
    async with online(connected_settings) as rig:
        ack = await answered(rig, request(rig, valid_s=-1))
        kept = await rig.gateway.find()

    assert (ack.state, "expired" in ack.reason) == (AckState.REFUSED, True)
    assert kept == []


async def test_a_workflow_is_a_source_like_others(connected_settings: Settings):
    async with online(connected_settings) as rig, acting(rig):
        asked = await rig.ask(SPEED, 900.0, Actor("ann", "workflow"), confirmed=True, run="r1:s2")
        command = await rig.settled(asked, S.VERIFIED)

    assert (command.run, command.source) == ("r1:s2", "workflow")
    assert ANN.name == command.approved_by

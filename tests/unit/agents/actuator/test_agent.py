"""The actuator on a real broker with a plant of one tag: each order at most once."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta

import msgspec
import pytest
from typing_extensions import override

from agents.actuator.agent import ActuatorAgent
from agents.actuator.journal import Line, read_journal
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.command_key import key_file, make_key
from app.core.agent import AgentState
from app.core.alarm import Finding, Priority
from app.core.clock import Clock
from app.core.command import AckState, CommandAck, CommandOrder
from app.core.command_signature import is_signed, sign
from app.core.errors import BusError, ConflictError, SettingsError
from app.core.topics import ACKS, FINDINGS, command_topic
from app.settings import AgentSettings, Settings
from tests.processes import eventually

TAG = "riverside/utilities/cooling/pump-101/speed_setpoint"
CLOCK = SystemClock()


class OneTag:
    """A plant of one tag, which may be silent or refuse."""

    def __init__(self) -> None:
        self.value = 0.0
        self.writes: list[float] = []
        self.trouble: Exception | None = None
        self.is_readable = True
        self.takes_in_silence = False
        self.away = ""
        self.looks = self.reads = 0

    def why_away(self) -> str:
        self.looks += 1
        return self.away

    async def write(self, order: CommandOrder) -> None:
        self.writes.append(order.value)
        if self.trouble is None or self.takes_in_silence:
            self.value = order.value
        if self.trouble is not None:
            raise self.trouble

    async def read(self, tag: str) -> float:
        self.reads += 1
        if not self.is_readable:
            raise BusError("the plant is silent")
        return self.value


class Desk:
    """The app's side: sends orders and hears acknowledgements."""

    def __init__(
        self, settings: Settings, plant: OneTag, instance: str = "1", clock: Clock = CLOCK
    ) -> None:
        self.key = make_key(settings)
        self.bus = Bus(settings, "desk", CLOCK)
        self.acks: list[CommandAck] = []
        self.plant = plant
        self.agent = ActuatorAgent(settings, clock, instance, plant)
        self.findings: list[Finding] = []
        self.bus.subscribe(ACKS, CommandAck, self._take, qos=1)
        self.bus.subscribe(FINDINGS, Finding, self._take_findings, qos=1)

    def order(self, name: str = "c1", value: float = 900.0, valid_s: float = 60.0) -> CommandOrder:
        expires_at = CLOCK.now() + timedelta(seconds=valid_s)
        return sign(CommandOrder(name, TAG, value, self.agent.name, expires_at), self.key)

    async def send(self, order: CommandOrder, topic: str = "", *, retain: bool = False) -> None:
        await self.bus.publish_confirmed(topic or command_topic(order.tag), order, retain=retain)

    async def answer(self, count: int = 1) -> CommandAck:
        await eventually(lambda: len(self.acks) >= count)
        return self.acks[count - 1]

    async def forge(self, unit: str) -> None:
        """Send a forged order to a unit and wait until it is told."""
        tag = TAG.replace("pump-101", unit)
        await self.send(msgspec.structs.replace(self.order(f"forged-{unit}"), tag=tag))
        await eventually(lambda: any(unit in each.equipment for each in self.findings))

    async def proof(self) -> None:
        """Send an order that is followed, so that all before it have been judged."""
        before = len(self.acks)
        await self.send(self.order("proof", 1.0))
        await eventually(lambda: any(ack.id == "proof" for ack in self.acks[before:]))

    def _take(self, batch: Sequence[Received[CommandAck]]) -> None:
        self.acks.extend(received.message for received in batch)

    def _take_findings(self, batch: Sequence[Received[Finding]]) -> None:
        self.findings.extend(received.message for received in batch)


@asynccontextmanager
async def working(
    settings: Settings,
    plant: OneTag | None = None,
    instance: str = "1",
    clock: Clock = CLOCK,
) -> AsyncGenerator[Desk]:
    desk = Desk(settings, plant or OneTag(), instance, clock)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(desk.agent.serve(stopping))
        await desk.bus.start()
        await desk.bus.wait_connected(15)
        await desk.agent.bus.wait_connected(15)
        try:
            yield desk
        finally:
            stopping.set()
            await desk.bus.stop()


async def left_started(settings: Settings, name: str = "c1") -> None:
    """Leave the journal as a crash between its two lines does."""
    agent = ActuatorAgent(settings, CLOCK)
    await agent.journal.open(CLOCK.now())
    await agent.journal.add(Line(0, name, CLOCK.now(), AckState.STARTED, TAG, 900.0))
    await agent.journal.close()


async def state_of(desk: Desk, name: str, ago_s: float = 0.0) -> CommandAck:
    sent_at = (CLOCK.now() - timedelta(seconds=ago_s)).isoformat()
    output = await desk.agent.handle_task("command_state", {"id": name, "sent_at": sent_at})
    return msgspec.convert(output, CommandAck)


async def test_an_order_is_done_and_answered_with_a_signature(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.id, ack.state, ack.actuator) == ("c1", AckState.DONE, "actuator/1")
    assert is_signed(ack, desk.key)
    assert desk.plant.writes == [900.0]


async def test_an_order_sent_again_is_answered_from_the_journal_and_not_done_again(
    connected_settings: Settings,
):
    async with working(connected_settings) as desk:
        order = desk.order()
        await desk.send(order)
        first = await desk.answer()
        await desk.send(order)
        second = await desk.answer(2)

    assert first == second
    assert desk.plant.writes == [900.0]


async def test_an_order_replayed_after_a_restart_is_not_done_again(connected_settings: Settings):
    async with working(connected_settings) as desk:
        order = desk.order()
        await desk.send(order)
        await desk.answer()
    async with working(connected_settings) as again:
        await again.send(order)
        ack = await again.answer()

    assert ack.state is AckState.DONE
    assert again.plant.writes == []


async def test_an_order_to_another_actuator_is_left_alone(connected_settings: Settings):
    async with working(connected_settings) as desk:
        other = msgspec.structs.replace(desk.order(), actuator="actuator/2")
        await desk.send(sign(other, desk.key))
        await desk.proof()

    assert desk.plant.writes == [1.0]
    assert desk.agent.bus.dead_letters.total == 0


async def test_a_forged_order_is_not_followed_and_nobody_is_answered(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(msgspec.structs.replace(desk.order(), value=1500.0))
        await desk.send(msgspec.structs.replace(desk.order("c2"), signature=""))
        await desk.proof()

    assert desk.plant.writes == [1.0]
    assert [ack.id for ack in desk.acks] == ["proof"]
    assert desk.agent.bus.dead_letters.total == 2


async def test_a_forged_order_of_an_impossible_time_holds_up_no_other(connected_settings: Settings):
    async with working(connected_settings) as desk:
        forged = (
            f'{{"id":"c0","tag":"{TAG}","value":1,"actuator":"{desk.agent.name}",'
            '"expires_at":"9999-12-31T23:59:59-14:00"}'
        )
        await desk.bus.publish_confirmed(command_topic(TAG), forged.encode())
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.id, ack.state) == ("c1", AckState.DONE)
    assert desk.plant.writes == [900.0]


async def test_forged_orders_are_told_as_one_finding_of_their_unit(connected_settings: Settings):
    async with working(connected_settings) as desk:
        for number in range(5):
            await desk.send(msgspec.structs.replace(desk.order(f"c{number}"), signature="0" * 64))
        await eventually(lambda: desk.findings)
        await desk.proof()

    (found,) = desk.findings
    assert (found.equipment, found.priority) == (TAG.rpartition("/")[0], Priority.HIGH)
    assert "no right signature" in found.message


async def test_an_order_with_a_right_signature_is_no_finding(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.send(desk.order("late", valid_s=-1.0))
        await desk.answer(2)
        await desk.forge("pump-102")

    assert [each.equipment.rpartition("/")[2] for each in desk.findings] == ["pump-102"]


async def test_without_a_key_orders_are_refused_and_nobody_is_accused(
    connected_settings: Settings,
):
    async with working(connected_settings) as desk:
        key = key_file(connected_settings).read_bytes()
        key_file(connected_settings).unlink()
        await desk.send(desk.order())
        await eventually(lambda: desk.agent.bus.dead_letters.total)
        key_file(connected_settings).write_bytes(key)
        await desk.forge("pump-102")

    assert desk.plant.writes == []
    assert [each.equipment.rpartition("/")[2] for each in desk.findings] == ["pump-102"]
    assert "no command key" in desk.agent.bus.dead_letters.list()[-1].reason


async def test_an_order_on_the_topic_of_another_tag_is_not_followed(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order(), command_topic(TAG.replace("101", "102")))
        await desk.proof()

    assert desk.plant.writes == [1.0]


async def test_an_expired_order_is_refused(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order(valid_s=-1.0))
        ack = await desk.answer()

    assert (ack.state, "expired" in ack.reason) == (AckState.REFUSED, True)
    assert desk.plant.writes == []


async def test_an_order_that_stood_retained_is_refused(connected_settings: Settings):
    desk = Desk(connected_settings, OneTag(), "unheard")
    await desk.bus.start()
    await desk.bus.wait_connected(15)
    order = desk.order("kept")
    await desk.send(order, retain=True)
    await desk.bus.stop()
    async with working(connected_settings, instance="unheard") as later:
        ack = await later.answer()
        await later.bus.publish_confirmed(command_topic(TAG), b"", retain=True)

    assert (ack.id, ack.state, "retained" in ack.reason) == ("kept", AckState.REFUSED, True)
    assert later.plant.writes == []


async def test_a_known_id_with_another_value_is_not_followed(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.answer()
        await desk.send(desk.order(value=500.0))
        await desk.proof()

    assert desk.plant.writes == [900.0, 1.0]


async def test_what_the_plant_refuses_is_refused_in_its_words(connected_settings: Settings):
    plant = OneTag()
    plant.trouble = ConflictError("the pump is locked out")
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.state, ack.reason) == (AckState.REFUSED, "the pump is locked out")


@pytest.mark.parametrize(
    ("takes", "readable", "state"),
    [
        (True, True, AckState.DONE),
        (False, True, AckState.UNKNOWN),
        (True, False, AckState.UNKNOWN),
    ],
)
async def test_after_silence_the_plant_is_read_back(
    connected_settings: Settings, takes: bool, readable: bool, state: AckState
):
    plant = OneTag()
    plant.trouble, plant.takes_in_silence, plant.is_readable = BusError("silent"), takes, readable
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert ack.state is state
    assert plant.writes == [900.0]


async def journalled(desk: Desk, name: str = "c1") -> list[AckState]:
    file = desk.agent.settings.data.dir / "checkpoints" / "actuator" / "1.journal.sqlite"
    lines = await asyncio.to_thread(read_journal, file)
    return [line.state for line in lines if line.id == name]


async def test_while_nobody_can_be_asked_an_order_waits_and_is_not_begun(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
        begun, state = await journalled(desk), (await state_of(desk, "c1")).state
        plant.away = ""
        ack = await desk.answer()
        ended = await journalled(desk)

    assert (begun, state) == ([], AckState.STARTED)
    assert (ack.state, plant.writes) == (AckState.DONE, [900.0])
    assert ended == [AckState.STARTED, AckState.DONE]


async def test_an_order_that_waits_is_refused_at_its_end_in_plain_words(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = 'No live agent offers "write_tag"'
    async with working(connected_settings, plant) as desk:
        order = desk.order(valid_s=1.0)
        await desk.send(order)
        ack = await desk.answer()
        lines = await journalled(desk)

    assert (ack.state, ack.reason) == (AckState.REFUSED, 'No live agent offers "write_tag"')
    assert ack.at >= order.expires_at
    assert (plant.writes, lines) == ([], [AckState.REFUSED])


class SetBack(SystemClock):
    """A clock that somebody sets back."""

    set_by = timedelta(0)

    @override
    def now(self) -> datetime:
        return super().now() + self.set_by


async def test_an_order_that_waits_ends_in_its_time_though_the_clock_is_set_back(
    connected_settings: Settings,
):
    plant, clock = OneTag(), SetBack()
    plant.away = "nobody"
    async with working(connected_settings, plant, clock=clock) as desk:
        await desk.send(desk.order(valid_s=1.0))
        await eventually(lambda: plant.looks >= 1)
        clock.set_by = -timedelta(hours=1)
        ack = await desk.answer()

    assert (ack.state, ack.reason) == (AckState.REFUSED, "nobody")
    assert plant.writes == []


async def test_an_order_sent_again_while_it_waits_is_done_once(connected_settings: Settings):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        order = desk.order()
        await desk.send(order)
        await desk.send(order)
        await desk.send(desk.order(value=500.0))
        await eventually(lambda: desk.agent.bus.dead_letters.total == 1)
        plant.away = ""
        await desk.answer()
        await desk.proof()

    assert plant.writes == [900.0, 1.0]


async def test_an_order_that_waited_when_the_actuator_stopped_was_never_begun(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
    async with working(connected_settings) as again:
        state = (await state_of(again, "c1")).state

    assert (state, plant.writes, again.plant.writes) == (AckState.ABSENT, [], [])


async def test_an_order_behind_one_that_waits_expires_with_it(connected_settings: Settings):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order(valid_s=1.5))
        await desk.send(desk.order("c2", valid_s=1.4))
        second = await desk.answer(2)

    assert (second.id, second.state) == ("c2", AckState.REFUSED)
    assert "another one to the tag" in second.reason


@pytest.mark.parametrize(("held", "state"), [(900.0, AckState.DONE), (0.0, AckState.UNKNOWN)])
async def test_what_a_crash_left_open_is_read_back_and_never_done_again(
    connected_settings: Settings, held: float, state: AckState
):
    await left_started(connected_settings)
    plant = OneTag()
    plant.value = held
    async with working(connected_settings, plant) as desk:
        await eventually(lambda: desk.agent.beat().progress >= 1)
        ack = await state_of(desk, "c1")

    assert ack.state is state
    assert "estart" in ack.reason or "stopped" in ack.reason
    assert plant.writes == []


def rename_lines(settings: Settings, old: str, new: str) -> None:
    """Keep the journal from being written, or let it be again; triggers go with the table."""
    file = settings.data.dir / "checkpoints" / "actuator" / "1.journal.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


def is_degraded(desk: Desk) -> bool:
    return desk.agent.communication.status.state is AgentState.DEGRADED


async def test_a_journal_that_can_be_written_again_is_no_trouble_any_more(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
        rename_lines(connected_settings, "lines", "away")
        plant.away = ""
        await eventually(lambda: is_degraded(desk))
        rename_lines(connected_settings, "away", "lines")
        await desk.send(desk.order("c2", 500.0))
        ack = await desk.answer()
        await eventually(lambda: not is_degraded(desk))

    assert (ack.id, ack.state, plant.writes) == ("c2", AckState.DONE, [500.0])


async def test_what_a_crash_left_open_is_concluded_once_the_journal_can_be_written(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.is_readable = False
    await left_started(connected_settings)
    async with working(connected_settings, plant) as desk:
        await eventually(lambda: plant.reads >= 1)
        rename_lines(connected_settings, "lines", "away")
        plant.value, plant.is_readable = 900.0, True
        await eventually(lambda: is_degraded(desk))
        rename_lines(connected_settings, "away", "lines")
        ack = await desk.answer()

    assert (ack.id, ack.state, plant.writes) == ("c1", AckState.DONE, [])


async def test_its_journal_tells_what_became_of_an_order(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.answer()
        known, absent = await state_of(desk, "c1"), await state_of(desk, "c9")
        before_its_time = await state_of(desk, "c9", ago_s=3600)

    assert is_signed(known, desk.key)
    states = [ack.state for ack in (known, absent, before_its_time)]
    assert states == [AckState.DONE, AckState.ABSENT, AckState.UNKNOWN]


async def test_without_the_key_it_follows_nothing_and_says_so(connected_settings: Settings):
    async with working(connected_settings) as desk:
        order = desk.order()
        key_file(connected_settings).unlink()
        await desk.send(order)
        await eventually(lambda: desk.agent.bus.dead_letters.total == 1)
        reason = desk.agent.communication.status.reason

    assert desk.plant.writes == []
    assert "Command key" in reason


@pytest.mark.parametrize("delay", [-1, 61, "soon", True])
def test_an_option_that_cannot_work_is_named(settings: Settings, delay: float | str):
    agents = {"actuator": AgentSettings(options={"delay_s": delay})}

    with pytest.raises(SettingsError, match=r"agents\.actuator\.options\.delay_s"):
        ActuatorAgent(settings.model_copy(update={"agents": agents}), CLOCK)

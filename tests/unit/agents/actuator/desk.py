"""A plant of one tag, and the app's side of an actuator on a real broker."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec

from agents.actuator.agent import ActuatorAgent
from agents.actuator.journal import Line
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.command_key import make_key
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.command import AckState, CommandAck, CommandOrder
from app.core.command_signature import sign
from app.core.errors import BusError
from app.core.topics import ACKS, FINDINGS, command_topic
from app.settings import Settings
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

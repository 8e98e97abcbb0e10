"""A command gateway with everything around it but people: the plant is one pump."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from zlib import crc32

from agents.actuator.agent import ActuatorAgent
from app.bus.client import Bus, Received
from app.bus.tasks import TaskClient
from app.clock import SystemClock
from app.command_key import make_key
from app.commands.gateway import CommandGateway, Surroundings
from app.core.actor import Actor, Role
from app.core.agent import AgentStatus, Beat
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.command import Command, CommandOrder, CommandState
from app.core.equipment import Equipment, Tag
from app.core.errors import BusError
from app.core.reading import Quality, Reading, ReadingMessage
from app.core.topics import BEATS, BIRTHS, EQUIPMENT, PLANT, tag_of
from app.core.write_rule import CommandSource, Confirm, Interlock, WriteRule
from app.live.tags import TagTable
from app.settings import CommandSettings, Settings
from app.store.audit import AuditLog
from app.store.commands import METADATA, WHAT
from app.store.database import Database
from app.supervisor.registry import Registry
from tests.processes import eventually

UNIT = "riverside/utilities/cooling/pump-101"
SPEED, VALVE, LOCKED = f"{UNIT}/speed_setpoint", f"{UNIT}/valve", f"{UNIT}/local"
TWO, FREE, MEASURED = f"{UNIT}/mode", f"{UNIT}/lamp", f"{UNIT}/flow"
ANN, BOB = Actor("ann", "ui"), Actor("bob", "ui")
CHIEF = Actor("eve", "ui", Role.SUPERVISOR)
EVERYWHERE = tuple(CommandSource)
FRESH_S = 3600.0
VERIFY_S = 20.0  # on a busy machine


def pump(verify_s: float = VERIFY_S) -> Equipment:
    """Return a pump with a tag of each kind; `verify_s` after a command it is unknown."""
    rules = {
        SPEED: WriteRule(
            interlocks=(Interlock("local", "==", 0),), sources=EVERYWHERE, verify_s=verify_s
        ),
        VALVE: WriteRule(confirm=Confirm.NONE, min_interval_s=10, verify_s=verify_s),
        TWO: WriteRule(confirm=Confirm.TWO_PERSONS, role=Role.OPERATOR, verify_s=verify_s),
        FREE: WriteRule(confirm=Confirm.NONE, sources=EVERYWHERE, verify_s=verify_s),
    }
    plain = [Tag(path=path, stale_after_s=FRESH_S) for path in (LOCKED, MEASURED)]
    ruled = [
        Tag(path=path, high=1500, unit="1/min", write=rule, stale_after_s=FRESH_S)
        for path, rule in rules.items()
    ]
    return Equipment(UNIT, "Cooling pump P-101", tags=(*plain, *ruled))


class Plant:
    """What the actuator drives; it may refuse, be silent, or not obey."""

    def __init__(self, tags: TagTable, clock: Clock) -> None:
        self._tags = tags
        self._clock = self.source_clock = clock
        self.writes: list[tuple[str, float]] = []
        self.trouble: Exception | None = None
        self.is_readable = True
        self.is_obedient = True

    def why_away(self) -> str:
        return ""

    async def write(self, order: CommandOrder) -> None:
        self.writes.append((order.tag, order.value))
        if self.trouble is not None:
            raise self.trouble

    async def read(self, tag: str) -> float:
        if not self.is_readable:
            raise BusError("the plant is silent")
        reading = self._tags.value(tag)
        assert reading
        assert reading.value is not None
        return reading.value

    def obey(self) -> None:
        """Show what was written last, as the plant does once a second."""
        for tag, value in self.writes if self.is_obedient else []:
            self.show(tag, value)

    def show(self, tag: str, value: float | None, quality: Quality = Quality.GOOD) -> None:
        """Let a reading come in now."""
        now = self._clock.now()
        self._tags.apply([Reading(tag, value, quality, self.source_clock.now(), now)])


class Rig:
    """The gateway and what it works with."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        is_demo: bool = False,
        name: str = "rig",
        url: str = "",
        verify_s: float = VERIFY_S,
        settle_s: float = 0.0,
    ) -> None:
        settings.data.dir.mkdir(parents=True, exist_ok=True)
        self.settings = settings
        self.clock = clock
        self.tags = TagTable(clock, 1000)
        self.plant = Plant(self.tags, clock)
        if not is_demo:
            self._stand_up(verify_s)
        self.audit = AuditLog(settings.data.dir / "audit.sqlite")
        self.registry = Registry(clock, settings.supervisor)
        # what the broker still has for an earlier test is not for this one
        name = f"{name}-{crc32(bytes(settings.data.dir)):x}"
        self.bus = Bus(settings, f"{name}-live", clock)
        self.durable_bus = Bus(settings, f"{name}-app", clock, persistent=True)
        self.findings: list[Finding] = []
        self.told: list[Command] = []
        around = Surroundings(
            settings=settings,
            clock=clock,
            tags=self.tags,
            registry=self.registry,
            bus=self.bus,
            tasks=(tasks := TaskClient(self.bus, name, clock)),
            audit=self.audit,
            state_finding=self.findings.append,
            settle=timedelta(seconds=settle_s),
        )
        url = url or f"sqlite:///{settings.data.dir / 'commands.sqlite'}"
        self.gateway = CommandGateway(around, Database(url, METADATA, WHAT))
        self.gateway.on_change(self.told.append)
        self.gateway.subscribe(self.durable_bus)
        self.bus.subscribe(BIRTHS, AgentStatus, self._births, qos=1)
        self.bus.subscribe(BEATS, Beat, self._beats)
        tasks.start()
        if is_demo:
            self.bus.subscribe(EQUIPMENT, Equipment, self._units, qos=1)
            self.bus.subscribe(PLANT, ReadingMessage, self._readings)

    async def open(self) -> None:
        self.audit.open()
        await self.gateway.start()

    async def close(self) -> None:
        await self.gateway.stop()
        self.audit.close()

    async def ask(
        self, tag: str = FREE, value: float = 1.0, actor: Actor = ANN, **more: object
    ) -> Command:
        return await self.gateway.request(tag, value, actor, "too hot", **more)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  a test names what it needs

    async def settled(self, command: Command, state: CommandState) -> Command:
        """Step until a command is in a state."""

        def is_there() -> bool:
            self.plant.obey()
            return self.was_told(command.id, state)

        await eventually(is_there)
        return await self.gateway.get(command.id)

    async def came(self, command_id: str, state: CommandState) -> Command:
        """Return a command once it is in a state, with a plant that does nothing of itself."""
        await eventually(lambda: self.was_told(command_id, state))
        return await self.gateway.get(command_id)

    def was_told(self, command_id: str, state: CommandState) -> bool:
        """Tell whether a command has been in a state."""
        return any((each.id, each.state) == (command_id, state) for each in self.told)

    def actions(self) -> list[tuple[str, str, str]]:
        return [(row.action, row.actor, row.outcome.value) for row in self.audit.rows(50)][::-1]

    def spoil_rows(self) -> None:
        """Let every command be one of a newer version, which this one cannot read."""
        with closing(sqlite3.connect(self.settings.data.dir / "commands.sqlite")) as file, file:
            file.execute("UPDATE commands SET body = CAST('{\"newer\": 1}' AS BLOB)")

    def _stand_up(self, verify_s: float) -> None:
        self.tags.declare(pump(verify_s))
        for path, value in ((LOCKED, 0.0), (SPEED, 1000.0), (VALVE, 50.0), (TWO, 1.0), (FREE, 0.0)):
            self.plant.show(path, value)

    def _units(self, batch: Sequence[Received[Equipment]]) -> None:
        for received in batch:
            self.tags.declare(received.message)

    def _readings(self, batch: Sequence[Received[ReadingMessage]]) -> None:
        for received in batch:
            said, now = received.message, received.received_time
            value = None if said.v is None else float(said.v)
            at = said.t or now
            self.tags.apply([Reading(tag_of(received.topic), value, said.q, at, now, said.r)])

    def _births(self, batch: Sequence[Received[AgentStatus]]) -> None:
        for received in batch:
            self.registry.birth(received.message)

    def _beats(self, batch: Sequence[Received[Beat]]) -> None:
        for received in batch:
            _, _, name, instance, _ = received.topic.split("/")
            self.registry.beat(name, instance, received.message)


def hasty(settings: Settings) -> Settings:
    """Return settings under which silence is noticed soon."""
    return settings.model_copy(update={"commands": CommandSettings(grace_s=0.1)})


@asynccontextmanager
async def offline(settings: Settings, clock: Clock, settle_s: float = 0.0) -> AsyncGenerator[Rig]:
    """Run a gateway that reaches no broker; the test steps it."""
    rig = Rig(settings, clock, settle_s=settle_s)
    await rig.open()
    try:
        yield rig
    finally:
        await rig.close()


@asynccontextmanager
async def online(
    settings: Settings,
    *,
    is_demo: bool = False,
    name: str = "rig",
    url: str = "",
    verify_s: float = VERIFY_S,
    clock: Clock | None = None,
) -> AsyncGenerator[Rig]:
    """Run a gateway on a broker, following its commands; its plant may be the demo plant.

    One with another name and the same `url` is a second orchestrator.
    """
    clock = clock or SystemClock()
    rig = Rig(settings, clock, is_demo=is_demo, name=name, url=url, verify_s=verify_s)
    await rig.open()
    running = asyncio.create_task(rig.gateway.run())
    for bus in (rig.bus, rig.durable_bus):
        await bus.start()
        await bus.wait_connected(15)
    rig.registry.set_connected(True)
    try:
        yield rig
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for bus in (rig.bus, rig.durable_bus):
            await bus.stop()
        await rig.close()


@asynccontextmanager
async def acting(rig: Rig, instance: str = "1") -> AsyncGenerator[ActuatorAgent]:
    """Run an actuator beside a gateway."""
    make_key(rig.settings)
    agent = ActuatorAgent(rig.settings, rig.clock, instance, rig.plant)
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(agent.serve(stopping))
        await eventually(lambda: rig.registry.capable("act"))
        try:
            yield agent
        finally:
            stopping.set()

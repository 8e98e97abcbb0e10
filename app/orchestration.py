"""Commands and workflows with all they need: built once, opened with the stores, run by loops."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec

from app.bus.client import Bus
from app.bus.client_id import client_id
from app.bus.tasks import TaskClient
from app.commands.gateway import CommandGateway, Surroundings
from app.core import topics
from app.core.alarm import Alarm, Finding
from app.core.clock import Clock
from app.core.command_check import Seen
from app.core.errors import BusError, InputError
from app.core.reading import Quality, Reading
from app.core.run import RunChange
from app.core.units import unit_words
from app.live.tags import TagTable
from app.loops import Loops, repeat
from app.operations import Operations
from app.settings import Settings, WorkflowSettings
from app.store.audit import AuditLog
from app.store.commands import METADATA as COMMAND_TABLES
from app.store.commands import WHAT as COMMANDS
from app.store.database import Database
from app.store.run_tables import METADATA as RUN_TABLES
from app.store.run_upgrade import upgrade_runs
from app.store.runs import RunStore
from app.supervisor.registry import Registry
from app.workflow.actions import Actions
from app.workflow.context import PlantSilentError
from app.workflow.dispatch import Dispatcher
from app.workflow.dry_checks import Around
from app.workflow.leader_bus import SHARED
from app.workflow.mqtt import MqttStarts
from app.workflow.owners import Owners
from app.workflow.plant_inputs import PlantInputs
from app.workflow.service import WorkflowService

WORKFLOWS = "Workflows"
TICK_S = 1.0
SETTLE = timedelta(seconds=20)
"""Every live tag has spoken by then after a start, also while a broker takes its time."""


class Orchestration:
    """The gateway of commands, the workflows, and who may do what with them.

    Attributes:
        commands: The one way to change a tag.
        workflows: Catalogue, runs and approvals.
        operations: What persons and peers may do with workflows.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        tags: TagTable,
        registry: Registry,
        bus: Bus,
        tasks: TaskClient,
        audit: AuditLog,
        state_finding: Callable[[Finding], None],
        make_bus: Callable[[str], Bus],
        standing: Callable[[], Sequence[Alarm]],
    ) -> None:
        own, data = settings.workflow, settings.data.dir
        self._clock = clock
        self._bus = bus
        self._limit_bytes = settings.bus.message_limit_bytes
        around = Surroundings(
            settings, clock, tags, registry, bus, tasks, audit, state_finding, SETTLE
        )
        commands = Database(_url(own, data, "commands.sqlite"), COMMAND_TABLES, COMMANDS)
        self.commands = CommandGateway(around, commands)
        database = Database(_url(own, data, "runs.sqlite"), RUN_TABLES, WORKFLOWS, upgrade_runs)
        store, functions = RunStore(database), plant_functions(tags, clock)
        sharer = SHARED if database.is_shared else own.orchestrator

        def make_shared(name: str) -> Bus:
            return make_bus(client_id(name, sharer))

        self._dispatcher = Dispatcher(
            bus,
            registry,
            own.orchestrator,
            clock,
            limit_bytes=settings.bus.message_limit_bytes,
        )
        self.workflows = WorkflowService(
            own,
            data_dir=data,
            zone=settings.site.timezone,
            clock=clock,
            store=store,
            owners=Owners(database, own.orchestrator),
            functions=functions,
            make_bus=make_shared,
            standing=standing,
        )
        self._actions = Actions(
            bus=bus,
            dispatcher=self._dispatcher,
            commands=self.commands,
            store=store,
            children=self.workflows.children,
            clock=clock,
            http_hosts=own.http_hosts,
            functions=functions,
        )
        self.workflows.use(self._actions)
        self.workflows.use_around(
            Around(
                look=partial(_look, tags),
                definition=self.workflows.definition,
                offers=partial(_offers, registry),
                http_hosts=own.http_hosts,
            )
        )
        inputs = PlantInputs(tags, standing, clock, clock.now() + SETTLE)
        self.operations = Operations(self.workflows, inputs, audit, clock)
        self._starts = MqttStarts(
            self.operations,
            partial(make_shared, "millwright-starts"),
            self.workflows.is_leader,
            bus.refuse,
        )
        self.commands.on_change(lambda _: self._actions.note_decision())
        self.workflows.on_change(self._publish)

    @property
    def stores(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What is opened with the stores, by the name on Health."""
        return {COMMANDS: self.commands.start, WORKFLOWS: self.workflows.open}

    @property
    def checks(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What sees that a store can be written, by the name on Health."""
        return {COMMANDS: self.commands.check}

    def connect(self) -> None:
        """Subscribe; before the bus starts."""
        self.commands.subscribe(self._bus)
        self._dispatcher.start()

    async def listen(self) -> None:
        """Begin to take what starts runs over MQTT; once the broker answers."""
        await self._starts.connection.start()
        await self.workflows.triggers.start()

    def run(self, loops: Loops) -> None:
        """Follow commands and workflows until the loops end."""
        loops.run(self.commands.run(), "commands")
        loops.run(repeat(self.workflows.tick, self._clock, TICK_S, "workflows"), "workflows")
        # beside the tick, which waits for the database: who lost it must leave to the next leader
        loops.run(repeat(self._lead, self._clock, TICK_S, "starts"), "starts")

    async def stop(self) -> None:
        """Stop both; what is open goes on at the next start."""
        await self._starts.connection.stop()
        await asyncio.gather(self.workflows.stop(), self.commands.stop())

    async def _lead(self) -> None:
        await self._starts.connection.tick()
        await self.workflows.triggers.lead()

    def _publish(self, change: RunChange) -> None:
        """Tell a change on MQTT; what is too big for a message is told without its figures."""
        payload = msgspec.json.encode(change)
        if len(payload) > self._limit_bytes:
            payload = msgspec.json.encode(_bare(change))
        try:
            self._bus.publish(topics.run_topic(change.run.id), payload, qos=1)
        except BusError:  # lists and pages have it from the store
            return


def plant_functions(tags: TagTable, clock: Clock) -> dict[str, Callable[..., object]]:
    """Return what expressions may ask of the plant: `tag(path)`, `shown(path)`, `is_good(path)`."""
    settled_at = clock.now() + SETTLE

    def heard(path: str) -> Reading | None:
        reading = tags.value(str(path))
        is_good = reading is not None and reading.quality is Quality.GOOD
        if not is_good and clock.now() < settled_at:
            raise PlantSilentError(f'the first value of "{str(path)[:120]}"')
        return reading

    def is_good(path: str) -> bool:
        reading = heard(path)
        return reading is not None and reading.quality is Quality.GOOD

    def tag(path: str) -> object:
        reading = heard(path)
        if reading is None:
            raise InputError(f'Tag "{str(path)[:120]}" has no value')
        if reading.quality is not Quality.GOOD:
            raise InputError(
                f'Tag "{path}" is {reading.quality.value}: its value counts for nothing'
            )
        return reading.value

    def shown(path: str) -> str:
        value = tag(path)
        figure = f"{value:.6g}" if isinstance(value, float) else str(value)
        return f"{figure} {unit_words(tags.tag(str(path)).unit)}".rstrip()

    return {"tag": tag, "shown": shown, "is_good": is_good}


def _look(tags: TagTable, path: str) -> Seen:
    return Seen(tags.tag(path), tags.value(path)) if tags.has(path) else Seen()


def _offers(registry: Registry, capability: str, agent: str) -> bool:
    live = registry.capable(capability)
    return any(not agent or each.status.spec.name == agent for each in live)


def _bare(change: RunChange) -> RunChange:
    run = msgspec.structs.replace(change.run, input={}, output=None)
    run = msgspec.structs.replace(
        run, started_by=msgspec.structs.replace(run.started_by, event=None)
    )
    step = change.step and msgspec.structs.replace(change.step, input=None, output=None, log=())
    return RunChange(run, step)


def _url(settings: WorkflowSettings, data_dir: Path, name: str) -> str:
    return settings.url or f"sqlite:///{(data_dir / name).absolute().as_posix()}"

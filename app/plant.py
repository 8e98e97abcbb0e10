"""The plant: owns every service, starts and stops them in order; what pages and HTTP receive."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from pathlib import Path

from app.alarms.limits import LimitWatcher
from app.alarms.service import AlarmService
from app.bus.broker import Broker
from app.bus.client import Bus, BusState
from app.bus.client_id import client_id
from app.bus.dead_letters import DeadLetters
from app.bus.external import CHECKS, external_broker
from app.bus.tasks import TaskClient
from app.core import topics
from app.core.actor import Actor
from app.core.agent_row import AgentRow
from app.core.alarm import Alarm, AlarmState, Finding
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.errors import BusError, ConflictError, NotFoundError
from app.core.external import external_finding
from app.core.health import ComponentStatus, Health
from app.core.run import Approval, WorkflowRun
from app.core.workflow_entry import Entry
from app.ingest.service import IngestService
from app.intake import Intake
from app.live.findings import FindingBoard
from app.live.hub import LiveHub
from app.live.plan import PLANNER, PlanBoard, PlanView
from app.live.rules import RuleBook
from app.live.shifts import ShiftBoard
from app.live.tags import TagTable
from app.loops import Loops, repeat
from app.orchestration import Orchestration
from app.settings import Settings
from app.store.audit import AuditRow
from app.store.audited import audited
from app.store.history import Historian
from app.stores import CHECK_S, Stores
from app.supervisor.agent_calls import AgentCalls
from app.supervisor.environment import agent_environment
from app.supervisor.registry import Registry
from app.supervisor.rows import agent_health, agent_rows
from app.supervisor.supervisor import Supervisor
from app.unit_removal import UnitRemoval
from app.upkeep import Upkeep
from app.write_rules import WriteRules

logger = logging.getLogger(__name__)

TICK_S = 1.0
BROKER_READY_S = 3.0
SIMULATOR = "simulator"


class Plant:
    """Every service of the app, built once in app/main.py and passed down.

    What changes state takes the `Actor` who does it, and is journalled.
    """

    def __init__(self, settings: Settings, clock: Clock, settings_file: Path | None = None) -> None:
        self.settings = settings
        self.clock = clock
        self.started_at = clock.now()
        data = settings.data.dir
        self.dead_letters = DeadLetters(settings.bus.dead_letters, clock)
        self.broker = None if settings.broker.url else Broker(settings, clock)
        bus = partial(Bus, settings, clock=clock, dead_letters=self.dead_letters, in_app=True)
        named = partial(client_id, orchestrator=settings.workflow.orchestrator)
        self.bus = bus(named("millwright-live"))
        self.durable_bus = bus(named("millwright-app"), persistent=True)
        self.tasks = TaskClient(self.bus, settings.workflow.orchestrator, clock)
        self.tags = TagTable(clock, settings.live.max_tags)
        self.hub = LiveHub(self.tags, settings.live, clock)
        self.historian = Historian(settings.history, data, clock)
        self.stores = Stores(data, clock, settings.history.uri)
        self.assets, self.audit = self.stores.assets, self.stores.audit
        self.journal = self.stores.journal
        self.alarms = AlarmService(settings.alarms, self.journal, clock, self._publish_alarm)
        self.limits = LimitWatcher(settings.alarms.bad_quality_s)
        self.findings = FindingBoard()
        self.registry = Registry(clock, settings.supervisor)
        self.supervisor = Supervisor(settings, clock, agent_environment(settings, settings_file))
        self.calls = AgentCalls(self.tasks, self.agents)
        self.plans, self.shifts = PlanBoard(), ShiftBoard()
        self.upkeep = Upkeep(self.calls, self.audit, clock, settings.notify, self.tags.unit)
        rules = RuleBook(settings.live.max_tags)
        self.intake = Intake(
            clock=clock,
            tags=self.tags,
            historian=self.historian,
            limits=self.limits,
            alarms=self.alarms,
            findings=self.findings,
            registry=self.registry,
            assets=self.assets,
            refuse=self.dead_letters.add,
            rules=rules,
            silent_after_s=settings.alarms.bad_quality_s,
        )
        self.write_rules = WriteRules(
            rules,
            self.intake,
            tags=self.tags,
            audit=self.audit,
            clock=clock,
            people=settings.people,
        )
        self.ingest = IngestService(
            settings,
            self.durable_bus,
            self.historian,
            clock,
            accept=self.intake.accept,
            declare=self.intake.extend,
            is_shown=self.tags.has,
        )
        self._removal = UnitRemoval(
            tags=self.tags, bus=self.bus, intake=self.intake, ingest=self.ingest
        )
        self.orchestration = Orchestration(
            settings,
            clock=clock,
            tags=self.tags,
            registry=self.registry,
            bus=self.durable_bus,
            tasks=self.tasks,
            audit=self.audit,
            state_finding=lambda finding: self.intake.state([finding]),
            make_bus=lambda name: bus(name, persistent=True),
            standing=self.alarms.alarms,
        )
        self.commands = self.orchestration.commands
        self.workflows = self.orchestration.workflows
        self.operations = self.orchestration.operations
        self._stack = AsyncExitStack()
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the stores, start broker, connections, agents and loops, in that order.

        A part that cannot start says so in `health()`; the others start all the same. While our
        own broker does not answer, nobody connects: on its port may be another plant's broker.
        """
        self._starting = asyncio.current_task()
        try:
            await self._start()
        finally:
            self._starting = None

    async def stop(self) -> None:
        """Stop everything in the reverse order, also in the middle of a start; bounded in time."""
        starting = self._starting
        if starting:
            starting.cancel()
            await asyncio.wait([starting])
        await self._stack.aclose()

    async def _start(self) -> None:
        stack = self._stack
        self.settings.data.dir.mkdir(parents=True, exist_ok=True)
        stack.callback(self.stores.close)
        further, checks = self.orchestration.stores, self.orchestration.checks
        await self.stores.open(self.intake.restore, self._start_alarms, further, checks)
        stack.push_async_callback(self.historian.stop)
        await self.historian.start()
        stack.push_async_callback(self.alarms.stop)
        self._connect()
        # pushed before they start: each may be asked to stop without a start
        if self.broker:
            stack.push_async_callback(self.broker.stop)
        for bus in (self.bus, self.durable_bus):
            stack.push_async_callback(bus.stop)
        stack.push_async_callback(self.supervisor.stop)
        stack.push_async_callback(self.orchestration.stop)
        await self.supervisor.start(())
        loops = await stack.enter_async_context(Loops())
        loops.run(self.hub.run(), "live hub")
        loops.run(self.intake.judge(), "findings to alarms")
        self.orchestration.run(loops)
        loops.run(repeat(self.stores.check, self.clock, CHECK_S, "stores"), "stores")
        loops.run(repeat(self._tick, self.clock, TICK_S, "plant tick"), "plant tick")
        going = loops.run(self._go(), "broker, connections, agents")
        await asyncio.wait({going}, timeout=BROKER_READY_S)
        if going.done():
            going.result()

    async def _go(self) -> None:
        """Start the broker; once it answers, the connections and the agents."""
        if self.broker:
            await self.broker.start()
            while not await self.broker.wait_ready(BROKER_READY_S):
                pass
        for bus in (self.bus, self.durable_bus):
            await bus.start()
        await self.orchestration.listen()
        for name in self.agents_to_start():
            with suppress(ConflictError):  # a person was faster
                await self.supervisor.start_agent(name)

    async def _start_alarms(self) -> None:
        await self.alarms.start()
        self._show_alarms(self.alarms.alarms())

    def _connect(self) -> None:
        if not self.broker:
            logger.info("Using the external broker %s; %s", self.settings.broker.url, CHECKS)
        self.intake.subscribe(self.bus, self.durable_bus)
        self.plans.subscribe(self.bus)
        self.shifts.subscribe(self.bus)
        self.ingest.start()
        self.tasks.start()
        self.orchestration.connect()
        self.bus.on_state(self._tell_registry)
        self.tags.on_change(self.hub.notify)
        self.alarms.on_change(self._show_alarms)

    def _tell_registry(self, _: ComponentStatus) -> None:
        # a connection with a failing handler, or one that was unsteady, hears beats all the same
        self.registry.set_connected(self.bus.state is BusState.CONNECTED)

    def agents_to_start(self) -> list[str]:
        """Return the agents that the settings want to run."""
        return [
            name
            for name, agent in self.settings.agents.items()
            if agent.enabled and (name != SIMULATOR or self.settings.demo_enabled)
        ]

    async def _tick(self) -> None:
        self.intake.tick(self.health())
        self.supervisor.check(self.registry)
        await self.stores.retry()
        await self.intake.save_declared()
        await self.write_rules.note()

    def _publish_alarm(self, alarm: Alarm) -> None:
        with suppress(BusError):  # retained again by the next change; the journal has it
            is_over = alarm.state is AlarmState.NORMAL
            self.bus.publish(
                topics.alarm_topic(alarm.id), b"" if is_over else alarm, qos=1, retain=True
            )

    def _show_alarms(self, changed: Sequence[Alarm]) -> None:
        self.hub.alarms(self.alarms.summary(), changed)
        self.workflows.triggers.alarms(changed)

    # What can be asked

    def health(self) -> list[ComponentStatus]:
        """Return the state of every component, with reason and remedy."""
        # both connections lead to one broker: the second is news only while the first is well
        is_well = self.bus.status.state is Health.OK
        bus = self.durable_bus.status if is_well else self.bus.status
        stores = self.stores.statuses
        told = {status.name for status in stores}
        services = (self.historian.status, self.alarms.status, self.workflows.status)
        parts = [bus, *(each for each in services if each.name not in told), *stores]
        parts += [each for each in (self.tags.status, self.write_rules.status) if each]
        parts[:0] = [self.broker.status] if self.broker else external_broker(bus)
        return parts + [agent_health(row) for row in self.agents() if row.supervised]

    def agents(self) -> list[AgentRow]:
        """Return one row an agent instance, ours and those run elsewhere."""
        return agent_rows(self.supervisor.children(), self.registry.instances())

    def plan(self) -> PlanView:
        """Return the planner's last action plan, and whether it stands by it."""
        is_live = any(row.name == PLANNER and row.connected for row in self.agents())
        return self.plans.view(is_planner_live=is_live, now=self.clock.now())

    def units(self) -> list[Equipment]:
        """Return all known units, ordered by path."""
        return sorted(self.tags.equipment(), key=lambda unit: unit.path)

    def audit_rows(self, limit: int) -> list[AuditRow]:
        """Return the last operator actions outside the alarm list, newest first."""
        return self.audit.rows(limit)

    # What a person or a peer may do: each is journalled with who did it

    async def acknowledge(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Acknowledge an alarm."""
        return await self.alarms.acknowledge(alarm_id, actor, note)

    async def shelve(self, alarm_id: str, actor: Actor, minutes: float, note: str) -> Alarm:
        """Take an alarm off the list for a limited time."""
        return await self.alarms.shelve(alarm_id, actor, minutes, note)

    async def unshelve(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Put a shelved alarm back."""
        return await self.alarms.unshelve(alarm_id, actor, note)

    async def suppress(self, alarm_id: str, actor: Actor, note: str) -> Alarm:
        """Suppress an alarm by design."""
        return await self.alarms.suppress(alarm_id, actor, note)

    async def unsuppress(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """End the suppression by design."""
        return await self.alarms.unsuppress(alarm_id, actor, note)

    async def out_of_service(self, alarm_id: str, actor: Actor, note: str) -> Alarm:
        """Take an alarm out of service."""
        return await self.alarms.out_of_service(alarm_id, actor, note)

    async def return_to_service(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Return an alarm to service."""
        return await self.alarms.return_to_service(alarm_id, actor, note)

    async def reset(self, alarm_id: str, actor: Actor, note: str = "") -> Alarm:
        """Reset a latched alarm whose condition is gone."""
        return await self.alarms.reset(alarm_id, actor, note)

    async def start_agent(self, name: str, actor: Actor) -> None:
        """Start an agent of ours."""
        async with self._audited(actor, "start agent", name):
            await self.supervisor.start_agent(name)

    async def stop_agent(self, name: str, actor: Actor) -> None:
        """Stop an agent of ours; it stays stopped."""
        async with self._audited(actor, "stop agent", name):
            await self.supervisor.stop_agent(name)

    async def restart_agent(self, name: str, actor: Actor) -> None:
        """Stop and start an agent of ours."""
        async with self._audited(actor, "restart agent", name):
            await self.supervisor.restart_agent(name)

    async def forget_unit(self, path: str, actor: Actor) -> Equipment:
        """Forget a unit that is gone, and return it as it was.

        Its declaration, tags and present conditions go; its history and journal stay.

        Raises:
            NotFoundError: Nobody has spoken of it.
            ConflictError: It still sends, or the broker, which would bring it back, is away.
        """
        unit = self.tags.unit(path)
        if unit is None:
            raise NotFoundError(f'There is no unit "{path[:120]}"', "GET /api/equipment lists all")
        async with self._audited(actor, "forget unit", path):
            await self._removal.forget(unit, actor)
        return unit

    async def clear_dead_letters(self, actor: Actor) -> None:
        """Empty the list of refused messages; the count stays."""
        async with self._audited(actor, "clear dead letters", str(self.dead_letters.total)):
            self.dead_letters.clear()

    async def raise_alert(
        self, level: str, kind: str, source: str, details: str, actor: Actor
    ) -> Finding:
        """Turn an alert of another system into a finding: its alarm is raised or returns.

        Raises:
            InputError: The level is unknown, or a name has no usable character.
        """
        finding = external_finding(level, kind, source, details, self.clock.now())
        action = "raise alert" if finding.priority else "end alert"
        async with self._audited(actor, action, finding.key, details):
            await self.alarms.handle([finding])
            self.findings.add([finding])
        return finding

    async def predict(
        self, agent: str, features: dict[str, object], actor: Actor
    ) -> dict[str, object]:
        """Ask an agent's model about one set of features.

        Raises:
            NotFoundError: No agent of that name offers predictions.
            FieldsError: Features are wrong or missing; its `details` name each.
            BusError: No live instance answered in time.
        """
        del actor  # reads only; nothing to journal
        return await self.calls.predict(agent, features)

    async def scenarios(self) -> dict[str, object]:
        """Return what the simulator can do and does: `{units: […], running: […]}`."""
        return await self.calls.ask(SIMULATOR, "list_scenarios", {})

    async def start_scenario(
        self, equipment: str, scenario: str, severity: float, actor: Actor, *, tag: str = ""
    ) -> dict[str, object]:
        """Start a fault in the simulated plant; `tag` is the one that a sensor fault spoils."""
        target = f"{equipment} {scenario} {severity:g} {tag}".rstrip()
        wanted: dict[str, object] = {
            "equipment": equipment,
            "scenario": scenario,
            "severity": severity,
            "tag": tag,
        }
        async with self._audited(actor, "start scenario", target):
            return await self.calls.ask(SIMULATOR, "start_scenario", wanted)

    async def stop_scenario(self, equipment: str, scenario: str, actor: Actor) -> dict[str, object]:
        """Stop a fault in the simulated plant."""
        wanted: dict[str, object] = {"equipment": equipment, "scenario": scenario}
        async with self._audited(actor, "stop scenario", f"{equipment} {scenario}"):
            return await self.calls.ask(SIMULATOR, "stop_scenario", wanted)

    async def start_workflow(
        self, name: str, given: Mapping[str, object], actor: Actor, *, why: str = "", id: str = ""
    ) -> WorkflowRun:
        """Start a run; see `Operations` for this and the others that follow."""
        return await self.operations.start_workflow(name, given, actor, why=why, id=id)

    async def dry_run_workflow(
        self, text: str, given: Mapping[str, object], actor: Actor
    ) -> WorkflowRun:
        """Return what a run of a text would do."""
        return await self.operations.dry_run_workflow(text, given, actor)

    async def cancel_run(self, run_id: str, actor: Actor, why: str) -> None:
        """Cancel a run."""
        await self.operations.cancel_run(run_id, actor, why)

    async def retry_run(
        self, run_id: str, actor: Actor, why: str, *, step: str = "", definition: str = "old"
    ) -> WorkflowRun:
        """Repeat a run."""
        return await self.operations.retry_run(run_id, actor, why, step=step, definition=definition)

    async def review_run(self, run_id: str, actor: Actor, why: str) -> WorkflowRun:
        """Note that a person has seen to a run that failed."""
        return await self.operations.review_run(run_id, actor, why)

    async def decide(
        self, approval_id: str, is_approved: bool, actor: Actor, note: str = ""
    ) -> Approval:
        """Decide what a run waits for."""
        return await self.operations.decide(approval_id, is_approved, actor, note)

    async def save_workflow(
        self, name: str, text: str, actor: Actor, *, base_version: str = ""
    ) -> Entry:
        """Write a definition."""
        return await self.operations.save_workflow(name, text, actor, base_version=base_version)

    async def delete_workflow(self, name: str, actor: Actor) -> None:
        """Delete an own definition."""
        await self.operations.delete_workflow(name, actor)

    async def enable_workflow(self, name: str, is_enabled: bool, actor: Actor) -> Entry:
        """Switch the triggers of a workflow."""
        return await self.operations.enable_workflow(name, is_enabled, actor)

    def agent_name(self, name: str) -> str:
        """Return the agent a seed name stands for, or the name itself."""
        return self.calls.name(name)

    def _audited(
        self, actor: Actor, action: str, target: str, why: str = ""
    ) -> AbstractAsyncContextManager[None]:
        return audited(self.audit, self.clock, actor, action, target, why=why)

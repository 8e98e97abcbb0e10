"""The base of every agent: connects the five parts and runs them until asked to stop."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from agents.base.alerts import Alerts
from agents.base.communication import Communication
from agents.base.desk import TaskDesk
from agents.base.failures import Failures
from agents.base.logic import Window, Windows
from agents.base.model import MODELS, Model, load_model
from agents.base.results import ResultStore
from agents.base.state import States
from app.bus.client import Bus, Received
from app.bus.tasks import TaskClient
from app.core.agent import AgentSpec, AgentState, Beat
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.equipment import Equipment, check_equipment
from app.core.errors import BusError, InputError, ModelError, NotFoundError
from app.core.reading import ReadingMessage
from app.core.task import Task, TaskResult
from app.core.topics import EQUIPMENT, tag_of, tasks_topic
from app.settings import AgentSettings, Settings

logger = logging.getLogger(__name__)

_CHECKPOINT_S = 10.0


class BaseAgent:
    """One agent: a spec, and what it does with the readings of each unit.

    A subclass sets `spec` and overrides what it needs of `wants`, `decide`, `handle_task` and
    `run`. State is kept by unit in `self.states`, never in plain attributes.

    Attributes:
        spec: Who it is, what it reads and offers.
        period_s: Seconds between two decisions on a unit.
        window_s: Seconds of readings that `decide` sees.
        confirm_on: Decisions in a row that raise a condition.
        confirm_off: Decisions in a row that end it.
        concurrency: Tasks done at once.
        uses: Capabilities of other agents that it asks for.
    """

    spec: ClassVar[AgentSpec]
    period_s: ClassVar[float] = 1.0
    window_s: ClassVar[float] = 60.0
    confirm_on: ClassVar[int] = 1
    confirm_off: ClassVar[int] = 1
    concurrency: ClassVar[int] = 4
    uses: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        name = self.spec.name
        self.settings = settings
        self.clock = clock
        self.instance = instance
        self.options = settings.agents.get(name, AgentSettings()).options
        self.units: dict[str, Equipment] = {}
        self.model: Model | None = None
        home = settings.data.dir / "checkpoints" / name
        self.states = States(home / f"{instance}.json")
        self.communication = Communication(settings, self.spec, instance, clock)
        self.tasks = TaskClient(self.bus, f"{name}-{instance}", clock)
        self._desk = TaskDesk(
            f"{name}/{instance}",
            ResultStore(home / f"{instance}.results.sqlite"),
            self.handle_task,
            self.communication.answer,
            clock,
            concurrency=self.concurrency,
        )
        self._windows = Windows(self.spec.inputs, self.window_s)
        self._alerts = Alerts(self.confirm_on, self.confirm_off, {})
        self._failures = Failures()
        self._progress = 0
        self._problems: dict[str, str] = {}

    # What an agent overrides.

    def wants(self, unit: Equipment, window: Window) -> bool:
        """Tell whether the agent can judge `unit` now; by default when every input is fresh."""
        return all(window.latest(tag) is not None for tag in self.spec.inputs)

    def decide(self, unit: Equipment, window: Window, at: datetime) -> Iterable[Finding]:
        """Return what holds of `unit` at `at`: a finding with priority None says "absent".

        Called once in `period_s` for every unit the agent `wants`. Pure but for `self.states`.
        """
        del unit, window, at
        return ()

    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        """Do a task and return its output.

        Raises:
            MillwrightError: It cannot be done; the message goes to the sender.
        """
        del input
        raise NotFoundError(f'Agent "{self.spec.name}" has no capability "{capability}"')

    async def run(self) -> None:
        """Do what is not driven by readings or tasks, until cancelled."""

    # What an agent calls.

    @property
    def bus(self) -> Bus:
        """The connection to the broker."""
        return self.communication.bus

    def work_done(self, count: int = 1) -> None:
        """Count units of work; an agent whose count stands still looks stuck."""
        self._progress += count

    def report(self, findings: Iterable[Finding]) -> list[Finding]:
        """State those findings that are news; return them."""
        news = self._alerts.worth_stating(findings, self.clock.now())
        for finding in news:
            self.communication.state_finding(finding)
        return news

    def degraded(self, reason: str) -> None:
        """Say why the agent does less than it should, or with an empty reason that it is well."""
        self._note_problem("agent", reason)

    async def ask(
        self,
        capability: str,
        input: dict[str, object],
        timeout_s: float,
    ) -> TaskResult:
        """Let a live agent do a task; `uses` must name the capability.

        Raises:
            NotFoundError: No live agent offers it.
            BusError: No answer within `timeout_s`.
        """
        name, instance = self.communication.peer(capability)
        return await self.tasks.request(name, instance, capability, input, timeout_s)

    # What the runner calls.

    async def serve(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then say goodbye within seconds."""
        await self.prepare()
        self._subscribe()
        await self._desk.start()
        await self.bus.start()
        self._announce_health()
        try:
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(self.run(), name="run"),
                    group.create_task(self._decide_for_ever(), name="decide"),
                    group.create_task(self._beat_for_ever(), name="beat"),
                    group.create_task(self._save_for_ever(), name="checkpoint"),
                ]
                await stopping.wait()
                for loop in loops:
                    loop.cancel()
        finally:
            await self._close()

    async def prepare(self) -> None:
        """Read checkpoint and model; nothing of it needs the bus."""
        await asyncio.to_thread(self.states.load)
        self._alerts = Alerts(self.confirm_on, self.confirm_off, self.states.stated)
        self.communication.recall(self.states.stated)
        await self._load_model()

    async def save(self) -> None:
        """Write the checkpoint."""
        self.states.stated = self._alerts.stated()
        try:
            await self.states.save()
        except OSError as error:
            logger.warning("Checkpoint is not written: %s", error)

    def take(self, batch: Sequence[Received[ReadingMessage]]) -> None:
        """Put readings into the windows of their units."""
        for received in batch:
            self._windows.take(tag_of(received.topic), received.message, received.received_time)

    def take_equipment(self, batch: Sequence[Received[Equipment]]) -> None:
        """Learn what units there are."""
        for received in batch:
            try:
                check_equipment(received.message)
            except InputError as error:
                self.bus.refuse(received.topic, received.message.path.encode(), str(error))
            else:
                self.units[received.message.path] = received.message

    def decide_all(self) -> list[Finding]:
        """Judge every unit once and state what is news."""
        now, now_s = self.clock.now(), self.clock.monotonic()
        if self.spec.model and self.model is None:
            return []
        stated: list[Finding] = []
        paths = self._windows.units()
        self._failures.keep(set(paths))
        for path in paths:
            if self._failures.is_paused(path, now_s):
                continue
            try:
                stated += self._decide_one(path, now)
            except Exception as error:  # noqa: BLE001  the agent loop lives on; logged, counted, paused
                self._failures.failed(path, error, now_s)
            else:
                self._failures.worked(path)
        self._note_problem("decide", self._failures.reason)
        return stated

    def _decide_one(self, path: str, now: datetime) -> list[Finding]:
        unit = self.units.get(path) or Equipment(path, path.rpartition("/")[2])
        window = self._windows.window(unit, now)
        if not self.wants(unit, window):
            return []
        self.work_done()
        return self.report(self.decide(unit, window, now))

    def _note_problem(self, kind: str, reason: str) -> None:
        # The reason may differ at each decision; only its coming and going is news.
        if bool(reason) == (kind in self._problems):
            return
        if reason:
            self._problems[kind] = reason
        else:
            del self._problems[kind]
        self._announce_health()

    async def _load_model(self) -> None:
        if not self.spec.model:
            return
        try:
            self.model = await asyncio.to_thread(load_model, MODELS / self.spec.model)
        except ModelError as error:
            self._note_problem("model", f"{error}; {error.hint}" if error.hint else str(error))

    def _announce_health(self) -> None:
        reason = "; ".join(self._problems.values())
        state = AgentState.DEGRADED if reason else AgentState.RUNNING
        self.communication.announce(state, reason, self.model.card.version if self.model else "")

    def _subscribe(self) -> None:
        self.bus.subscribe_state(EQUIPMENT, Equipment, self.take_equipment)
        for tag in self.spec.inputs:
            self.bus.subscribe(f"plant/+/+/+/+/{tag}", ReadingMessage, self.take)
        own_tasks = tasks_topic(self.spec.name, self.instance)
        self.bus.subscribe_durable(own_tasks, Task, self._desk.take, is_prompt=True)
        self.tasks.start()
        if self.uses:
            self.communication.follow_peers()

    async def _close(self) -> None:
        await self._desk.stop()
        await self.save()
        await self.communication.farewell()

    async def _decide_for_ever(self) -> None:
        while self.spec.inputs:
            await self.clock.sleep(self.period_s)
            self.decide_all()

    async def _beat_for_ever(self) -> None:
        with contextlib.suppress(BusError):  # the first beat should not be dropped
            await self.bus.wait_connected(self.settings.supervisor.beat_s)
        while True:
            self.communication.beat(self.beat())
            await self.clock.sleep(self.settings.supervisor.beat_s)

    async def _save_for_ever(self) -> None:
        while True:
            await self.clock.sleep(_CHECKPOINT_S)
            await self.save()

    def beat(self) -> Beat:
        """Return the present beat."""
        now = self.clock.now()
        return Beat(
            at=now,
            progress=self._progress + self._desk.done,
            load=self._desk.load,
            note="; ".join(filter(None, (self.note(), self._failed_words()))),
            lag_s=self._desk.lag_s(now),
        )

    def _failed_words(self) -> str:
        counts = ((self._failures.total, "decisions"), (self._desk.failed, "tasks"))
        return ", ".join(f"{count} {what} failed" for count, what in counts if count)

    def note(self) -> str:
        """Return what the agent is doing now, for the Agents page."""
        if not self.spec.inputs:
            return ""
        return f"watching {len(self._windows.units())} units"

"""The planner agent: keeps a plan of what to do first, by rules."""

import logging
from collections.abc import Sequence
from typing import ClassVar
from zoneinfo import ZoneInfo

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.open_alarms import MOST, OpenAlarms
from agents.base.requests import parse
from agents.planner.rules import Flood, Situation, bounded, make_plan
from app.bus.client import BusState, Received
from app.core.agent import AgentSpec
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.errors import BusError, NotFoundError
from app.core.health import ComponentStatus
from app.core.plan import ActionPlan
from app.core.topics import FINDINGS, PLAN
from app.settings import Settings

logger = logging.getLogger(__name__)

_PERIOD_S = 2.0  # a plan that changes faster than it can be read helps nobody


class NoInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `plan`."""


class PlannerAgent(BaseAgent):
    """Groups open alarms by cause, ranks them and proposes a workflow for each."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="planner",
        purpose="Plans what to do first about the open alarms, by rules",
        capabilities=("plan",),
    )

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        super().__init__(settings, clock, instance)
        self._flood = Flood(settings.alarms.flood_count, settings.alarms.flood_window_s)
        self._zone = ZoneInfo(settings.site.timezone)
        limit = settings.bus.message_limit_bytes
        self.alarms = OpenAlarms(self.bus, limit, lambda _, __: None)
        self._findings: dict[str, Finding] = {}
        self._said: ActionPlan | None = None
        self.bus.subscribe(FINDINGS, Finding, self.take_findings, qos=1)
        self.bus.on_state(self._bus_changed)

    @override
    async def run(self) -> None:
        while True:
            await self.clock.sleep(_PERIOD_S)
            self.tell()

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        """Return the plan as of now."""
        if capability != "plan":
            raise NotFoundError(f'Agent "planner" has no capability "{capability}"')
        parse(NoInput, input)
        output: dict[str, object] = msgspec.to_builtins(self.plan())
        return output

    @override
    def note(self) -> str:
        count = len(self._said.items) if self._said else 0
        causes = "1 cause" if count == 1 else f"{count} causes"
        return f"{len(self.alarms.by_id)} alarms, {causes}"

    def plan(self) -> ActionPlan:
        """Make the plan of the present situation."""
        findings = list(self._findings.values())
        alarms = list(self.alarms.by_id.values())
        situation = Situation(alarms, findings, self.units, self.clock.now(), self._zone)
        return bounded(make_plan(situation, self._flood))

    def tell(self) -> bool:
        """Publish the plan if it says something new; tell whether it did."""
        plan = self.plan()
        same_time = plan.made_at if self._said is None else self._said.made_at
        if msgspec.structs.replace(plan, made_at=same_time) == self._said:
            return False
        try:
            self.bus.publish(PLAN, plan, qos=1, retain=True)
        except BusError as error:
            logger.warning("The plan is not published: %s", error)
            return False
        self._said = plan
        self.work_done()
        return True

    def take_findings(self, batch: Sequence[Received[Finding]]) -> None:
        """Keep what is present of each condition; the oldest beyond the bound go."""
        for received in batch:
            finding = received.message
            self._findings.pop(finding.key, None)
            if finding.priority is not None:
                self._findings[finding.key] = finding
            if len(self._findings) > MOST:
                del self._findings[next(iter(self._findings))]

    def _bus_changed(self, _: ComponentStatus) -> None:
        if self.bus.state is BusState.CONNECTED:
            self._said = None  # the broker may be a new one that knows no plan

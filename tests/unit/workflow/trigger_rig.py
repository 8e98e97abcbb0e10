"""Triggers whose starts are noted, and the alarms and ended runs that they hear of."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from app.bus.client import Bus
from app.clock import ManualClock, SystemClock
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow
from app.settings import Settings
from app.store.held_events import HeldEvent, HeldPlace
from app.workflow.triggers import Triggers

NOW = datetime(2026, 6, 1, 11, 58, 30, tzinfo=UTC)
UNIT = "site/area/line/pump"
ON_ALARM = Trigger(TriggerKind.ALARM, input={"unit": "${event.equipment}"})
ON_END = Trigger(TriggerKind.WORKFLOW, workflow="first")
NOON = Trigger(TriggerKind.SCHEDULE, cron="0 12 * * *")


class HeldRows:
    """Held events in a dict, as long as nothing is in `trouble`."""

    def __init__(self) -> None:
        self.rows: dict[HeldPlace, HeldEvent] = {}
        self.trouble: list[Exception] = []

    async def keep(self, events: Sequence[tuple[HeldPlace, HeldEvent]]) -> None:
        """Keep them."""
        self._fail()
        self.rows.update(events)

    async def forget(self, places: Collection[HeldPlace]) -> None:
        """Forget them."""
        self._fail()
        for place in places:
            self.rows.pop(place, None)

    async def all(self) -> dict[HeldPlace, HeldEvent]:
        """Return them."""
        self._fail()
        return dict(self.rows)

    def _fail(self) -> None:
        if self.trouble:
            raise self.trouble.pop()


class Rig:
    """Triggers without an engine: what they start is noted by its id."""

    def __init__(
        self,
        settings: Settings | None = None,
        clock: ManualClock | None = None,
        *,
        is_shared: bool = False,
    ) -> None:
        self.clock = clock or ManualClock(NOW)
        self.started: dict[str, tuple[str, dict[str, Any], StartedBy]] = {}
        self.trouble: list[Exception] = []
        self.is_leader = True
        self.kept: list[WorkflowRun] = []
        self.store_trouble: list[Exception] = []
        self.held = HeldRows()
        self.buses: list[Bus] = []
        self.session = uuid4().hex[:8]
        self._settings = settings
        self.triggers = Triggers(
            clock=self.clock if clock or settings is None else SystemClock(),
            zone="UTC",
            make_bus=self._make_bus,
            functions={},
            start=self._start,
            begun=self._begun,
            held=self.held,
            is_leader=lambda: self.is_leader,
            is_shared=is_shared,
        )

    def _make_bus(self, name: str) -> Bus:
        assert self._settings
        own = f"{name}-{self.session}"
        self.buses.append(Bus(self._settings, own, SystemClock(), persistent=True))
        return self.buses[-1]

    async def _start(
        self, name: str, given: dict[str, Any], by: StartedBy, run_id: str
    ) -> WorkflowRun:
        if self.trouble:
            raise self.trouble.pop()
        self.started[run_id] = (name, given, by)
        return run("started")

    async def _begun(self, _name: str, since: datetime) -> list[WorkflowRun]:
        if self.store_trouble:
            raise self.store_trouble.pop()
        return [each for each in self.kept if each.started_at >= since]

    def keep(self, before: "Rig") -> None:
        """Take over what the store has of an earlier life."""
        self.held.rows.update(before.held.rows)
        self.kept = [
            WorkflowRun(run_id, name, "v", RunState.RUNNING, NOW, given, by)
            for run_id, (name, given, by) in before.started.items()
        ]

    async def use(self, *triggers: Trigger, name: str = "demo") -> None:
        """Heed these triggers of one workflow."""
        steps = (Step("one", ActionKind.WAIT),)
        await self.triggers.use([Workflow(name, steps, triggers=triggers)])

    async def tick(self, seconds: float = 1.0) -> int:
        """Let time pass and look once; return how many runs were started so far."""
        await self.clock.advance(seconds)
        await self.triggers.tick()
        return len(self.started)


def alarm(condition: str = "overheated", **fields: Any) -> Alarm:
    """Return an alarm of the pump that nobody has acknowledged."""
    finding = Finding("watch", condition, UNIT, NOW, Priority.HIGH, message="Hot")
    made = Alarm(condition, finding, AlarmState.UNACK, True, NOW, NOW)
    return msgspec.structs.replace(made, **fields)


def run(name: str, **fields: Any) -> WorkflowRun:
    """Return a run of `first` that completed."""
    made = WorkflowRun(name, "first", "v", RunState.COMPLETED, NOW, {}, StartedBy("click", "ann"))
    return msgspec.structs.replace(made, ended_at=NOW, **fields)

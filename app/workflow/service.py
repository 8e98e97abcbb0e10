"""Workflows as the rest of the app sees them: catalogue, runs, approvals, and what starts runs."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from app.bus.client import Bus
from app.core.actor import Actor, Role
from app.core.alarm import Alarm
from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.core.run import (
    OVER,
    Begun,
    RunChange,
    StartedBy,
    StepRun,
    WorkflowRun,
)
from app.core.trigger_rules import MISSED
from app.core.workflow import Workflow
from app.core.workflow_check import checked_input
from app.core.workflow_entry import Entry, Problem
from app.settings import WorkflowSettings
from app.store.runs import RunStore
from app.workflow.actions import Actions
from app.workflow.around_check import check_around
from app.workflow.behind import named
from app.workflow.child_runs import ChildRuns
from app.workflow.context import Child
from app.workflow.definition import read_definition, version_of, with_lines
from app.workflow.dry_checks import Around
from app.workflow.engine import Engine
from app.workflow.library import Library
from app.workflow.owners import Owners
from app.workflow.repair import Repair, key_of
from app.workflow.roles import check_role
from app.workflow.run_reads import RunReads
from app.workflow.status import troubles_of
from app.workflow.triggers import Triggers

logger = logging.getLogger(__name__)

PRUNE_EVERY_S = 3600.0
PRUNED_AT_ONCE = 500
ENDED_LATELY = 500
COOLED = 10_000
"""Runs of one workflow that are looked through for cooldowns at the start."""
COOLED_AT_ONCE = 500
_LIBRARY = Path(__file__).parent / "library"

Listener = Callable[[RunChange], None]


class WorkflowService(RunReads):
    """Owns the library, the engine and the triggers."""

    def __init__(
        self,
        settings: WorkflowSettings,
        *,
        data_dir: Path,
        zone: str,
        clock: Clock,
        store: RunStore,
        owners: Owners,
        functions: Mapping[str, Callable[..., object]],
        make_bus: Callable[[str], Bus],
        standing: Callable[[], Sequence[Alarm]],
    ) -> None:
        engine = Engine(
            store=store,
            owner=settings.orchestrator,
            clock=clock,
            functions=functions,
        )
        super().__init__(store, engine)
        self.children = ChildRuns(engine, store, clock, self._child)
        self._settings = settings
        self._clock = clock
        self._owners = owners
        self._functions = functions
        self._standing = standing
        self._library = Library(_LIBRARY, data_dir / "workflows")
        self.engine.on_change(self._changed)
        self._actions: Actions | None = None
        self._around: Around | None = None
        self.repair = Repair(
            store=store,
            library=self._library,
            engine=self.engine,
            clock=clock,
            functions=functions,
            changed=lambda run: self._changed(run, None),
            decided=self._note_decision,
        )
        self.triggers = Triggers(
            clock=clock,
            zone=zone,
            make_bus=make_bus,
            functions=functions,
            start=self._start_triggered,
            begun=self._begun_since,
            held=store.held,
            is_leader=self.is_leader,
            is_shared=store.is_shared,
        )
        self._callbacks: list[Listener] = []
        self._ended: list[WorkflowRun] = []
        self._is_dirty = False
        self._counts: dict[str, tuple[int, str]] = {}
        self._last: dict[str, WorkflowRun] = {}
        self._approvals = 0
        self._pruned_s = 0.0
        self._looking_since_s: float | None = None
        self._is_open = False
        self._trouble = "Not started yet"
        self._since = clock.now()

    def use(self, actions: Actions) -> None:
        """Take what does the steps."""
        self._actions = actions
        self.engine.use(actions)

    def use_around(self, around: Around) -> None:
        """Take what lint and dry runs ask of the app."""
        self._around = around
        self.repair.use(around)

    # Life

    async def open(self) -> None:
        """Open the store and go on with what an earlier life left; may be called again.

        Raises:
            StoreError: The store cannot be reached; no run can be started meanwhile.
        """
        try:
            await self._store.open()
            await self._owners.start()
            await asyncio.to_thread(self._library.refresh)
            found = await self.engine.recover()
        except StoreError as error:
            self._trouble = str(error)
            raise
        if found:
            logger.info("%d runs go on", found)
        self._is_open, self._trouble, self._since = True, "", self._clock.now()
        await self._use_library()
        now = self._clock.now()
        # raised just before the app ended, so that its run was not begun
        self.triggers.alarms([each for each in self._standing() if now - each.raised_at <= MISSED])
        for run in await self._store.index.runs(states=OVER, limit=ENDED_LATELY):
            if run.ended_at and now - run.ended_at <= MISSED:
                self.triggers.run_ended(run)
        await self._count()

    async def stop(self) -> None:
        """Stop; every run goes on at the next start."""
        self._is_open = False
        await self.engine.stop()
        await self.triggers.stop()
        await self._owners.stop()
        await self._store.close()

    async def tick(self) -> None:
        """Do what time asks for; called once a second.

        Raises:
            StoreError: The store cannot be read.
        """
        if not self._is_open:
            return
        self._looking_since_s = self._clock.monotonic()
        try:
            await self._look()
        finally:
            self._looking_since_s = None

    async def _look(self) -> None:
        if await asyncio.to_thread(self._library.refresh):
            await self._use_library()
        if self._store.is_shared:
            await self._share()
        if not self._owners.has_lost_lock:
            await self.engine.tick()
        await self._look_again()
        ended, self._ended = self._ended, []
        for run in ended:
            self.triggers.run_ended(run)
        await self.triggers.tick()
        if self._is_dirty:
            self._is_dirty = False
            await self._count()
        if self._clock.monotonic() - self._pruned_s > PRUNE_EVERY_S:
            await self._prune()

    @property
    def status(self) -> ComponentStatus:
        """State of the workflows, for Health."""
        if not self._is_open:
            state = Health.FAILED if self._trouble else Health.STARTING
            remedy = "No run can be started until the store opens; it is tried again"
            return ComponentStatus("Workflows", state, self._since, self._trouble, remedy)
        entries = self._library.entries()
        troubles = troubles_of(self._store, self.triggers, entries, self._owners, self._silent_s)
        worst = next(troubles, None)
        if worst is not None:
            state, reason, remedy = worst
            return ComponentStatus("Workflows", state, self._since, reason, remedy)
        return ComponentStatus("Workflows", Health.OK, self._since)

    @property
    def _silent_s(self) -> float:
        """How long the look at the runs under way has lasted, s; 0 if there is none."""
        since_s = self._looking_since_s
        return 0.0 if since_s is None else self._clock.monotonic() - since_s

    @property
    def open_approvals(self) -> int:
        """Approvals of runs that wait for a person."""
        return self._approvals

    def is_leader(self) -> bool:
        """Tell whether we, of several orchestrators, heed what starts runs by itself."""
        return self._owners.is_leader

    def on_change(self, callback: Listener) -> None:
        """Have `callback` called with every change of a run, on the app's loop."""
        self._callbacks.append(callback)

    # What can be asked

    def catalogue(self) -> list[Entry]:
        """Return every workflow with its latest run, by name."""
        return [self._with_runs(entry) for entry in self._library.entries()]

    def entry(self, name: str) -> Entry:
        """Return one workflow of the catalogue.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._with_runs(self._library.entry(name))

    def definition(self, name: str) -> Workflow:
        """Return what a new run goes by.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: Its file has an error.
        """
        return self._library.definition(name)

    def source(self, name: str) -> str:
        """Return the TOML text of a workflow.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._library.source(name)

    async def lint(self, text: str, name: str = "") -> list[Problem]:
        """Return what is wrong with a text, also beside what is around it now, by line."""
        found = await asyncio.to_thread(read_definition, text, name)
        doubts = self.doubts(found.workflow)
        if not doubts:
            return list(found.problems)
        return await asyncio.to_thread(with_lines, [*found.problems, *doubts], text)

    def doubts(self, workflow: Workflow | None) -> list[Problem]:
        """Return what a run would wait for or fail by now; lines are 0, see `with_lines`."""
        if workflow is None or self._around is None:
            return []
        return list(check_around(workflow, self._around))

    # What Plant has checked and audited

    async def start(
        self, name: str, given: Mapping[str, object], by: StartedBy, role: Role, run_id: str = ""
    ) -> WorkflowRun:
        """Start a run; see `begin`."""
        return (await self.begin(name, given, by, role, run_id)).run

    async def begin(
        self, name: str, given: Mapping[str, object], by: StartedBy, role: Role, run_id: str = ""
    ) -> Begun:
        """Start a run; the id of a known one starts nothing.

        Raises:
            NotFoundError: There is no such workflow.
            FieldsError: Inputs are wrong; each is named.
            ConflictError: The role may not, or it runs already.
            StoreError: It cannot be kept.
        """
        return await self._begin(self._library.definition(name), given, by, role, run_id)

    async def save(self, name: str, text: str, base_version: str, actor: Actor) -> Entry:
        """Write a definition; see `Library.save`."""
        entry = await asyncio.to_thread(self._library.save, name, text, base_version, actor)
        await self._use_library()
        return self._with_runs(entry)

    async def delete(self, name: str) -> None:
        """Delete an own definition; see `Library.delete`."""
        await asyncio.to_thread(self._library.delete, name)
        await self._use_library()

    async def enable(self, name: str, *, is_enabled: bool) -> Entry:
        """Switch the triggers of a workflow; see `Library.enable`."""
        entry = await asyncio.to_thread(self._library.enable, name, is_enabled)
        await self._use_library()
        return self._with_runs(entry)

    # Within

    async def _start_triggered(
        self, name: str, given: dict[str, Any], by: StartedBy, run_id: str
    ) -> WorkflowRun:
        workflow = self._library.definition(name)  # once: it may be saved by another meanwhile
        role = await asyncio.to_thread(self._library.role, workflow)
        by = await named(by, self._store)
        return (await self._begin(workflow, given, by, role, run_id)).run

    async def _begun_since(self, name: str, since: datetime) -> list[WorkflowRun]:
        """Return the runs of a workflow that were begun since a moment, the latest COOLED."""
        found: list[WorkflowRun] = []
        while len(found) < COOLED:
            before = found[-1].id if found else ""
            page = await self._store.index.runs(workflow=name, before=before, limit=COOLED_AT_ONCE)
            found += [run for run in page if run.started_at >= since]
            if len(page) < COOLED_AT_ONCE or page[-1].started_at < since:
                break
        return found

    async def _begin(
        self,
        workflow: Workflow,
        given: Mapping[str, object],
        by: StartedBy,
        role: Role,
        run_id: str,
    ) -> Begun:
        check_role(workflow, role)
        checked = checked_input(workflow, given)
        key, version = key_of(workflow, checked), version_of(workflow)
        return await self.engine.begin(
            workflow, version, checked, key, by, run_id=run_id, role=role.value
        )

    async def _child(self, name: str, given: dict[str, Any]) -> Child:
        workflow = self._library.definition(name)
        checked = checked_input(workflow, given)
        role = await asyncio.to_thread(self._library.role, workflow)
        return Child(workflow, version_of(workflow), checked, key_of(workflow, checked), role)

    async def _use_library(self) -> None:
        entries = self._library.entries()
        await self.triggers.use(
            [each.workflow for each in entries if each.workflow and each.enabled]
        )

    async def _look_again(self) -> None:
        await self._store.look_again()
        if self._store.trouble:  # it may be over, though nobody has anything to write
            with suppress(StoreError):
                await self._store.check()

    async def _share(self) -> None:
        try:
            owners = await self._store.owners()
        except StoreError:  # the locks may be lost with it; see `tick`
            owners = []
        gone = await self._owners.tick(owners)
        if self._owners.has_lost_lock:
            await self.engine.drop_all()
            return
        try:
            for owner in gone:
                taken = await self._store.take_over(owner, self._settings.orchestrator)
                logger.warning("Took over %d runs of %s, which is gone", taken, owner)
        finally:
            await self._owners.release(gone)
        if gone or self._owners.has_regained_lock:
            await self.engine.recover()

    async def _prune(self) -> None:
        self._pruned_s = self._clock.monotonic()
        before = self._clock.now() - timedelta(days=self._settings.keep_days)
        while await self._store.prune(before, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
            pass

    async def _count(self) -> None:
        self._counts = await self._store.index.counts(
            [each.name for each in self._library.entries()]
        )
        self._approvals = len(await self._store.approvals.listed(is_open=True, limit=1000))
        for name, (_, last) in self._counts.items():
            known = self._last.get(name)
            if known is None or known.id != last:
                self._last[name] = await self._store.shown(last)

    def _with_runs(self, entry: Entry) -> Entry:
        count, _ = self._counts.get(entry.name, (0, ""))
        last = self._last.get(entry.name)
        return msgspec.structs.replace(
            entry,
            active=count,
            last=self.live(last) if last else None,
            refused=self.triggers.refusals.of(entry.name),
        )

    def _note_decision(self) -> None:
        self._is_dirty = True
        if self._actions:
            self._actions.note_decision()

    def _changed(self, run: WorkflowRun, step: StepRun | None) -> None:
        self._is_dirty = True
        if run.state in OVER:
            self._ended.append(run)
        if not run.parent:
            last = self._last.get(run.workflow)
            if last is None or last.started_at <= run.started_at:
                self._last[run.workflow] = run
        change = RunChange(run, step)
        for callback in self._callbacks:
            callback(change)

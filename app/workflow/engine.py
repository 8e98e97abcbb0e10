"""All runs of this orchestrator: begun durably, taken up again after a restart, ended once.

Every outcome of a step is on disk before the run goes on, so a run that is taken up again does
what is left and nothing twice (docs/decisions/0012). Whoever did a step just before a crash is
asked again with the same id, and knows it.
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from app import __version__
from app.core.admission import Admission
from app.core.clock import Clock
from app.core.errors import ConflictError, MillwrightError, NotFoundError, StoreError
from app.core.run import OVER, Begun, RunState, StartedBy, StepRun, WorkflowRun
from app.core.workflow import RunMode, Workflow
from app.store.run_rows import Stored, UnreadableRunError, unreadable
from app.store.runs import LostRunError, RunStore
from app.workflow.actions import RefusedError
from app.workflow.context import Doer
from app.workflow.runner import Runner

logger = logging.getLogger(__name__)

_KEPT_OVER = 200

Changed = Callable[[WorkflowRun, StepRun | None], None]


class Engine:
    """Carries runs out; one task a run."""

    def __init__(
        self,
        *,
        store: RunStore,
        owner: str,
        clock: Clock,
        functions: Mapping[str, Callable[..., object]],
    ) -> None:
        """Build it without runs.

        Args:
            store: Where runs are kept.
            owner: Name of this orchestrator.
            clock: Time.
            functions: What expressions may call beside their own, such as `tag`.
        """
        self._store = store
        self._owner = owner
        self._clock = clock
        self._functions = functions
        self._actions: Doer | None = None
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._over: deque[WorkflowRun] = deque(maxlen=_KEPT_OVER)
        self._ends: dict[str, asyncio.Event] = {}
        self._callbacks: list[Changed] = []
        self._orphans: set[str] = set()
        self._cancels: dict[str, str] = {}  # of runs whose turn has come, until they begin
        self._is_stopping = False

    def use(self, actions: Doer) -> None:
        """Take what does the steps; it needs the engine itself for runs within runs."""
        self._actions = actions

    def on_change(self, callback: Changed) -> None:
        """Have `callback` called with each change of a run, and of which step."""
        self._callbacks.append(callback)

    @property
    def is_stopping(self) -> bool:
        """The app is ending: what is put down goes on at the next start."""
        return self._is_stopping

    @property
    def owner(self) -> str:
        """Name of this orchestrator."""
        return self._owner

    @property
    def active(self) -> int:
        """Runs under way."""
        return len(self._tasks)

    @property
    def runs(self) -> list[WorkflowRun]:
        """Runs under way here as they are now, without their steps."""
        return [runner.run for runner in self._runners.values()]

    def live(self, run_id: str) -> Runner | None:
        """Return the runner of a run under way."""
        return self._runners.get(run_id)

    async def begin(
        self,
        workflow: Workflow,
        version: str,
        given: dict[str, Any],
        key: str,
        by: StartedBy,
        *,
        run_id: str = "",
        parent: str = "",
        retry_of: str = "",
        carried: Sequence[StepRun] = (),
        role: str = "operator",
    ) -> Begun:
        """Keep a run and begin it, or have it wait for its turn; it is on disk on return.

        A `run_id` that is known already begins nothing; that run is returned, as not new. One with
        a `parent` waits for its turn where another would be refused.

        Raises:
            ConflictError: The workflow runs for this key already and takes no other beside it.
            RefusedError: It would wait for its turn behind a run that waits for it.
            StoreError: It could not be kept; nothing has begun.
        """
        run = WorkflowRun(
            id=run_id or new_run_id(self._clock.now()),
            workflow=workflow.name,
            version=version,
            state=RunState.RUNNING,
            started_at=self._clock.now(),
            input=given,
            started_by=by,
            key=key,
            parent=parent,
            retry_of=retry_of,
            role=role,
            app=__version__,
        )
        admission, rivals = await self._store.add(run, workflow, self._owner, carried)
        match admission:
            case Admission.REFUSE if run.id in rivals:
                return Begun(await self._known(run), is_new=False)
            case Admission.REFUSE:
                raise ConflictError(_refusal(workflow, key, rivals))
            case Admission.CIRCLE:
                raise RefusedError(_circle(workflow, key, rivals))
            case Admission.START:
                self._go(Stored(run, workflow, _slots(carried), False, "", self._owner))
            case Admission.REPLACE | Admission.WAIT:
                run = (await self._store.find(run.id)).run
                self._tell(run, None)
                if admission is Admission.REPLACE:
                    await self._replace(rivals, run)
        return Begun(run, is_new=True)

    async def _known(self, run: WorkflowRun) -> WorkflowRun:
        known = (await self._store.find(run.id)).run
        if (known.workflow, known.parent) != (run.workflow, run.parent):
            step = f", begun by {known.parent}" if known.parent else ""
            raise ConflictError(f"Run {run.id} is one of {known.workflow}{step}; choose another id")
        return known

    async def cancel(self, run_id: str, why: str) -> None:
        """Cancel a run, here or at another orchestrator.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It is over.
        """
        await self._store.ask_cancel(run_id, why)
        runner = self._runners.get(run_id)
        if runner is not None:
            runner.cancel(why)
        else:
            await self._cancel_queued(run_id, why)

    async def _cancel_queued(self, run_id: str, why: str) -> None:
        """Cancel what nobody carries out here: it waits for its turn, or cannot be read."""
        try:
            stored = await self._store.find(run_id)
        except UnreadableRunError:
            await self._cancel_unread(run_id)
            return
        if run_id in self._store.unreadable:
            await self._cancel_unread(run_id)
            return
        if stored.owner != self._owner or stored.run.state in OVER:
            return
        if not stored.is_queued:  # its turn has come, and it is just being begun
            self._cancel_begun(run_id, why)
        else:
            ended = msgspec.structs.replace(
                stored.run, state=RunState.CANCELLED, reason=why, ended_at=self._clock.now()
            )
            await self._store.end(ended, self._owner)
            self._ended(ended)

    def _cancel_begun(self, run_id: str, why: str) -> None:
        if runner := self._runners.get(run_id):
            runner.cancel(why)
        else:
            self._cancels[run_id] = why

    async def _cancel_unread(self, run_id: str) -> None:
        with suppress(LostRunError):  # who has it reads it, or cancels it
            ended = await self._store.end_unread(run_id, self._owner)
            now, why = self._clock.now(), f"The run is {ended.state.value}"
            await self._store.approvals.withdraw(run_id, now, why)
            self._ended(ended)

    async def wait_for_end(
        self, run_id: str, meanwhile: Callable[[WorkflowRun], None] = lambda _: None
    ) -> WorkflowRun:
        """Return a run once it is over; `meanwhile` has it as it is, at least every 2 s."""
        while True:
            ended = self._ends.setdefault(run_id, asyncio.Event())
            stored = await self._store.find(run_id)
            runner = self._runners.get(run_id)
            if stored.run.state in OVER:
                if runner and runner.run.state not in OVER:  # kept, and about to be told
                    await _within(2.0, ended)
                self._ends.pop(run_id, None)
                return stored.run
            meanwhile(runner.run if runner else stored.run)
            await _within(2.0, ended)  # it may end at another orchestrator

    async def recover(self) -> int:
        """Go on with the runs that an earlier life of this orchestrator began; return how many."""
        self._is_stopping = False
        found = await self._store.open_runs(self._owner)
        for stored in found:
            self._go(stored, is_taken_up=True)
        await self._take_turns()
        return len(found)

    async def tick(self) -> None:
        """See that nothing stands still: cancels from elsewhere, turns, runs nobody carries out.

        Raises:
            StoreError: The store cannot be read.
        """
        for run_id, why in (await self._store.cancels(self._owner)).items():
            if runner := self._runners.get(run_id):
                runner.cancel(why)
            else:
                await self._cancel_queued(run_id, why)
        await self._take_turns()
        await self._adopt()

    async def _take_turns(self) -> None:
        for waiting in await self._store.watched.next_in_turn():
            try:
                workflow = (await self._store.find(waiting.id)).snapshot
            except UnreadableRunError:  # Health names it; a person cancels it
                continue
            if workflow.runs.mode is RunMode.RESTART:
                await self._replace_before(waiting)
            await self._begin_turn(waiting.workflow, waiting.key, workflow)

    async def _replace_before(self, run: WorkflowRun) -> None:
        """Cancel what a run that was to replace it has found; the app may have ended before."""
        for rival in await self._store.watched.older(run):
            runner = self._runners.get(rival)
            if runner is None or not runner.cancelled:
                with suppress(ConflictError, NotFoundError):  # it has ended meanwhile
                    await self.cancel(rival, f"Run {run.id} replaces it")

    async def _adopt(self) -> None:
        """Go on with a run of ours that nobody carries out: its beginning or end met a full disk.

        It must have been found so before, and be so still: a run may begin or end meanwhile.
        """
        orphans = await self._store.watched.under_way(self._owner) - self._tasks.keys()
        orphans -= self._store.unreadable.keys()
        for run_id in orphans & self._orphans:
            try:
                stored = await self._store.find(run_id)
            except UnreadableRunError:
                continue
            is_ours = stored.owner == self._owner and not stored.is_queued
            if is_ours and stored.run.state not in OVER:
                logger.warning("Run %s goes on: nobody carried it out", run_id)
                self._go(stored, is_taken_up=True)
        self._orphans = orphans

    async def stop(self) -> None:
        """Stop carrying out; every run goes on at the next start."""
        self._is_stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def drop_all(self) -> None:
        """Stop at once: the runs may belong to another orchestrator by now.

        `recover` goes on with those that are still ours.
        """
        await self.stop()

    def _go(self, stored: Stored, *, is_taken_up: bool = False) -> None:
        if self._actions is None:
            raise AssertionError("use() comes before the first run")
        run_id = stored.run.id
        if run_id in self._tasks or self._is_stopping:
            return
        try:
            runner = Runner(
                stored,
                owner=self._owner,
                store=self._store,
                actions=self._actions,
                clock=self._clock,
                functions=self._functions,
                changed=self._tell,
                is_taken_up=is_taken_up,
            )
        except msgspec.MsgspecError as error:  # a step of it; see `Health`
            why = unreadable(msgspec.json.encode(stored.run), error)
            logger.warning("Run %s: %s", run_id, why)
            self._store.unreadable[run_id] = f"Run {run_id}: {why}"
            return
        if why := self._cancels.pop(run_id, ""):
            runner.cancel(why)
        self._runners[run_id] = runner
        task = asyncio.get_running_loop().create_task(self._carry(runner), name=f"run {run_id}")
        self._tasks[run_id] = task
        self._tell(runner.run, None)

    async def _carry(self, runner: Runner) -> None:
        run_id = runner.run.id
        try:
            ended = await runner.go()
        except LostRunError as error:
            logger.warning("%s", error)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # the other runs live on; this one fails, and says by what
            logger.exception("Run %s stopped by a fault of the app", run_id)
            await self._fail(runner, f"Fault of the app: {error!r}; its log has more")
        else:
            self._ended(ended)
            await self._next(ended, runner)
        finally:
            self._runners.pop(run_id, None)
            self._tasks.pop(run_id, None)

    async def _fail(self, runner: Runner, reason: str) -> None:
        ended = msgspec.structs.replace(
            runner.run, state=RunState.FAILED, reason=reason, ended_at=self._clock.now()
        )
        try:
            await self._store.end(ended, self._owner)
        except MillwrightError as error:
            logger.warning("Run %s goes on at the next start: %s", ended.id, error)
        else:
            self._ended(ended)
            await self._next(ended, runner)

    def _ended(self, run: WorkflowRun) -> None:
        self._over.append(run)
        self._tell(run, None)
        if event := self._ends.pop(run.id, None):
            event.set()

    async def _next(self, ended: WorkflowRun, runner: Runner) -> None:
        if not runner.has_followers:
            return
        await self._begin_turn(ended.workflow, ended.key, runner.workflow)

    async def _begin_turn(self, name: str, key: str, workflow: Workflow) -> None:
        """Begin the runs of a key whose turn it is."""
        try:
            while run_id := await self._store.next_turn(name, key, workflow.runs, self._owner):
                stored = await self._store.find(run_id)
                self._go(stored)
        except UnreadableRunError:  # it has its turn, and keeps it until a person cancels it
            return
        except StoreError as error:
            logger.warning("The next run of %s waits for the store: %s", name, error)

    async def _replace(self, rivals: Sequence[str], run: WorkflowRun) -> None:
        for rival in rivals:
            with suppress(ConflictError, NotFoundError):  # it has ended meanwhile
                await self.cancel(rival, f"Run {run.id} replaces it")
        stored = await self._store.find(run.id)
        await self._begin_turn(run.workflow, run.key, stored.snapshot)

    def _tell(self, run: WorkflowRun, step: StepRun | None) -> None:
        for callback in self._callbacks:
            callback(run, step)


async def _within(timeout_s: float, event: asyncio.Event) -> None:
    """Wait for an event, and no longer than so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()


def new_run_id(now: datetime) -> str:
    """Return an id that sorts by time: 11 hex digits of milliseconds and 5 of chance."""
    return f"{int(now.timestamp() * 1000):011x}{secrets.token_hex(3)[:5]}"


def _slots(carried: Sequence[StepRun]) -> dict[str, bytes]:
    return {f"{each.step}.{each.round}": msgspec.json.encode(each) for each in carried}


def _circle(workflow: Workflow, key: str, rivals: Sequence[str]) -> str:
    of = f' for "{key}"' if key else ""
    title = workflow.title or workflow.name
    return (
        f"{title} would wait for ever{of}: it takes its turn after {', '.join(rivals[:5])}, which "
        f"ends after this step; its mode is {workflow.runs.mode}. Do not start it from within "
        "itself, or give it another key or a greater max under [runs]"
    )


def _refusal(workflow: Workflow, key: str, rivals: Sequence[str]) -> str:
    of = f' for "{key}"' if key else ""
    title, mode = workflow.title or workflow.name, workflow.runs.mode
    if mode in {RunMode.QUEUED, RunMode.PARALLEL}:
        return (
            f"{title} takes no more{of}: {workflow.runs.queue} runs wait for their turn, which is "
            "all its queue holds; wait, cancel some, or raise runs.queue"
        )
    return f"{title} runs already{of}: {', '.join(rivals[:5])}; its mode is {mode}"

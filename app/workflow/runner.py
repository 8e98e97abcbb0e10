"""Carries one run out: begins what is ready, keeps what is certain, takes back what failed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import msgspec

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.run import SETTLED, RunState, StepRun, StepState, WorkflowRun
from app.core.run_plan import RunPlan, ended_s
from app.core.step_order import ancestors
from app.core.workflow import ActionKind, Step
from app.store.run_rows import Stored
from app.store.runs import LostRunError, RunStore
from app.workflow.answers import agreed_by, agreeing, is_answer
from app.workflow.attempt import Attempt
from app.workflow.broken_off import BrokenOff
from app.workflow.context import Doer
from app.workflow.elements import Elements
from app.workflow.slots import has_begun, is_outcome, slot
from app.workflow.take_back import TakeBack, said_of

T = TypeVar("T")
logger = logging.getLogger(__name__)

_STORE_S = 1.0
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)  # the finest that is kept
_TRACED = frozenset({ActionKind.COMMAND, ActionKind.WORKFLOW})
"""What these ask for has a row of its own, which says also whether it was asked for at all."""

Changed = Callable[[WorkflowRun, StepRun | None], None]


class Runner:
    """One run, from what is certain of it to its end.

    Attributes:
        run: The run as it is now, without steps.
        workflow: Definition it runs by.
        plan: What is next.
        slots: What was certain when it was taken up.
        cancelled: Why it was cancelled, empty if it was not.
        is_put_down: It is not carried out any further here; the app may be ending.
        has_followers: Runs of its key may wait for its end.
    """

    def __init__(
        self,
        stored: Stored,
        *,
        owner: str,
        store: RunStore,
        actions: Doer,
        clock: Clock,
        functions: Mapping[str, Callable[..., object]],
        changed: Changed,
        is_taken_up: bool = False,
    ) -> None:
        self.run = stored.run
        self.workflow = stored.snapshot
        self.slots = dict(stored.slots)
        self._is_taken_up = is_taken_up
        self._owner = owner
        self._store = store
        self.actions = actions
        self.clock = clock
        self.functions = functions
        self._changed = changed
        self.plan = RunPlan(stored.snapshot)
        self._has_approvals = any(step.do is ActionKind.APPROVE for step in stored.snapshot.steps)
        self._shown: dict[tuple[str, int], StepRun] = {}
        self._under_way: dict[tuple[str, int], StepRun] = {}
        self._unkept: tuple[str, StepRun] | None = None
        self._last: StepRun | None = None
        self._latest = _LONG_AGO  # end of a step
        self.has_followers = True
        self._working: set[asyncio.Task[None]] = set()
        self._acting: set[asyncio.Task[Any]] = set()
        self.cancelled = ""
        self.is_put_down = False
        self._restore()
        if stored.cancel:
            self.cancel(stored.cancel)

    # What is asked of it

    @property
    def steps(self) -> tuple[StepRun, ...]:
        """All steps in all rounds, those under way included."""
        order = {step.id: place for place, step in enumerate(self.workflow.steps)}
        shown = dict(self._shown)
        for step in self.workflow.steps:
            shown.setdefault((step.id, self.plan.round_of(step.id)), StepRun(step.id))
        return tuple(
            shown[key] for key in sorted(shown, key=lambda key: (key[1], order.get(key[0], 0)))
        )

    def cancel(self, why: str) -> None:
        """Stop what runs and begin nothing more; what can be taken back is."""
        if self.cancelled:
            return
        self.cancelled = why
        self.plan.is_cancelled = True
        # what has not begun will not, and what is being kept is certain: neither is interrupted
        for task in self._acting:
            task.cancel()

    def leave_alone(self) -> None:
        """Let no cancel interrupt the present step any more: it finds out what it has done."""
        if task := asyncio.current_task():
            self._acting.discard(task)

    async def go(self) -> WorkflowRun:
        """Carry the run out to its end.

        Raises:
            LostRunError: It belongs to another orchestrator now.
        """
        try:
            await self._go()
            await self._take_back()
            return await self._end()
        finally:
            self.is_put_down = True
            for task in self._working:
                task.cancel()
            if self._working:
                await asyncio.gather(*self._working, return_exceptions=True)

    # How it goes

    async def _go(self) -> None:
        while True:
            self._begin(self.plan.ready())
            if not self._working:
                if not self.plan.jump():
                    return
                continue
            done, _ = await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._working.discard(task)
                task.result()

    def _begin(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self.plan.begin(step.id)
            self._working.add(asyncio.create_task(self._work(step), name=self.run.id))

    async def _work(self, step: Step) -> None:
        """Do a step, and one of those that can begin by it: a chain takes one task."""
        while True:
            await self._settle(await self._become(step, self.plan.round_of(step.id)))
            ready = self.plan.ready()
            if not ready:
                return
            step, *others = ready
            self.plan.begin(step.id)
            self._begin(others)

    async def _settle(self, settled: StepRun) -> None:
        """Keep what became of a step, then take it over."""
        settled = _keepable(self._after_all(settled))
        key = slot(settled.step, settled.round)
        if self.plan.is_last(settled):
            self._unkept = key, settled  # one fsync with the end of the run
        else:
            await self.keep(key, settled)
            self.show(settled)
        self._last = settled
        self.plan.settle(settled)

    def _after_all(self, settled: StepRun) -> StepRun:
        """Return an outcome that ends after all before it, also where the clock was set back.

        What is taken back first, and whose answer counts, goes by the ends.
        """
        if settled.ended_at is None:
            return settled
        self._latest = max(settled.ended_at, self._latest + _TICK)
        return msgspec.structs.replace(settled, ended_at=self._latest)

    async def _become(self, step: Step, round_: int) -> StepRun:
        """Do a step and return what became of it."""
        verdict = self.plan.verdict(step)
        began = self.clock.now()
        shown = StepRun(step.id, round_, StepState.RUNNING, started_at=began)
        if verdict is None:
            return await self._attempt(step, shown)
        is_cancelled = verdict is StepState.CANCELLED
        ended = msgspec.structs.replace(
            shown, state=verdict, error=self._why_not() if is_cancelled else "", ended_at=began
        )
        if is_cancelled and self._is_taken_up:
            await self._withdraw(step, round_)
            ended = await self._left_behind(step, ended)
            return msgspec.structs.replace(ended, attempts=int(ended.may_have_acted))
        return ended

    async def _left_behind(self, step: Step, ended: StepRun) -> StepRun:
        """Return what became of a step that the app may have been at when it ended."""
        found = BrokenOff(self, step, ended.round, self.wait_for)
        if step.for_each:
            items = Elements(self.slots, step.id, ended.round).items
            return await found.settled_list(ended, range(len(items)), is_known=False)
        if has_begun(self.slots, step.id, ended.round) or step.do in _TRACED:
            return await found.settled(ended)
        return ended

    async def _attempt(self, step: Step, shown: StepRun) -> StepRun:
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a step is done by a task")
        self._acting.add(task)
        try:
            return await Attempt(self, step, shown).done()
        finally:
            self._acting.discard(task)

    async def _withdraw(self, step: Step, round_: int) -> None:
        """Take back what a step asked of people before the app ended: it will not be done now."""
        task_id = self.task_id(step, round_)
        parts = Elements(self.slots, step.id, round_).items
        ids = [f"{task_id}.{index}" for index in range(len(parts))] if step.for_each else [task_id]
        for each in ids:
            await self._insist(partial(self.actions.withdraw, step.do, each))

    def _why_not(self) -> str:
        failed = self.plan.failed
        return f"{failed.step} failed" if failed and not self.cancelled else "The run was cancelled"

    async def _take_back(self) -> None:
        """Take finished steps back, the last first; one that fails does not hold up the others."""
        if not self.plan.is_stopping:
            return
        if self._unkept:  # cancelled since
            key, settled = self._unkept
            self._unkept = None
            await self.keep(key, settled)
            self.show(settled)
        for settled in self.plan.to_take_back():
            key = slot(settled.step, settled.round, "undo")
            kept = self.slots.get(key)
            said = said_of(kept) if kept else await TakeBack(self, settled).go()
            if kept is None:
                await self.keep(key, {"said": said})
            self.show(msgspec.structs.replace(settled, compensation=said))

    async def _end(self) -> WorkflowRun:
        failed, last = self.plan.failed, self._last
        reason = self.cancelled or (f"{failed.step}: {failed.error}" if failed else "")
        left = [each.step for each in self.steps if each.compensation not in {"", "done"}]
        if left:
            reason = f"{reason}. Not taken back: {', '.join(left)}"
        ended = msgspec.structs.replace(
            self.run,
            state=self.plan.state,
            ended_at=self.clock.now(),
            reason=reason,
            output=last.output if last and self.plan.state is RunState.COMPLETED else None,
        )
        if self._has_approvals:
            at, why = self.clock.now(), f"The run is {ended.state.value}"
            await self._insist(lambda: self._store.approvals.withdraw(ended.id, at, why))
        unkept = self._unkept
        self.has_followers = await self._insist(lambda: self._store.end(ended, self._owner, unkept))
        if unkept:
            self.show(unkept[1])
        self.run = ended
        return ended

    # What the doing of a step needs

    def names(self, step: Step) -> dict[str, object]:
        """Return what expressions of a step see."""
        del step
        by = self.run.started_by
        return {
            "input": self.run.input,
            "steps": self.plan.values(),
            "run": {
                "id": self.run.id,
                "workflow": self.run.workflow,
                "key": self.run.key,
                "started_at": self.run.started_at.isoformat(),
                "started_by": by.name,
            },
            "trigger": by.event if isinstance(by.event, dict) else {},
        }

    def approver(self, step: Step) -> Actor | None:
        """Return whose agreement in this run counts for a step.

        The answer before it that was given last is the one that counts: a no to it takes the yes
        to an earlier question back.
        """
        return next((agreed_by(each) for each in self._answers(step)), None)

    def agreed(self, step: Step) -> str:
        """Return who agreed last before a step, whatever was answered since; "" if nobody did."""
        named = (who for each in self._answers(step) for who in reversed(agreeing(each)))
        return next((who.name for who in named), "")

    def _answers(self, step: Step) -> list[object]:
        """Return what approve steps before this one gave in this run, the last first."""
        if not self._has_approvals:
            return []
        asked = [
            before
            for name in ancestors(self.workflow, step.id)
            if self.workflow.step(name).do is ActionKind.APPROVE
            and (before := self.plan.current(name))
            and not before.carried
        ]
        given = (each.output for each in sorted(asked, key=ended_s, reverse=True))
        return [output for output in given if is_answer(output)]

    def task_id(self, step: Step, round_: int) -> str:
        """Return `run:step`, with the round behind it in a loop."""
        return f"{self.run.id}:{step.id}" + (f".{round_}" if round_ > 1 else "")

    async def keep(self, key: str, data: msgspec.Struct | dict[str, object]) -> None:
        """Keep what is certain, however long the disk refuses it.

        Raises:
            LostRunError: The run belongs to another orchestrator now.
        """
        await self._insist(lambda: self._store.keep(self.run.id, self._owner, key, data))

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """Write until it is on disk: what was done must not be forgotten for a full disk."""
        while True:
            try:
                return await write()
            except LostRunError:
                raise
            except StoreError as error:
                self.wait_for(f"the store of workflows: {error}")
                await self.clock.sleep(_STORE_S)

    def show(self, step: StepRun) -> None:
        """Take over what a step looks like now, and tell it."""
        self._shown[step.step, step.round] = step
        if step.state in SETTLED:
            self._under_way.pop((step.step, step.round), None)
        else:
            self._under_way[step.step, step.round] = step
        waits = [each.waiting_for for each in self._under_way.values() if each.waiting_for]
        busy = any(each.state is StepState.RUNNING for each in self._under_way.values())
        state = RunState.WAITING if waits and not busy else RunState.RUNNING
        reason = waits[0] if state is RunState.WAITING else ""
        self.run = msgspec.structs.replace(self.run, state=state, reason=reason)
        self._changed(self.run, step)

    def wait_for(self, what: str) -> None:
        """Tell for what the run waits beside its steps."""
        self.run = msgspec.structs.replace(self.run, state=RunState.WAITING, reason=what)
        self._changed(self.run, None)

    def _restore(self) -> None:
        kept = [
            msgspec.json.decode(data, type=StepRun)
            for key, data in self.slots.items()
            if is_outcome(key)
        ]
        self.plan.restore(kept)
        self._latest = max((each.ended_at for each in kept if each.ended_at), default=_LONG_AGO)
        self._shown = {(each.step, each.round): each for each in kept}


def _keepable(settled: StepRun) -> StepRun:
    """Return an outcome, or that it cannot be written down: what is done is taken back then."""
    try:
        msgspec.json.encode(settled)
    except (ValueError, TypeError, RecursionError) as error:
        return StepRun(
            settled.step,
            settled.round,
            StepState.FAILED,
            error=f"What it gave cannot be kept: {type(error).__name__}",
            started_at=settled.started_at,
            ended_at=settled.ended_at,
            attempts=settled.attempts,
            may_have_acted=True,
        )
    return settled

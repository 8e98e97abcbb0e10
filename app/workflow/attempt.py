"""Does one step of a run: its tries, its elements, its end."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from app.core.errors import BusError, InputError, MillwrightError, StoreError
from app.core.expression import (
    PLANT_FUNCTIONS,
    bare,
    called,
    evaluate,
    expressions,
    fill,
    is_true,
)
from app.core.run import LogLine, StepRun, StepState
from app.core.run_plan import bound_reached, error_leads_back
from app.core.workflow import EVERY, ActionKind, Step, timeout_of
from app.store.runs import LostRunError
from app.workflow.actions import RefusedError, UncertainError
from app.workflow.broken_off import BrokenOff
from app.workflow.context import Doing, Done, PlantSilentError
from app.workflow.elements import Kept, Plan, element_names
from app.workflow.slots import has_begun, slot
from app.workflow.wait_time import deadline_after, wait_s

if TYPE_CHECKING:
    from app.workflow.runner import Runner

logger = logging.getLogger(__name__)

T = TypeVar("T")
LOG_LINES = 200
_SILENT_S = 0.5
_STORE_S = 1.0
_RAW = frozenset({"until"})
_WAITS = frozenset({ActionKind.WAIT, ActionKind.APPROVE})
_DOUBTFUL = (BusError, UncertainError, StoreError)
"""Errors that do not say that nothing was done."""


class Attempt:
    """The doing of one step in one round: its tries, its elements, its end."""

    def __init__(self, runner: "Runner", step: Step, shown: StepRun) -> None:
        self._runner = runner
        self._step = step
        self._shown = shown
        self._lines: list[LogLine] = []
        self._has_acted = has_begun(runner.slots, step.id, shown.round)
        self._unsure: set[int] = set()  # elements that have begun, and are neither done nor refused

    async def done(self) -> StepRun:
        """Return what became of the step."""
        runner, step = self._runner, self._step
        names = runner.names(step)
        functions = runner.functions
        try:
            # a step that has begun goes on, whatever the plant shows after a restart
            if self._kept is None and not await self._computed(
                lambda: is_true(step.when, names, functions)
            ):
                return self._settle(StepState.SKIPPED)
            self._show()
            output, agent = await self._tries(names)
        except asyncio.CancelledError:
            if not runner.cancelled or runner.is_put_down:
                raise  # the app is stopping: nothing is certain, the step goes on at the next start
            _forget_cancel()
            settled = self._settle(StepState.CANCELLED, error="The run was cancelled")
            return await self._broken_off(settled, is_in_doubt=self._has_acted)
        except LostRunError:
            raise  # the step is another orchestrator's now
        except MillwrightError as error:
            said = f"{error}. {error.hint}" if error.hint else str(error)
            failed = msgspec.structs.replace(
                self._settle(StepState.FAILED, error=said),
                jumps=error_leads_back(runner.plan, step),
            )
            return await self._broken_off(failed, is_in_doubt=isinstance(error, _DOUBTFUL))
        except Exception as error:  # a fault of ours fails the step, so that others are taken back
            logger.exception("Step %s of run %s failed by a fault", step.id, runner.run.id)
            failed = self._settle(StepState.FAILED, error=f"Fault of the app: {error!r}")
            return await self._broken_off(failed, is_in_doubt=True)
        return await self._loop(output, agent)

    async def _broken_off(self, settled: StepRun, *, is_in_doubt: bool) -> StepRun:
        """Say of a step that came to no good end what it has done all the same."""
        runner = self._runner
        runner.leave_alone()
        found = BrokenOff(runner, self._step, self._shown.round, self._wait)
        if self._step.for_each:
            settled = await found.settled_list(settled, self._unsure, is_known=True)
        elif is_in_doubt:
            settled = await found.settled(settled)
        return msgspec.structs.replace(settled, log=tuple(self._lines[-LOG_LINES:]))

    async def _keep(self, part: str, data: msgspec.Struct) -> None:
        key = slot(self._step.id, self._shown.round, part)
        await self._runner.keep(key, data)
        self._runner.slots[key] = msgspec.json.encode(data)

    @property
    def _kept(self) -> bytes | None:
        return self._runner.slots.get(slot(self._step.id, self._shown.round, "plan"))

    async def _computed(self, compute: Callable[[], T]) -> T:
        """Return what `compute` gives; just after a start of the app it waits for the plant.

        Raises:
            InputError: It cannot be computed.
        """
        while True:
            try:
                found = compute()
            except PlantSilentError as error:
                self._wait(str(error))
                await self._runner.clock.sleep(_SILENT_S)
            else:
                self._wait("")
                return found

    async def _loop(self, output: object, agent: str) -> StepRun:
        """Settle a step that is done; it may want to go back."""
        runner, step = self._runner, self._step
        done = self._settle(StepState.DONE, output=output, agent=agent)
        if step.goto is None:
            return done
        names = runner.names(step)
        seen: Any = names["steps"]
        seen[step.id] = {"state": "done", "output": output, "error": "", "round": done.round}
        try:
            when = step.goto.when
            wants = await self._computed(lambda: is_true(when, names, runner.functions))
        except InputError as error:
            return self._settle(StepState.FAILED, error=f"goto.when: {error}", output=output)
        bound = bound_reached(runner.plan, step) if wants else ""
        if bound:
            return self._settle(StepState.FAILED, error=bound, output=output)
        return msgspec.structs.replace(done, jumps=wants)

    async def _tries(self, names: dict[str, object]) -> tuple[object, str]:
        retry, attempt = self._step.retry, 1
        while True:
            self._shown = msgspec.structs.replace(self._shown, attempts=attempt)
            try:
                return await self._once(names, attempt)
            except (InputError, RefusedError, LostRunError):
                raise
            except MillwrightError as error:
                if attempt >= retry.attempts:
                    raise
                wait = retry.wait(attempt)
                self._log(f"Try {attempt} failed: {error}")
                self._wait(f"the next try, in {wait:g} s")
                await self._runner.clock.sleep(wait)
                self._wait("")
                attempt += 1

    async def _once(self, names: dict[str, object], attempt: int) -> tuple[object, str]:
        runner, step = self._runner, self._step
        if not plans_ahead(step):
            deadline = deadline_after(runner.clock.now(), timeout_of(step))
            done = await self._act(self._fields(names), deadline, "")
            return done.output, done.agent
        plan = await self._planned(names, attempt)
        if plan.items is None:
            fields = plan.fields[0] if plan.fields else self._fields(names)
            done = await self._act(fields, plan.deadline, "")
            return done.output, done.agent
        return await self._each(names, plan)

    async def _planned(self, names: dict[str, object], attempt: int) -> Plan:
        """Return deadline, elements and fields; they are kept, as a restart could change them.

        A further try does the elements of the first, as those that are done are known by place.
        """
        runner, step = self._runner, self._step
        kept = msgspec.json.decode(self._kept, type=Plan) if self._kept is not None else None
        if kept is not None and attempt == 1:
            self._shown = msgspec.structs.replace(
                self._shown, started_at=kept.began_at or self._shown.started_at
            )
            if step.do in _WAITS:
                return kept
            # the app may have been down for longer than the step may take: as without a for-each
            deadline = deadline_after(runner.clock.now(), timeout_of(step))
            return msgspec.structs.replace(kept, deadline=deadline)
        items = kept.items if kept else await self._computed(lambda: self._items(names))
        fields = await self._fields_of_all(names, items) if asks_plant(step) else None
        deadline = await self._computed(lambda: self._deadline(names))
        plan = Plan(deadline, items, fields, self._shown.started_at)
        await self._keep("plan", plan)
        return plan

    def _items(self, names: dict[str, object]) -> list[Any] | None:
        step = self._step
        if not step.for_each:
            return None
        return _elements(evaluate(bare(step.for_each), names, self._runner.functions))

    async def _fields_of_all(
        self, names: dict[str, object], items: list[Any] | None
    ) -> list[dict[str, Any]]:
        """Return the fields of the step, or of each element; the loop has its turn between two."""
        if items is None:
            return [await self._computed(lambda: self._fields(names))]
        found: list[dict[str, Any]] = []
        for index, item in enumerate(items):
            seen = element_names(names, index, item)
            found.append(await self._computed(partial(self._fields, seen)))
            await asyncio.sleep(0)
        return found

    def _deadline(self, names: dict[str, object]) -> datetime:
        runner, step = self._runner, self._step
        now, seconds = runner.clock.now(), timeout_of(step)
        if step.do is ActionKind.WAIT and not step.for_each:
            raw = {key: each for key, each in step.with_.items() if key not in _RAW}
            fields = fill(raw, names, runner.functions) | _moment(step.with_, names, runner)
            seconds = wait_s(fields, now, seconds)
        return deadline_after(now, seconds)

    def _fields(self, names: Mapping[str, object]) -> dict[str, Any]:
        step, functions = self._step, self._runner.functions
        raw = {key: each for key, each in step.with_.items() if key in _RAW}
        rest = {key: each for key, each in step.with_.items() if key not in _RAW}
        return {**fill(rest, names, functions), **raw}

    async def _each(self, names: dict[str, object], plan: Plan) -> tuple[object, str]:
        """Do the action for every element, `parallel` at once; each is kept as it is done."""
        runner, step = self._runner, self._step
        room, filling = asyncio.Semaphore(step.parallel), asyncio.Lock()
        items, acted, agents = plan.items or [], set[int](), dict[str, None]()
        broken = asyncio.Event()
        self._shown = msgspec.structs.replace(self._shown, input={"for_each": items})

        async def one(index: int, item: object) -> object:
            key = slot(step.id, self._shown.round, str(index))
            kept = runner.slots.get(key)
            if kept is not None:
                done = msgspec.json.decode(kept, type=Kept)
                agents[done.agent] = None
                return done.output
            async with room:
                if broken.is_set():  # no element begins once another has failed
                    return None
                try:
                    async with filling:  # one a turn of the loop: each may take 50 ms
                        seen = element_names(names, index, item)
                        fields = plan.fields[index] if plan.fields else self._fields(seen)
                        await asyncio.sleep(0)
                    done = await self._element(index, len(items), fields, plan.deadline)
                except Exception:
                    broken.set()
                    raise
            acted.add(index)
            agents[done.agent] = None
            await runner.keep(key, done)
            runner.slots[key] = msgspec.json.encode(done)
            self._unsure.discard(index)
            return done.output

        works = [asyncio.ensure_future(one(index, item)) for index, item in enumerate(items)]
        try:
            outputs = await asyncio.gather(*works)
        finally:
            for index, work in enumerate(works):
                if index not in acted:  # what is done is kept, so that it is not done again
                    work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
        return list(outputs), ", ".join(agents) or "app"

    async def _element(
        self, index: int, count: int, fields: dict[str, Any], deadline: datetime
    ) -> Kept:
        """Do the action for one element, and tell in the log how it went."""
        self._unsure.add(index)
        what = f"Element {index + 1} of {count}"
        try:
            done = await self._act(fields, deadline, f".{index}")
        except MillwrightError as error:
            if not isinstance(error, _DOUBTFUL):
                self._unsure.discard(index)
            self._log(f"{what} failed: {error}")
            raise
        self._log(f"{what} is done by {done.agent}")
        return Kept(done.output, done.agent)

    async def _act(self, fields: dict[str, Any], deadline: datetime, suffix: str) -> Done:
        runner, step = self._runner, self._step
        if not suffix:
            self._shown = msgspec.structs.replace(self._shown, input=fields)
            self._show()
        doing = Doing(
            run=runner.run,
            step=step,
            task_id=runner.task_id(step, self._shown.round) + suffix,
            deadline=deadline,
            waiting=self._wait,
            log=self._log,
            is_cancelled=lambda: bool(runner.cancelled),
            names=runner.names(step) if step.do is ActionKind.WAIT else {},
            approver=runner.approver(step),
            agreed=runner.agreed(step),
        )
        return await self._insist(fields, doing)

    async def _insist(self, fields: dict[str, Any], doing: Doing) -> Done:
        """Do the action; while the store is away it is asked again: ids make that harmless."""
        runner = self._runner
        self._has_acted = True
        while True:
            try:
                return await runner.actions.do(doing.step.do, fields, doing)
            except StoreError as error:
                if _is_being_cancelled():  # it came while the error did, and must not be lost
                    raise asyncio.CancelledError from error
                if runner.clock.now() >= doing.deadline:
                    raise
                self._wait(f"the store: {error}")
                await runner.clock.sleep(_STORE_S)
                self._wait("")

    def _settle(
        self, state: StepState, *, output: object = None, error: str = "", agent: str = ""
    ) -> StepRun:
        return msgspec.structs.replace(
            self._shown,
            state=state,
            waiting_for="",
            output=output,
            error=error,
            agent=agent,
            ended_at=self._runner.clock.now(),
            log=tuple(self._lines[-LOG_LINES:]),
        )

    def _wait(self, what: str) -> None:
        if what == self._shown.waiting_for:
            return
        if what:
            self._log(f"Waits for {what}")
        state = StepState.WAITING if what else StepState.RUNNING
        self._shown = msgspec.structs.replace(self._shown, state=state, waiting_for=what)
        self._show()

    def _log(self, text: str) -> None:
        self._lines.append(LogLine(self._runner.clock.now(), text))

    def _show(self) -> None:
        lines = tuple(self._lines[-LOG_LINES:])
        self._shown = msgspec.structs.replace(self._shown, log=lines)
        self._runner.show(self._shown)


def _forget_cancel() -> None:
    # the task goes on with the steps that come next, which are told by the plan
    if task := asyncio.current_task():
        task.uncancel()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def plans_ahead(step: Step) -> bool:
    """Tell whether a step notes on disk what it is about to do."""
    return (
        bool(step.for_each) or step.do in _WAITS or step.compensate is not None or asks_plant(step)
    )


def asks_plant(step: Step) -> bool:
    """Tell whether what a step does depends on the plant as it is at its beginning."""
    used = [
        *expressions(step.with_),
        *(each for each in (bare(step.for_each), bare(step.when)) if each),
    ]
    return any(called(each) & set(PLANT_FUNCTIONS) for each in used)


def _elements(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InputError(f"for_each: gives {type(value).__name__} and no list")
    items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]  JSON values
    if len(items) > EVERY:
        raise InputError(f"for_each: {len(items)} elements; at most {EVERY}")
    return items


def _moment(
    fields: Mapping[str, Any], names: Mapping[str, object], runner: "Runner"
) -> dict[str, object]:
    """Return `until` if it is a time; a condition is looked at while the step waits."""
    until = fields.get("until")
    if not isinstance(until, str):
        return {}
    try:
        return {"until": str(fill(until, names, runner.functions))}
    except InputError:
        return {"until": until}

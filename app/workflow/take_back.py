"""Takes steps back that a run has done before it failed or was cancelled."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from app.core.actor import COMPENSATION, Actor, Role
from app.core.errors import InputError, MillwrightError, StoreError
from app.core.expression import fill
from app.core.run import StepRun, StepState
from app.core.workflow import ActionKind, Undo
from app.store.runs import LostRunError
from app.workflow.actions import FinalError, RefusedError, UncertainError
from app.workflow.change import Change, change_of, gives_back
from app.workflow.context import Doing, PlantSilentError
from app.workflow.elements import Elements, element_names
from app.workflow.wait_time import deadline_after

if TYPE_CHECKING:
    from app.workflow.runner import Runner

logger = logging.getLogger(__name__)

DONE = "done"
UNDO_AGAIN_S = 3.0
"""Between two tries to take a step back."""
_SILENT_S = 1.0


class _Wrong(NamedTuple):
    """Why a step was not taken back by one try."""

    said: str
    is_tried_again: bool = False
    is_refused: bool = False


class TakeBack:
    """The taking back of one step in one round; of a for-each, of its elements, the last first."""

    def __init__(self, runner: "Runner", settled: StepRun) -> None:
        step = runner.workflow.step(settled.step)
        if step.compensate is None:
            raise AssertionError("only steps that can be taken back are")
        self._runner = runner
        self._settled = settled
        self._step = step
        self._undo: Undo = step.compensate
        self._waited = ""
        # what a later round of a loop gave is no business of an earlier one
        self._names = {**runner.names(step), "steps": runner.plan.values_at(settled)}

    async def go(self) -> str:
        """Return "done", or why it is not taken back, or not all of it."""
        task_id = self._runner.task_id(self._step, self._settled.round)
        if not self._step.for_each:
            return await self._one(self._names, self._settled.output, task_id)
        elements = Elements(self._runner.slots, self._step.id, self._settled.round)
        wrong: list[str] = []
        given = elements.unsure | elements.outputs
        for index, output in sorted(given.items(), reverse=True):
            seen = element_names(self._seen(output), index, elements.items[index])
            said = await self._one(seen, output, f"{task_id}.{index}")
            if said != DONE:
                wrong.insert(0, f"element {index + 1}: {said}")
        if self._settled.state is StepState.CANCELLED and not elements.is_all_known:
            wrong.append("nobody can say which further elements had begun")
        return "; ".join(wrong) or DONE

    def _seen(self, output: object) -> dict[str, object]:
        """Return the names with what one element gave as the output of its step."""
        steps: Any = self._names["steps"]
        own = {**steps[self._step.id], "output": output}
        return {**self._names, "steps": {**steps, self._step.id: own}}

    async def _one(self, names: Mapping[str, object], output: object, task_id: str) -> str:
        """Take back once; what is refused is asked for again until its time is up.

        A tag may ask for some seconds between two commands, which a quick failure does not leave.
        While a store is away the same is asked again: ids make that harmless.
        """
        clock, number = self._runner.clock, 1
        end_s = clock.monotonic() + self._undo.timeout_s  # whatever the clock is set to meanwhile
        while True:
            again = f".{number}" if number > 1 else ""
            deadline = deadline_after(clock.now(), end_s - clock.monotonic())
            wrong = await self._wrong(names, output, f"{task_id}.undo{again}", deadline)
            if wrong is None:
                return DONE
            if not wrong.is_tried_again or clock.monotonic() + UNDO_AGAIN_S >= end_s:
                return f"not taken back: {wrong.said}"
            number += wrong.is_refused
            self._wait(wrong.said)
            await clock.sleep(UNDO_AGAIN_S)

    async def _wrong(
        self, names: Mapping[str, object], output: object, task_id: str, deadline: datetime
    ) -> _Wrong | None:
        """Take back once; return what went wrong, None if nothing did."""
        try:
            await self._act(names, output, task_id, deadline)
        except LostRunError:
            raise
        except StoreError as error:
            return _Wrong(f"the store: {error}", is_tried_again=True)
        except RefusedError as error:
            is_final = isinstance(error, FinalError | UncertainError)
            is_tried = self._undo.do is ActionKind.COMMAND and not is_final
            return _Wrong(str(error), is_tried_again=is_tried, is_refused=True)
        except TimeoutError:
            return _Wrong(self._too_long())
        except MillwrightError as error:
            return _Wrong(str(error) or type(error).__name__)
        except Exception as error:  # a fault of ours must not keep others from being taken back
            logger.exception("Step %s of run %s stays", self._step.id, self._runner.run.id)
            return _Wrong(f"fault of the app: {error!r}")
        return None

    async def _act(
        self, names: Mapping[str, object], output: object, task_id: str, deadline: datetime
    ) -> None:
        left_s = (deadline - self._runner.clock.now()).total_seconds()
        async with asyncio.timeout(max(left_s, 0.0)):
            fields = await self._fields(names)
            doing = await self._doing(fields, output, task_id, deadline)
            await self._runner.actions.do(self._undo.do, fields, doing)

    def _too_long(self) -> str:
        waited = f"; it waited for {self._waited}" if self._waited else ""
        return f"it took longer than {self._undo.timeout_s:g} s{waited}"

    async def _doing(
        self, fields: Mapping[str, Any], output: object, task_id: str, deadline: datetime
    ) -> Doing:
        runner = self._runner
        return Doing(
            run=runner.run,
            step=self._step,
            task_id=task_id,
            deadline=deadline,
            waiting=self._wait,
            log=lambda _: None,
            is_cancelled=lambda: False,
            approver=await self._approver(fields, output),
            agreed=runner.agreed(self._step),
        )

    async def _approver(self, fields: Mapping[str, Any], output: object) -> Actor | None:
        """Return whose word counts for the undo: of a command, that of its step if nothing else.

        Whoever agreed to the change wants the tag as it was before, if all else fails; but nobody
        has agreed to undo what others have set since.
        """
        agreed = self._runner.approver(self._step)
        if ActionKind.COMMAND not in {self._undo.do} & {self._step.do}:
            return agreed
        change = change_of(output)
        if change is not None and change.tag != fields.get("tag"):
            return agreed
        if change is None or not await self._stands(change):
            return None
        if gives_back(fields, change):
            return Actor(COMPENSATION, "workflow", Role(self._runner.run.role))
        return agreed

    async def _stands(self, change: Change) -> bool:
        """Tell whether the tag shows what the step has set, or what it was before."""
        tag = self._runner.functions.get("tag")
        while tag is not None:
            try:
                shown = tag(change.tag)
            except PlantSilentError:
                await self._runner.clock.sleep(_SILENT_S)
            except InputError:  # nobody can tell
                return False
            else:
                return change.is_shown(shown)
        return False

    def _wait(self, what: str) -> None:
        self._waited = what
        if what:
            self._runner.wait_for(f"taking {self._step.id} back: {what}")

    async def _fields(self, names: Mapping[str, object]) -> dict[str, Any]:
        while True:
            try:
                fields: dict[str, Any] = fill(self._undo.with_, names, self._runner.functions)
            except PlantSilentError:
                await self._runner.clock.sleep(_SILENT_S)
            else:
                return fields


def said_of(kept: bytes) -> str:
    """Return how the taking back of a step ended, from what is kept of it."""
    said: str = msgspec.json.decode(kept)["said"]
    return said

"""Takes steps back that a run has done before it failed or was cancelled."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.core.actor import Actor, Role
from app.core.errors import MillwrightError
from app.core.expression import fill
from app.core.run import StepRun, StepState
from app.core.workflow import ActionKind, Undo
from app.store.runs import LostRunError
from app.workflow.actions import RefusedError, UncertainError, deadline_after
from app.workflow.context import Doing, PlantSilentError
from app.workflow.elements import Elements, element_names

if TYPE_CHECKING:
    from app.workflow.runner import Runner

logger = logging.getLogger(__name__)

DONE = "done"
UNDO_AGAIN = timedelta(seconds=3)
"""Between two tries to take a step back."""
_SILENT_S = 1.0


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
        # what a later round of a loop gave is no business of an earlier one
        self._names = {**runner.names(step), "steps": runner.plan.values_at(settled)}

    async def go(self) -> str:
        """Return "done", or why it is not taken back, or not all of it."""
        task_id = self._runner.task_id(self._step, self._settled.round)
        if not self._step.for_each:
            return await self._one(self._names, self._settled.output, task_id)
        elements = Elements(self._runner.slots, self._step.id, self._settled.round)
        wrong: list[str] = []
        for index in sorted(elements.outputs.keys() | elements.unsure, reverse=True):
            output = elements.outputs.get(index)
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
        """
        runner, undo = self._runner, self._undo
        deadline, number = deadline_after(runner.clock.now(), undo.timeout_s), 0
        while True:
            number += 1
            try:
                async with asyncio.timeout(undo.timeout_s):
                    fields = await self._fields(names)
                    again = f".{number}" if number > 1 else ""
                    doing = self._doing(fields, output, f"{task_id}.undo{again}", deadline)
                    await runner.actions.do(undo.do, fields, doing)
            except LostRunError:
                raise
            except RefusedError as error:
                is_tried = undo.do is ActionKind.COMMAND and not isinstance(error, UncertainError)
                if is_tried and runner.clock.now() + UNDO_AGAIN < deadline:
                    await runner.clock.sleep(UNDO_AGAIN.total_seconds())
                    continue
                return f"not taken back: {error}"
            except (MillwrightError, TimeoutError) as error:
                return f"not taken back: {error or 'it took too long'}"
            except Exception as error:  # a fault of ours must not keep others from being taken back
                logger.exception("Step %s of run %s stays", self._step.id, runner.run.id)
                return f"not taken back: fault of the app: {error!r}"
            else:
                return DONE

    def _doing(
        self, fields: Mapping[str, Any], output: object, task_id: str, deadline: datetime
    ) -> Doing:
        runner = self._runner
        approver = runner.approver(self._step)
        if self._undo.do is ActionKind.COMMAND and gives_back(fields, output):
            # whoever agreed to the change wants the tag as it was before, if all else fails
            approver = Actor("compensation", "workflow", Role(runner.run.role))
        return Doing(
            run=runner.run,
            step=self._step,
            task_id=task_id,
            deadline=deadline,
            waiting=self._wait,
            log=lambda _: None,
            is_cancelled=lambda: False,
            approver=approver,
        )

    def _wait(self, what: str) -> None:
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


def gives_back(fields: Mapping[str, Any], output: object) -> bool:
    """Tell whether a command sets a tag to what it was before the command that gave `output`."""
    match output:
        case {"tag": str() as tag, "before": int() | float() as before}:
            return fields.get("tag") == tag and _is_number(fields.get("value"), before)
        case _:
            return False


def _is_number(value: object, wanted: float) -> bool:
    try:
        return float(str(value)) == wanted
    except ValueError:
        return False


def said_of(kept: bytes) -> str:
    """Return how the taking back of a step ended, from what is kept of it."""
    said: str = msgspec.json.decode(kept)["said"]
    return said

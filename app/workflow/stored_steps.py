"""What became of the steps of a run, read from what is certain of it."""

from collections.abc import Mapping

import msgspec

from app.core.errors import NotFoundError
from app.core.run import StepRun, StepState
from app.core.step_order import descendants
from app.core.workflow import Workflow


def stored_steps(workflow: Workflow, slots: Mapping[str, bytes]) -> tuple[StepRun, ...]:
    """Return all steps of a run from what is certain of it, those not reached as pending."""
    order = {step.id: place for place, step in enumerate(workflow.steps)}
    found = [
        msgspec.json.decode(data, type=StepRun)
        for slot, data in slots.items()
        if slot.count(".") == 1
    ]
    undone = {
        slot.removesuffix(".undo"): data for slot, data in slots.items() if slot.endswith(".undo")
    }
    shown = [
        msgspec.structs.replace(each, compensation=msgspec.json.decode(undone[mark])["said"])
        if (mark := f"{each.step}.{each.round}") in undone
        else each
        for each in found
    ]
    reached = {each.step for each in shown}
    shown += [StepRun(step.id) for step in workflow.steps if step.id not in reached]
    return tuple(sorted(shown, key=lambda each: (each.round, order.get(each.step, 0))))


def carried_steps(slots: Mapping[str, bytes], workflow: Workflow, step: str) -> list[StepRun]:
    """Return what is taken over when a run is repeated from a step: all that does not follow it.

    Raises:
        NotFoundError: The definition has no such step.
    """
    if step not in {each.id for each in workflow.steps}:
        raise NotFoundError(f'Workflow "{workflow.name}" has no step "{step[:80]}"')
    again = {step, *descendants(workflow, step)}
    latest: dict[str, StepRun] = {}
    for each in stored_steps(workflow, slots):
        is_done = each.state in {StepState.DONE, StepState.SKIPPED}
        if is_done and each.step not in again and not each.compensation:
            latest[each.step] = each
    known = {each.id for each in workflow.steps}
    return [
        msgspec.structs.replace(each, round=1, carried=True, jumps=False)
        for name, each in latest.items()
        if name in known
    ]

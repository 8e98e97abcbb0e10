"""What became of the steps of a run, read from what is certain of it."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from app.core.errors import ConflictError, NotFoundError
from app.core.run import SETTLED, StepRun, StepState
from app.core.run_plan import RunPlan
from app.core.step_order import descendants
from app.core.workflow import Workflow
from app.workflow.take_back import DONE


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


def carried_steps(
    slots: Mapping[str, bytes], was: Workflow, workflow: Workflow, step: str
) -> list[StepRun]:
    """Return what is taken over when a run is repeated from a step: all that does not follow it.

    A failure that the run went past by `on_error` is an outcome like others. What a loop was to do
    again is not taken over, nor is what was taken back; what could not be taken back is, since it
    still stands.

    Args:
        slots: What is certain of the old run.
        was: Definition it went by.
        workflow: Definition that the new run goes by.
        step: Where the new run begins.

    Raises:
        NotFoundError: The definition has no such step.
        ConflictError: A step that was done is not in the definition any more; under another name
            it would be done a second time. Or of a for-each only a part was taken back.
    """
    known = {each.id for each in workflow.steps}
    if step not in known:
        raise NotFoundError(f'Workflow "{workflow.name}" has no step "{step[:80]}"')
    again = {step, *descendants(workflow, step)}
    if step in {each.id for each in was.steps}:
        again |= descendants(was, step) - known
    before, after = RunPlan(was), RunPlan(workflow)
    before.restore(each for each in stored_steps(was, slots) if each.state in SETTLED)
    latest = [
        each
        for name in (each.id for each in was.steps if each.id not in again)
        if (each := before.current(name)) and not each.jumps and each.compensation != DONE
    ]
    _check_gone(latest, known, workflow.name)
    taken = [each for each in latest if each.step in known and after.goes_past(each)]
    _check_halves(taken, was)
    return [msgspec.structs.replace(each, round=1, carried=True, compensation="") for each in taken]


def _check_gone(latest: Iterable[StepRun], known: Collection[str], name: str) -> None:
    gone = sorted(
        each.step for each in latest if each.state is StepState.DONE and each.step not in known
    )
    if gone:
        said = ", ".join(f'"{each}"' for each in gone)
        raise ConflictError(
            f'What {said} gave cannot be taken over: it is not in "{name}" any more',
            "Repeat the run from its start, or by the definition that it had",
        )


def _check_halves(taken: Iterable[StepRun], was: Workflow) -> None:
    for each in taken:
        if each.compensation and was.step(each.step).for_each:
            raise ConflictError(
                f'What "{each.step}" did was not taken back as a whole: {each.compensation}',
                f'Repeat the run from "{each.step}" or from its start',
            )

"""What a run would do: every step with what it would send, and nothing sent."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from app.core.clock import Clock
from app.core.errors import InputError
from app.core.expression import bare, evaluate, fill, is_true
from app.core.run import LogLine, RunState, StartedBy, StepRun, StepState, WorkflowRun
from app.core.step_order import needs_order
from app.core.workflow import Step, Workflow

_UNKNOWN = "?"


class _Unknown(dict[str, Any]):
    """Stands for an output nobody has yet: every key of it is unknown, too."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  as a dict of JSON values
        return _Unknown()

    def __repr__(self) -> str:
        return _UNKNOWN


def dry_run(
    workflow: Workflow,
    version: str,
    given: dict[str, Any],
    *,
    key: str,
    by: StartedBy,
    functions: Mapping[str, Callable[..., object]],
    clock: Clock,
) -> WorkflowRun:
    """Return a run in which each step says what it would do.

    What depends on the output of a step is not known and stands as `?`; a step whose condition
    depends on it is shown as one that would be done.
    """
    steps: dict[str, StepRun] = {}
    values: dict[str, Any] = {
        step.id: {"state": "done", "output": _Unknown(), "error": "", "round": 1}
        for step in workflow.steps
    }
    now = clock.now()
    names = {
        "input": given,
        "steps": values,
        "trigger": {},
        "run": {"id": "dry", "workflow": workflow.name, "key": key, "started_at": now.isoformat()},
    }
    for step in needs_order(workflow):
        steps[step.id] = _would(step, names, functions, clock)
        if steps[step.id].state is StepState.SKIPPED:
            values[step.id] = {"state": "skipped", "output": None, "error": "", "round": 1}
    ordered = tuple(steps[step.id] for step in workflow.steps)
    failed = [each for each in ordered if each.state is StepState.FAILED]
    return WorkflowRun(
        id="dry-run",
        workflow=workflow.name,
        version=version,
        state=RunState.FAILED if failed else RunState.COMPLETED,
        started_at=now,
        ended_at=now,
        input=given,
        key=key,
        started_by=by,
        reason=f"{failed[0].step}: {failed[0].error}" if failed else "",
        steps=ordered,
        is_dry=True,
    )


def _would(
    step: Step,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
    clock: Clock,
) -> StepRun:
    now = clock.now()
    notes: list[str] = []
    shown = StepRun(step.id, state=StepState.DONE, started_at=now, ended_at=now)
    if step.when and not _holds(step.when, names, functions, notes):
        return _with(shown, notes, clock, state=StepState.SKIPPED)
    seen = dict(names)
    if step.for_each:
        items = _try(bare(step.for_each), names, functions, notes)
        if isinstance(items, list):
            notes.append(f"For each of {len(items)} elements")  # pyright: ignore[reportUnknownArgumentType]  JSON
        seen |= {"item": _Unknown(), "index": 0}
    fields = {key: _filled(each, seen, functions, notes) for key, each in step.with_.items()}
    return _with(shown, notes, clock, input=fields)


def _holds(
    when: str,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
    notes: list[str],
) -> bool:
    if "steps" in when:
        notes.append(f"Only if {bare(when)}")
        return True
    try:
        return is_true(when, names, functions)
    except InputError as error:
        notes.append(str(error))
        return True


def _try(
    expression: str,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
    notes: list[str],
) -> object:
    try:
        return evaluate(expression, names, functions)
    except InputError as error:
        if "steps" not in expression:
            notes.append(str(error))
        return _UNKNOWN


def _filled(
    value: object,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
    notes: list[str],
) -> object:
    match value:
        case dict():
            pairs = cast("dict[str, object]", value)  # a JSON object
            return {key: _filled(each, names, functions, notes) for key, each in pairs.items()}
        case list():
            items = cast("list[object]", value)  # a JSON list
            return [_filled(each, names, functions, notes) for each in items]
        case str() if "${" in value and "steps" in value:
            return value  # shown as it stands: what it becomes is not known before the run
        case _:
            try:
                return fill(value, names, functions)
            except InputError as error:
                notes.append(str(error))
                return value


def _with(
    shown: StepRun,
    notes: list[str],
    clock: Clock,
    *,
    state: StepState = StepState.DONE,
    input: object = None,
) -> StepRun:
    lines = tuple(LogLine(clock.now(), note) for note in notes)
    return StepRun(
        shown.step,
        state=state,
        input=input,
        started_at=shown.started_at,
        ended_at=shown.ended_at,
        agent="dry run",
        log=lines,
    )

"""What a run would do: every step with what it would send, and nothing sent.

A step fails here where its run would surely fail by it, as things are now. What depends on a result
that nobody has yet, or on a tag without a good value, is not known and stands as `?`.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from app.core.actor import Role
from app.core.clock import Clock
from app.core.errors import InputError, MillwrightError
from app.core.expression import bare
from app.core.run import LogLine, RunState, StartedBy, StepRun, StepState, WorkflowRun
from app.core.run_plan import RunPlan
from app.core.step_order import ancestors, needs_order
from app.core.workflow import EVERY, ActionKind, Step, Workflow
from app.workflow.dry_checks import Around, Trial, judge
from app.workflow.dry_values import Function, Known, UnknownError, Values, asking, plain

ELEMENTS = 20
"""Elements of a for-each that are looked at."""

_ELEMENT = frozenset({"item", "index"})
_RAW = "until"


async def dry_run(
    workflow: Workflow,
    version: str,
    given: dict[str, Any],
    *,
    key: str,
    by: StartedBy,
    role: Role,
    functions: Mapping[str, Function],
    around: Around,
    clock: Clock,
) -> WorkflowRun:
    """Return a run in which each step says what it would do.

    A step whose condition is not known is shown as one that would be done. What comes after a step
    that would end the run is not reached; what stands beside it is looked at all the same.
    """
    now = clock.now()
    run = WorkflowRun(
        id="dry-run",
        workflow=workflow.name,
        version=version,
        state=RunState.COMPLETED,
        started_at=now,
        ended_at=now,
        input=given,
        key=key,
        started_by=by,
        role=role.value,
        is_dry=True,
    )
    trial = _DryRun(workflow, run, functions, around, clock)
    for step in needs_order(workflow):
        await trial.look(step)
    return trial.result()


class _DryRun:
    """The steps of one dry run, in the order of their needs."""

    def __init__(
        self,
        workflow: Workflow,
        run: WorkflowRun,
        functions: Mapping[str, Function],
        around: Around,
        clock: Clock,
    ) -> None:
        self._workflow = workflow
        self._run = run
        self._around = around
        self._clock = clock
        self._functions = asking(functions, lambda path: around.look(path).tag)
        self._plan = RunPlan(workflow)
        self._steps: dict[str, StepRun] = {}
        self._ending: dict[str, StepRun] = {}
        self._known = Known()
        self._tags: dict[str, list[str]] = {}

    def result(self) -> WorkflowRun:
        """Return the run with its steps, in the order of the definition."""
        first = next(iter(self._ending.values()), None)
        return msgspec.structs.replace(
            self._run,
            state=RunState.FAILED if first else RunState.COMPLETED,
            reason=f"{first.step}: {first.error}" if first else "",
            steps=tuple(self._steps[step.id] for step in self._workflow.steps),
        )

    async def look(self, step: Step) -> None:
        """See what would become of a step."""
        notes: list[str] = []
        shown = self._fate(step, notes) or await self._would(step, notes)
        now = self._clock.now()
        lines = tuple(LogLine(now, note) for note in dict.fromkeys(notes))
        shown = msgspec.structs.replace(
            shown, started_at=now, ended_at=now, agent="dry run", log=lines
        )
        self._steps[step.id] = shown
        self._plan.settle(self._settled(step, shown))

    def _settled(self, step: Step, shown: StepRun) -> StepRun:
        """Return a step as the plan takes it; one that ends the run does not end the dry run."""
        is_back = self._plan.has_way_back(step.id)
        if shown.state is StepState.FAILED and (step.on_error == "fail" or is_back):
            self._ending[step.id] = shown
            return msgspec.structs.replace(shown, state=StepState.CANCELLED)
        return shown

    def _fate(self, step: Step, notes: list[str]) -> StepRun | None:
        """Return how a step ends that is not done, None if it would be."""
        before = ancestors(self._workflow, step.id)
        ending = next((name for name in self._ending if name in before), "")
        if ending:
            return StepRun(step.id, state=StepState.CANCELLED, error=f"{ending} failed")
        if self._plan.verdict(step) is None:
            return None
        callers = [each.id for each in self._workflow.steps if each.handler == step.id]
        notes.append(
            f"Only after an error of {', '.join(callers)}"
            if callers
            else "All that it needs is skipped"
        )
        return StepRun(step.id, state=StepState.SKIPPED)

    async def _would(self, step: Step, notes: list[str]) -> StepRun:
        values, given, where = self._values({}), list[object](), ""
        state, said = StepState.DONE, ""
        try:
            if not self._holds(step.when, "Only if", values, notes):
                return self._certain(StepRun(step.id, state=StepState.SKIPPED))
            for place, seen in self._elements(step, values, notes):
                where = place
                await asyncio.sleep(0)  # one a turn of the loop: each may take 50 ms
                fields = _fields(step, seen, notes)
                given.append(plain(fields))
                notes += judge(fields, self._trial(step, seen, fields))
            where = "goto.when: "
            self._go_back(step, values, notes)
        except MillwrightError as error:
            state = StepState.FAILED
            said = f"{where}{error}. {error.hint}" if error.hint else f"{where}{error}"
        shown = given if step.for_each else next(iter(given), None)
        would = StepRun(step.id, state=state, input=shown, error=said)
        return would if state is StepState.DONE else self._certain(would)

    def _certain(self, shown: StepRun) -> StepRun:
        """Let later expressions see what is certain of a step: it gives nothing."""
        state = shown.state.value
        about = {"state": state, "output": None, "error": shown.error, "round": 1, "agent": ""}
        self._known[shown.step] = about
        return shown

    def _values(self, more: dict[str, object], unknown: frozenset[str] = frozenset()) -> Values:
        run = self._run
        about = {
            "id": "dry",
            "workflow": run.workflow,
            "key": run.key,
            "started_at": run.started_at.isoformat(),
            "started_by": run.started_by.name,
        }
        event: dict[str, object] = Known() if self._workflow.triggers else {}
        names = {"input": run.input, "steps": self._known, "run": about, "trigger": event}
        return Values({**names, **more}, self._functions, unknown)

    def _holds(self, condition: str, words: str, values: Values, notes: list[str]) -> bool:
        try:
            return values.holds(condition)
        except UnknownError as error:
            notes.append(f"{words} {bare(condition)}")
            notes.extend(filter(None, [str(error)]))
            return True

    def _elements(
        self, step: Step, values: Values, notes: list[str]
    ) -> Iterator[tuple[str, Values]]:
        """Yield what expressions see in a step, or in each element of its for-each, and its place.

        Raises:
            InputError: The for-each gives no list.
        """
        if not step.for_each:
            yield "", values
            return
        try:
            items = _listed(values.value(step.for_each))
        except UnknownError as error:
            notes.append(f"For each of {bare(step.for_each)}")
            notes.extend(filter(None, [str(error)]))
            yield "", self._values({}, _ELEMENT)
            return
        looked = f"; the first {ELEMENTS} are looked at" if len(items) > ELEMENTS else ""
        notes.append(f"For each of {len(items)} elements{looked}")
        for index, item in enumerate(items[:ELEMENTS]):
            yield f"Element {index}: ", self._values({"item": item, "index": index})

    def _trial(self, step: Step, values: Values, fields: Mapping[str, Any]) -> Trial:
        changed = [
            tag for name in ancestors(self._workflow, step.id) for tag in self._tags.get(name, ())
        ]
        if step.do is ActionKind.COMMAND:
            changed += self._tags.get(step.id, [])  # by the elements before this one
            self._tags.setdefault(step.id, []).append(cast("str", fields["tag"]))
        role = Role(self._run.role)
        now, tags = self._clock.now(), frozenset(changed)
        return Trial(self._workflow, step, role, self._around, values, now, tags)

    def _go_back(self, step: Step, values: Values, notes: list[str]) -> None:
        if step.goto is None:
            return
        if self._holds(step.goto.when, "Its loop goes back only if", values, notes):
            notes.append(f"It would go back to {step.goto.step}, at most {step.goto.max} times")


def _fields(step: Step, values: Values, notes: list[str]) -> dict[str, Any]:
    rest = {name: each for name, each in step.with_.items() if name != _RAW}
    raw = {name: each for name, each in step.with_.items() if name == _RAW}
    return {**values.fields(rest, notes), **raw}


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise InputError(f"for_each: gives {type(value).__name__} and no list")
    items = cast("Sequence[object]", value)  # JSON
    if len(items) > EVERY:
        raise InputError(f"for_each: {len(items)} elements; at most {EVERY}")
    return items

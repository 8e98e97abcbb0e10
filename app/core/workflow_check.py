"""Judges a definition before it may run: every problem at once, each with its place."""

from collections.abc import Iterator

from app.core.action_check import check_role
from app.core.expression_check import Scope, check_value
from app.core.step_check import Place, check_step, within
from app.core.step_order import ancestors, cycle, loop_body
from app.core.trigger_check import check_trigger
from app.core.workflow import ActionKind, Input, InputKind, Workflow
from app.core.workflow_entry import Problem, Severity
from app.core.workflow_input import checked_input, misfit
from app.core.workflow_names import FILE_RULE, RULE, is_device, is_name

__all__ = ["check", "checked_input"]

STEPS = 200
INPUTS = 50
TRIGGERS = 50

_NUMBERS = frozenset({InputKind.NUMBER, InputKind.INTEGER})
_NAMES = frozenset({"input", "steps", "run", "trigger"})


def check(workflow: Workflow) -> list[Problem]:
    """Return what is wrong with a definition, in the order of its parts; lines are 0."""
    return [
        *_check_head(workflow),
        *_check_inputs(workflow),
        *_check_triggers(workflow),
        *_check_steps(workflow),
    ]


def _check_head(workflow: Workflow) -> Iterator[Problem]:
    if not is_name(workflow.name):
        yield Problem(0, "name", f'"{workflow.name[:80]}" is no name of a workflow', RULE)
    if is_device(workflow.name):
        yield Problem(0, "name", f'"{workflow.name}" cannot be the name of a workflow', FILE_RULE)
    yield from check_role(workflow.role, "role")
    yield from within(workflow.runs.max, 1, 1000, "runs.max")
    yield from within(workflow.runs.queue, 0, 10_000, "runs.queue")
    scope = Scope(frozenset({"input", "trigger"}), set(workflow.inputs), set(), set())
    yield from check_value(workflow.runs.key, scope, "runs.key")


def _check_inputs(workflow: Workflow) -> Iterator[Problem]:
    yield from _check_count(len(workflow.inputs), INPUTS, "inputs")
    for name, field in workflow.inputs.items():
        where = f"inputs.{name}"
        if not is_name(name):
            yield Problem(0, where, f'"{name}" is no name of an input', RULE)
        yield from _check_input(field, where)


def _check_input(field: Input, where: str) -> Iterator[Problem]:
    if field.kind is InputKind.CHOICE and not field.choices:
        yield Problem(0, where, "A choice needs choices", 'choices = ["one", "other"]')
    if field.choices and field.kind is not InputKind.CHOICE:
        yield Problem(0, f"{where}.choices", f"Only a choice has choices, not {field.kind}")
    if len(set(field.choices)) < len(field.choices):
        yield Problem(0, f"{where}.choices", "The same choice stands here twice")
    for bound in ("low", "high", "unit"):
        if getattr(field, bound) not in {None, ""} and field.kind not in _NUMBERS:
            yield Problem(0, f"{where}.{bound}", f"Only a number has {bound}, not {field.kind}")
    if field.low is not None and field.high is not None and field.low > field.high:
        yield Problem(0, f"{where}.low", f"low {field.low:g} is over high {field.high:g}")
    if field.default is not None and (wrong := misfit(field, field.default)):
        yield Problem(0, f"{where}.default", f"The default {wrong}")


def _check_triggers(workflow: Workflow) -> Iterator[Problem]:
    yield from _check_count(len(workflow.triggers), TRIGGERS, "triggers")
    if len(workflow.triggers) > TRIGGERS:
        return
    for index, trigger in enumerate(workflow.triggers):
        yield from check_trigger(workflow, trigger, f"triggers[{index}]")


def _check_steps(workflow: Workflow) -> Iterator[Problem]:
    if not workflow.steps:
        yield Problem(0, "steps", "The workflow has no steps", "Add [[steps]] with id and do")
    yield from _check_count(len(workflow.steps), STEPS, "steps")
    if len(workflow.steps) > STEPS:  # to look at each would take minutes
        return
    names = [step.id for step in workflow.steps]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem(0, f"steps[{index}].id", f'There are two steps "{name}"', "Rename one")
    circle = cycle(workflow)
    if circle:
        last, first = circle[-2], circle[-1]
        is_needed = last in workflow.step(first).needs
        yield Problem(
            0,
            f"steps[{names.index(first)}].needs"
            if is_needed
            else f"steps[{names.index(last)}].on_error",
            f"Steps follow each other in a circle: {' → '.join(circle)}",
            "Remove one of these needs; to go back use goto",
        )
    yield from _check_each(workflow, is_ordered=not circle)
    yield from _check_own_run(workflow)


def _check_each(workflow: Workflow, *, is_ordered: bool) -> Iterator[Problem]:
    scope = Scope(_NAMES, set(workflow.inputs), set(), {step.id for step in workflow.steps})
    before = {step.id: ancestors(workflow, step.id) for step in workflow.steps if is_ordered}
    bodies = [loop_body(workflow, step) for step in workflow.steps if step.goto and is_ordered]
    for index, step in enumerate(workflow.steps):
        loop = frozenset[str]().union(*(body for body in bodies if step.id in body))
        place = Place(f"steps[{index}]", before.get(step.id), loop, scope)
        yield from check_step(workflow, step, place)


def _check_own_run(workflow: Workflow) -> Iterator[Problem]:
    for index, step in enumerate(workflow.steps):
        is_own = step.do is ActionKind.WORKFLOW and step.with_.get("name") == workflow.name
        if is_own and not step.when.strip():
            yield Problem(
                0,
                f"steps[{index}].with.name",
                "The workflow runs itself without end",
                "Give the step a when, or loop with goto",
                Severity.WARNING,
            )


def _check_count(count: int, most: int, where: str) -> Iterator[Problem]:
    if count > most:
        yield Problem(0, where, f"There are {count} {where}; at most {most} are allowed")

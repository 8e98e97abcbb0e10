"""Judges one step of a workflow beside the others."""

from collections.abc import Iterator, Mapping, Set
from typing import NamedTuple

from app.core.action_check import YEAR_S, check_action
from app.core.command_approval import LONGEST_S
from app.core.errors import InputError
from app.core.expression import bare, evaluate, expressions
from app.core.expression_check import Scope, check_condition
from app.core.near import near_miss
from app.core.workflow import ActionKind, Step, Workflow, timeout_of
from app.core.workflow_entry import Problem, Severity
from app.core.workflow_names import RULE, is_name

ATTEMPTS = 20
PARALLEL = 50
LOOPS = 1000
EXPRESSIONS_LENGTH = 20_000
"""Characters of all expressions in the inputs of one step; reading them takes 10 ms."""

_DAY_S = 86_400.0
_NOT_TRIED_AGAIN = {
    ActionKind.COMMAND: "a command that was refused is not asked for a second time by itself",
    ActionKind.WORKFLOW: "a run within a run is repeated by hand, from its own page",
}
"""Why `retry` changes nothing, by what a step does."""
_NO_UNDO = frozenset({ActionKind.APPROVE, ActionKind.WAIT, ActionKind.WORKFLOW})


class Place(NamedTuple):
    """Where a step stands.

    Attributes:
        where: Its path, such as `steps[2]`.
        before: All steps before it; None while the steps have no order.
        loop: Steps done again together with it.
        scope: Names, inputs and steps of the workflow, without outcomes.
    """

    where: str
    before: Set[str] | None
    loop: Set[str]
    scope: Scope


def check_step(workflow: Workflow, step: Step, place: Place) -> Iterator[Problem]:
    """Yield what is wrong with one step."""
    if not is_name(step.id):
        yield Problem(0, f"{place.where}.id", f'"{step.id}" is no id of a step', RULE)
    yield from _check_needs(workflow, step, place)
    yield from _check_error(step, place)
    yield from _check_expressions(step, place)
    yield from _check_jump(step, place)
    yield from _check_limits(step, place.where)
    yield from _check_undo(step, place)


def _check_needs(workflow: Workflow, step: Step, place: Place) -> Iterator[Problem]:
    for index, need in enumerate(step.needs):
        where = f"{place.where}.needs[{index}]"
        if need == step.id:
            yield Problem(0, where, f'Step "{step.id}" needs itself', "Loop back with goto")
        elif need not in place.scope.all_steps:
            yield Problem(0, where, f'There is no step "{need}"', _hint(need, place))
        elif need in step.needs[:index]:
            yield Problem(0, where, f'"{need}" stands here twice')
        elif workflow.step(need).handler == step.id:
            yield Problem(
                0,
                where,
                f'Step "{step.id}" follows "{need}" both after success and after an error',
                "Give the error a step of its own",
            )


def _check_error(step: Step, place: Place) -> Iterator[Problem]:
    where = f"{place.where}.on_error"
    if step.on_error in {"fail", "continue"}:
        return
    if not step.on_error.startswith("goto:"):
        yield Problem(
            0,
            where,
            f'on_error is "{step.on_error}"',
            near_miss(step.on_error, ("fail", "continue")) or 'fail, continue or "goto:STEP"',
        )
    elif step.handler not in place.scope.all_steps:
        yield Problem(0, where, f'There is no step "{step.handler}"', _hint(step.handler, place))


def _check_expressions(step: Step, place: Place) -> Iterator[Problem]:
    scope = _scope(place)
    yield from check_condition(step.when, scope, f"{place.where}.when")
    yield from _check_constant(step, place.where)
    yield from check_condition(step.for_each, scope, f"{place.where}.for_each")
    inner = scope.plus("item", "index") if step.for_each else scope
    yield from check_action(step.do, step.with_, inner, f"{place.where}.with")
    length = sum(map(len, expressions(step.with_)))
    if length > EXPRESSIONS_LENGTH:
        what = f"Its expressions have {length} characters; at most {EXPRESSIONS_LENGTH}"
        yield Problem(0, f"{place.where}.with", what, "Let an agent do it, or split the step")


def _check_constant(step: Step, where: str) -> Iterator[Problem]:
    try:
        is_never = bool(step.when.strip()) and not evaluate(bare(step.when), {})
    except InputError:
        return
    if is_never:
        yield Problem(0, f"{where}.when", f'Step "{step.id}" never runs', severity=Severity.WARNING)


def _check_jump(step: Step, place: Place) -> Iterator[Problem]:
    jump, where = step.goto, f"{place.where}.goto"
    if jump is None:
        return
    if jump.step not in place.scope.all_steps:
        yield Problem(
            0, f"{where}.step", f'There is no step "{jump.step}"', _hint(jump.step, place)
        )
    elif place.before is not None and jump.step not in place.before | {step.id}:
        yield Problem(
            0,
            f"{where}.step",
            f'goto leads to "{jump.step}", which does not come before "{step.id}"',
            "Loop back to the step itself or one that it needs; forward, use needs and when",
        )
    yield from check_condition(jump.when, _scope(place).knowing({step.id}), f"{where}.when")
    yield from within(jump.max, 1, LOOPS, f"{where}.max")
    if not jump.when.strip():
        yield Problem(
            0,
            f"{where}.when",
            f'The loop of "{step.id}" has no condition: after {jump.max} times the step fails',
            "Say when to loop",
            Severity.WARNING,
        )


def _check_limits(step: Step, where: str) -> Iterator[Problem]:
    longest_s = LONGEST_S if step.do is ActionKind.COMMAND else YEAR_S
    yield from within(step.timeout_s, 0, longest_s, f"{where}.timeout_s")
    yield from within(step.parallel, 1, PARALLEL, f"{where}.parallel")
    yield from within(step.retry.attempts, 1, ATTEMPTS, f"{where}.retry.attempts")
    yield from within(step.retry.wait_s, 0, _DAY_S, f"{where}.retry.wait_s")
    yield from within(step.retry.factor, 1, 10, f"{where}.retry.factor")
    yield from within(step.retry.max_wait_s, 0, _DAY_S, f"{where}.retry.max_wait_s")
    if step.parallel > 1 and not step.for_each:
        yield Problem(
            0,
            f"{where}.parallel",
            "parallel says nothing without for_each",
            severity=Severity.WARNING,
        )
    yield from _check_retry(step, f"{where}.retry.attempts")
    seconds = step.with_.get("seconds") if step.do is ActionKind.WAIT else None
    if isinstance(seconds, int | float) and seconds > timeout_of(step) > 0:
        yield Problem(
            0,
            f"{where}.with.seconds",
            f"It waits {seconds:g} s, longer than its timeout_s of {timeout_of(step):g}",
            "Raise timeout_s above it, or leave timeout_s out",
        )


def _check_retry(step: Step, where: str) -> Iterator[Problem]:
    if step.retry.attempts <= 1:
        return
    if step.do in {ActionKind.APPROVE, ActionKind.WAIT}:
        yield Problem(
            0,
            where,
            f'A step with do = "{step.do}" is not tried again',
            "Leave retry out; give it a longer timeout_s",
        )
    elif why := _NOT_TRIED_AGAIN.get(step.do):
        yield Problem(
            0,
            where,
            f'retry has no effect with do = "{step.do}": {why}',
            "Leave retry out; lead the error to a step of its own with on_error",
            Severity.WARNING,
        )


def _check_undo(step: Step, place: Place) -> Iterator[Problem]:
    undo, where = step.compensate, f"{place.where}.compensate"
    if undo is None:
        return
    if undo.do in _NO_UNDO:
        yield Problem(
            0,
            f"{where}.do",
            f'"{undo.do}" takes nothing back',
            "Use a task, command, publish, http or notify",
        )
    if step.do in {ActionKind.APPROVE, ActionKind.WAIT}:
        yield Problem(
            0,
            where,
            f'A step with do = "{step.do}" changes nothing that could be taken back',
            severity=Severity.WARNING,
        )
    yield from within(undo.timeout_s, 1, _DAY_S, f"{where}.timeout_s")
    scope = _scope(place).knowing({step.id})
    inner = scope.plus("item", "index") if step.for_each else scope
    yield from check_action(undo.do, undo.with_, inner, f"{where}.with")


def within(value: float, low: float, high: float, where: str) -> Iterator[Problem]:
    """Yield a problem if a number is out of its bounds."""
    if not low <= value <= high:
        name = where.rpartition(".")[2]
        yield Problem(0, where, f"{name} is {value:.10g}; it must be {low:.10g} to {high:.10g}")


def _scope(place: Place) -> Scope:
    if place.before is None:  # no order yet: say nothing of it a second time
        return place.scope.knowing(place.scope.all_steps)
    return place.scope.knowing(place.before | place.loop)


def _hint(name: str, place: Place) -> str:
    known: Mapping[str, None] = dict.fromkeys(sorted(place.scope.all_steps))
    return near_miss(name, known) or f"There is {', '.join(known)}"

"""Judges a definition beside what is around it now: agents, other workflows, allowed hosts.

All are warnings: each may come before the first run.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from app.core.errors import ConflictError, InputError, NotFoundError
from app.core.expression_check import has_hole
from app.core.given_check import check_given
from app.core.workflow import ActionKind, TriggerKind, Workflow
from app.core.workflow_entry import Problem, Severity
from app.workflow.actions import NOTIFY
from app.workflow.dry_checks import Around
from app.workflow.web import check_address

_Given = Mapping[str, Any]
_Judge = Callable[[_Given, Workflow, Around, str], Iterator[Problem]]

_FULL_ADDRESS = 3
"""Slashes after which an address names its host to the end: `http://host/`."""


def check_around(workflow: Workflow, around: Around) -> Iterator[Problem]:
    """Yield what a run would wait for or fail by, as things are now; lines are 0."""
    for number, trigger in enumerate(workflow.triggers):
        if trigger.on is TriggerKind.WORKFLOW and trigger.workflow != workflow.name:
            yield from _check_known(trigger.workflow, around, f"triggers[{number}].workflow")
    for number, step in enumerate(workflow.steps):
        where = f"steps[{number}]"
        yield from _check_action(step.do, step.with_, workflow, around, f"{where}.with")
        if undo := step.compensate:
            place = f"{where}.compensate.with"
            yield from _check_action(undo.do, undo.with_, workflow, around, place)


def _check_action(
    do: ActionKind, given: _Given, workflow: Workflow, around: Around, where: str
) -> Iterator[Problem]:
    if judge := _JUDGES.get(do):
        yield from judge(given, workflow, around, where)


def _check_task(given: _Given, _: Workflow, around: Around, where: str) -> Iterator[Problem]:
    capability, agent = given.get("capability", ""), given.get("agent", "")
    if not (has_hole(capability) or has_hole(agent)):
        yield from _check_offer(str(capability), str(agent), around, f"{where}.capability")


def _check_notify(_: _Given, __: Workflow, around: Around, where: str) -> Iterator[Problem]:
    yield from _check_offer(NOTIFY, "", around, where)


def _check_offer(capability: str, agent: str, around: Around, where: str) -> Iterator[Problem]:
    if around.offers(capability, agent):
        return
    who = f'Agent "{agent}" is not alive or does not offer' if agent else "No live agent offers"
    hint = "A run waits for one until the step's timeout_s; the Agents page says who offers what"
    yield _warning(where, f'{who} "{capability}" now', hint)


def _check_http(given: _Given, _: Workflow, around: Around, where: str) -> Iterator[Problem]:
    url = str(given.get("url", ""))
    known = url.partition("${")[0]
    if known != url and known.count("/") < _FULL_ADDRESS:
        return
    try:
        check_address(known, around.http_hosts)
    except InputError as error:
        yield _warning(f"{where}.url", str(error).removeprefix("url: "))


def _check_workflow(
    given: _Given, workflow: Workflow, around: Around, where: str
) -> Iterator[Problem]:
    name, inputs = given.get("name", ""), given.get("input", {})
    if has_hole(name):
        return
    if name != workflow.name:
        yield from _check_known(str(name), around, f"{where}.name")
    child = workflow if name == workflow.name else _found(str(name), around)
    if isinstance(child, Workflow) and isinstance(inputs, dict):
        wanted = cast("dict[str, object]", inputs)  # a JSON object
        for each in check_given(child, wanted, f"{where}.input", "step"):
            yield _warning(each.where, f'{each.message}, of workflow "{name}"', each.hint)


def _check_known(name: str, around: Around, where: str) -> Iterator[Problem]:
    found = _found(name, around)
    if isinstance(found, str):
        yield _warning(where, found)


def _found(name: str, around: Around) -> Workflow | str:
    """Return a workflow, or why there is none."""
    try:
        return around.definition(name)
    except (NotFoundError, ConflictError) as error:
        return str(error)


def _warning(where: str, message: str, hint: str = "") -> Problem:
    return Problem(0, where, message, hint, Severity.WARNING)


_JUDGES: Mapping[ActionKind, _Judge] = {
    ActionKind.TASK: _check_task,
    ActionKind.NOTIFY: _check_notify,
    ActionKind.HTTP: _check_http,
    ActionKind.WORKFLOW: _check_workflow,
}

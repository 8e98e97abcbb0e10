"""What an action would surely be refused for, told before the run, and what it would wait for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from app.core.action_check import OWN_TOPICS
from app.core.actor import Role
from app.core.command_check import Look, Wanted, check_command, failed, in_words, why_untrusted
from app.core.errors import FieldsError, InputError, NotFoundError
from app.core.http_header import check_header
from app.core.topic_name import check_payload, check_topic
from app.core.workflow import ActionKind, Step, Workflow, timeout_of
from app.core.workflow_check import checked_input
from app.core.write_rule import CommandSource
from app.workflow.actions import NOTIFY
from app.workflow.dry_values import Guess, UnknownError, Values, is_known, plain
from app.workflow.field_values import as_message, as_number
from app.workflow.roles import check_role
from app.workflow.wait_time import wait_s
from app.workflow.web import METHODS, body_bytes, check_address

_AT_THAT_TIME = frozenset({"rate", "interlock"})
_LATER = "The time between two commands and interlocks are looked at when it runs"


@dataclass(frozen=True, slots=True)
class Around:
    """What a dry run asks of the app; nothing is changed by it.

    Attributes:
        look: What is known of a tag.
        definition: Gives a workflow by its name.
        offers: Tells whether a live agent offers a capability; the second is one agent, or "".
        http_hosts: Patterns of hosts that may be called.
    """

    look: Look
    definition: Callable[[str], Workflow]
    offers: Callable[[str, str], bool]
    http_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One action that a dry run looks at.

    Attributes:
        workflow: What is tried.
        step: Whose action it is.
        role: Of the run.
        around: What can be asked.
        values: Computes conditions.
        now: UTC.
        commanded: Tags that steps before it may have changed, a `Guess` where that is not known.
    """

    workflow: Workflow
    step: Step
    role: Role
    around: Around
    values: Values
    now: datetime
    commanded: frozenset[str]


def judge(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    """Return what is to be said of an action whose fields are computed.

    Raises:
        MillwrightError: The run would surely fail by it.
    """
    return _JUDGES[trial.step.do](fields, trial)


def _task(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    capability, agent = fields["capability"], fields.get("agent", "")
    _check_object(fields, "input")
    if not is_known([capability, agent]):
        return []
    return _nobody(str(capability), str(agent), trial)


def _notify(_: Mapping[str, Any], trial: Trial) -> list[str]:
    return _nobody(NOTIFY, "", trial)


def _nobody(capability: str, agent: str, trial: Trial) -> list[str]:
    if trial.around.offers(capability, agent):
        return []
    who = f"Agent {agent} is not alive or does not offer" if agent else "No live agent offers"
    seconds = timeout_of(trial.step)
    return [f'{who} "{capability}" now; it would wait for that, at most {seconds:g} s']


def _publish(fields: Mapping[str, Any], _: Trial) -> list[str]:
    topic = fields["topic"]
    beginning = topic.beginning if isinstance(topic, Guess) else str(topic)
    if beginning.startswith(OWN_TOPICS):
        raise InputError(f'topic: "{topic[:120]}" is one of the app; use one of your own')
    check_topic(str(topic))  # what is not known stands as "?", which may be in one
    payload = fields["payload"]
    if is_known(payload):
        check_payload(str(topic), len(as_message(payload)))
    return []


def _http(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    url, method = fields["url"], fields.get("method", "GET")
    if is_known(url):
        check_address(str(url), trial.around.http_hosts)
    if is_known(method) and str(method).upper() not in METHODS:
        raise InputError(f'method: "{str(method)[:20]}" is none of {", ".join(METHODS)}')
    _check_object(fields, "headers")
    if isinstance(headers := fields.get("headers"), dict):
        for name, value in cast("dict[str, object]", headers).items():  # a JSON object
            check_header(name, str(value))  # what is not known stands as "?", which may be in one
    if is_known(body := fields.get("body")):
        body_bytes(body)
    return []


def _wait(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    until, step = str(fields.get("until", "")), trial.step
    if "seconds" in fields and is_known(fields["seconds"]) and not step.for_each:
        wait_s(fields, trial.now, timeout_of(step))
    if not until or _is_time(until):
        return []
    try:
        found = trial.values.value(until)
    except UnknownError:
        return []
    if isinstance(found, str) and not _is_time(found):
        raise InputError(f'until: gives "{found[:80]}", which is neither a condition nor a time')
    return []


def _approve(fields: Mapping[str, Any], _: Trial) -> list[str]:
    role = fields.get("role", Role.OPERATOR.value)
    if is_known(role) and role not in set(Role):
        raise InputError(f'role: "{str(role)[:80]}" is none of {", ".join(Role)}')
    return []


def _command(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    path, value = fields["tag"], fields["value"]
    if not is_known(path):
        return []
    tag = trial.around.look(str(path)).tag
    if tag is None:
        raise NotFoundError(f'tag: "{str(path)[:120]}" is not known')
    if not is_known(value):
        return []
    number = as_number("value", value)
    return _refusals(Wanted(tag.path, number, CommandSource.WORKFLOW.value, trial.role), trial)


def _refusals(wanted: Wanted, trial: Trial) -> list[str]:
    """Judge a command by what does not change until it is given."""
    seen = trial.around.look(wanted.tag)
    later = set(_AT_THAT_TIME)
    is_changed = wanted.tag in trial.commanded or not is_known(list(trial.commanded))
    if is_changed or why_untrusted(seen, trial.now):
        later.add("step")  # it starts from a value that nobody knows yet
    checks = check_command(wanted, trial.around.look, None, trial.now)
    sure = [each for each in failed(checks) if each.name not in later]
    if sure:
        said = in_words(sure)
        raise InputError(f"Command {wanted.tag} = {wanted.value:g} would be rejected: {said}")
    return [_LATER, *(f"As of now: {each.text}" for each in failed(checks))]


def _workflow(fields: Mapping[str, Any], trial: Trial) -> list[str]:
    _check_object(fields, "input")
    name = fields["name"]
    if not is_known(name):
        return []
    # the text that is tried counts, not what is saved under its name
    is_own = name == trial.workflow.name
    child = trial.workflow if is_own else trial.around.definition(str(name))
    check_role(child, trial.role)
    given = fields.get("input", {})
    if isinstance(given, dict):
        _check_input(child, cast("dict[str, object]", given))  # a JSON object
    return []


def _check_input(child: Workflow, given: Mapping[str, object]) -> None:
    guessed = {name for name, value in given.items() if not is_known(value)}
    try:
        checked_input(child, {name: plain(value) for name, value in given.items()})
    except FieldsError as error:
        sure = {name: why for name, why in error.details.items() if name not in guessed}
        unknown = {name: error.details[name] for name in guessed - child.inputs.keys()}
        if details := sure | unknown:
            words = "; ".join(f"{name} {why}" for name, why in details.items())
            raise FieldsError(f'Workflow "{child.name}" cannot start: {words}', details) from error


def _check_object(fields: Mapping[str, Any], name: str) -> None:
    found = fields.get(name, {})
    if not isinstance(found, dict | Guess):
        raise InputError(f"{name}: is {type(found).__name__} and no object")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_JUDGES: Mapping[ActionKind, Callable[[Mapping[str, Any], Trial], list[str]]] = {
    ActionKind.TASK: _task,
    ActionKind.PUBLISH: _publish,
    ActionKind.NOTIFY: _notify,
    ActionKind.HTTP: _http,
    ActionKind.WAIT: _wait,
    ActionKind.APPROVE: _approve,
    ActionKind.COMMAND: _command,
    ActionKind.WORKFLOW: _workflow,
}

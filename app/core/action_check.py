"""Judges what a step does: the fields of its action."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from app.core.actor import Role
from app.core.equipment import split_path
from app.core.errors import InputError, TopicError
from app.core.expression import fill_by
from app.core.expression_check import Scope, check_condition, check_value, has_hole
from app.core.http_header import check_header
from app.core.near import near_miss
from app.core.topic_name import check_topic
from app.core.workflow import ACTION_FIELDS, ActionKind, Field
from app.core.workflow_entry import Problem, Severity
from app.core.workflow_names import is_name

OWN_TOPICS = (
    "millwright/", "plant/", "$", "orchestrator/", "sensors/factory/", "data/", "/data/", "events/",
    "alerts/", "predictions/", "results/", "tasks/", "workers/",
)  # fmt: skip
"""Topics that no workflow may speak on: they are agents' and the app's own."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
YEAR_S = 366 * 86_400.0

_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    object: "a value",
}


def check_action(
    do: ActionKind, given: Mapping[str, Any], scope: Scope, where: str
) -> Iterator[Problem]:
    """Yield what is wrong with the fields of one action.

    Args:
        do: The action.
        given: Its `with`.
        scope: What its expressions may speak of.
        where: Path of the `with`.
    """
    known = ACTION_FIELDS[do]
    for name, value in given.items():
        if name not in known:
            hint = near_miss(name, known) or f"It takes {', '.join(known)}"
            yield Problem(0, f"{where}.{name}", f'Action "{do}" has no field "{name}"', hint)
            continue
        yield from _check_field(known[name], name, value, f"{where}.{name}")
        if not (do is ActionKind.WAIT and name == "until"):
            yield from check_value(value, scope, f"{where}.{name}")
    for name, field in known.items():
        if field.required and name not in given:
            yield Problem(0, where, f'Action "{do}" needs "{name}"', field.about)
    if judge := _JUDGES.get(do):
        yield from judge(given, scope, where)


def _check_field(field: Field, name: str, value: object, where: str) -> Iterator[Problem]:
    if has_hole(value):
        return
    if not _fits(field.type, value):
        yield Problem(0, where, f'"{name}" must be {_WORDS[field.type]}', field.about)
    elif field.required and isinstance(value, str) and not value.strip():
        yield Problem(0, where, f'"{name}" is empty', field.about)


def _fits(wanted: type, value: object) -> bool:
    if wanted is object:
        return True
    if isinstance(value, bool):
        return wanted is bool
    if wanted is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, wanted)


def _literal(given: Mapping[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401  as `kind`
    """Return a field of the right type that has no expression; None if there is none."""
    value = given.get(name)
    return value if name in given and not has_hole(value) and _fits(kind, value) else None


def _check_publish(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    topic = given.get("topic")
    if isinstance(topic, str):
        yield from _check_topic(topic, f"{where}.topic")
        yield from _check_owner(topic, f"{where}.topic")
    if _literal(given, "qos", int) not in {None, 0, 1}:
        yield Problem(0, f"{where}.qos", "qos must be 0 or 1")


def _check_topic(topic: str, where: str) -> Iterator[Problem]:
    known = _around_holes(topic)
    if not known.strip() or known.startswith(OWN_TOPICS):
        return  # told elsewhere
    try:
        check_topic(known)
    except TopicError as error:
        yield Problem(0, where, str(error), error.hint)


def _around_holes(text: str) -> str:
    """Return a text with an x in place of each expression."""
    return str(fill_by(text, lambda _expression, _budget: "x"))


def _check_owner(topic: str, where: str) -> Iterator[Problem]:
    head = topic.partition("${")[0]  # of one that is computed, how it begins
    own = next((each for each in OWN_TOPICS if head.startswith(each)), "")
    if head.startswith("millwright/commands/"):
        yield Problem(
            0, where, "A command is never published by hand", 'Use a step with do = "command"'
        )
    elif own:
        yield Problem(
            0,
            where,
            f'Topics that begin with "{own}" belong to the app and its agents',
            "Publish on a topic of your own",
        )


def _check_notify(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    priority = _literal(given, "priority", int)
    if priority is not None and not 1 <= priority <= 4:
        yield Problem(0, f"{where}.priority", "priority must be 1 (critical) to 4 (low)")


def _check_http(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    url = _literal(given, "url", str)
    if url and not url.startswith(("http://", "https://")):
        yield Problem(0, f"{where}.url", "The address must begin with http:// or https://")
    method = _literal(given, "method", str)
    if method is not None and method not in METHODS:
        hint = near_miss(method.upper(), METHODS)
        yield Problem(0, f"{where}.method", f"method must be one of {', '.join(METHODS)}", hint)
    headers = given.get("headers")
    if isinstance(headers, dict):
        yield from _check_headers(cast("dict[str, object]", headers), f"{where}.headers")


def _check_headers(headers: Mapping[str, object], where: str) -> Iterator[Problem]:
    for name, value in headers.items():
        if not isinstance(value, str):
            yield Problem(0, f"{where}.{name}", "A header must be text")
            continue
        try:
            check_header(name, _around_holes(value))
        except InputError as error:
            yield Problem(0, f"{where}.{name}", str(error), error.hint)


def _check_wait(given: Mapping[str, Any], scope: Scope, where: str) -> Iterator[Problem]:
    if ("seconds" in given) == ("until" in given):
        yield Problem(0, where, 'Action "wait" needs either "seconds" or "until"')
    seconds = _literal(given, "seconds", float)
    if seconds is not None and not 0 < seconds <= YEAR_S:
        yield Problem(
            0, f"{where}.seconds", f"seconds must be over 0 and at most {YEAR_S:.0f}, a year"
        )
    until = given.get("until")
    if isinstance(until, str) and not _is_time(until):
        yield from check_condition(until, scope, f"{where}.until")


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_approve(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    role = _literal(given, "role", str)
    if role:
        yield from check_role(role, f"{where}.role")


def check_role(role: str, where: str) -> Iterator[Problem]:
    """Yield a problem if a text is no role."""
    if role not in list(Role):
        hint = near_miss(role, list(Role))
        yield Problem(0, where, f'There is no role "{role}"', hint or f"It is {_or(list(Role))}")


def _check_command(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    tag = _literal(given, "tag", str)
    if tag:
        try:
            split_path(tag)
        except TopicError as error:
            yield Problem(0, f"{where}.tag", str(error))


def _check_workflow(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    name = _literal(given, "name", str)
    if name and not is_name(name):
        yield Problem(
            0, f"{where}.name", f'"{name}" is no name of a workflow', "Letters a-z, digits and _"
        )


def _check_task(given: Mapping[str, Any], _scope: Scope, where: str) -> Iterator[Problem]:
    capability = _literal(given, "capability", str)
    if capability and not is_name(capability):
        yield Problem(
            0,
            f"{where}.capability",
            f'"{capability}" is no capability',
            "Letters a-z, digits and _",
            Severity.ERROR,
        )


def _or(words: list[Role]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"


_JUDGES: Mapping[ActionKind, Callable[[Mapping[str, Any], Scope, str], Iterator[Problem]]] = {
    ActionKind.TASK: _check_task,
    ActionKind.PUBLISH: _check_publish,
    ActionKind.NOTIFY: _check_notify,
    ActionKind.HTTP: _check_http,
    ActionKind.WAIT: _check_wait,
    ActionKind.APPROVE: _check_approve,
    ActionKind.COMMAND: _check_command,
    ActionKind.WORKFLOW: _check_workflow,
}

"""Reads a workflow from its TOML text; what is wrong with it comes back with its line."""

import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, NamedTuple, cast

import msgspec

from app.core.misfit import fields_of, misfit, unknown_field
from app.core.workflow import (
    Concurrency,
    Input,
    Step,
    Trigger,
    Workflow,
)
from app.core.workflow_check import check
from app.core.workflow_entry import Problem
from app.workflow.toml_lines import line_index, line_of

TEXT_BYTES = 262_144
"""Bytes of one definition."""
LINE_DOTS = 200
"""Dots in one line of it."""

_WHOLE = 2**53  # the largest whole number that JSON peers keep exactly
_DEEP = 32
_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


class Definition(NamedTuple):
    """What became of a text.

    Attributes:
        workflow: The definition; None if there is an error.
        version: Hash of its content, or of the text where there is an error.
        problems: What is wrong, by line.
    """

    workflow: Workflow | None
    version: str
    problems: tuple[Problem, ...]


def read_definition(text: str, name: str = "") -> Definition:
    """Read and judge a definition; a text that is none comes back with its problems.

    Args:
        text: TOML.
        name: What the file is called; the name within must be the same. Empty for any.
    """
    workflow, problems = _parse(text)
    lines = {} if workflow is None and not problems else _lines(text)
    if workflow is not None:
        problems = check(workflow)
        if name and workflow.name != name:
            problems.append(
                Problem(0, "name", f'The name is "{workflow.name}" but the file "{name}.toml"',
                        "Use one name for both")
            )  # fmt: skip
    placed = _in_order(problems, lines)
    is_broken = workflow is None or any(problem.is_error for problem in placed)
    version = _hash(text.encode("utf-8", "replace")) if workflow is None else version_of(workflow)
    return Definition(None if is_broken else workflow, version, tuple(placed))


def with_lines(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Return problems of a text that can be read, with their lines, in the order of these."""
    return _in_order(problems, _lines(text))


def version_of(workflow: Workflow) -> str:
    """Return the hash of a definition's content; white space and comments do not count."""
    return _hash(msgspec.json.encode(workflow, order="deterministic"))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _lines(text: str) -> dict[str, int]:
    try:
        return line_index(text)
    except RecursionError:
        return {}


def _in_order(problems: Iterable[Problem], lines: Mapping[str, int]) -> list[Problem]:
    placed = (_placed(problem, lines) for problem in problems)
    return sorted(placed, key=lambda problem: problem.line)


def _placed(problem: Problem, lines: Mapping[str, int]) -> Problem:
    if problem.line or not problem.where:
        return problem
    return msgspec.structs.replace(problem, line=line_of(problem.where, lines))


def _excess(text: str) -> Problem | None:
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        return Problem(0, "", f"The text has over {TEXT_BYTES} bytes", "Split the workflow")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > LINE_DOTS:  # a key of so many parts costs memory by their square
            return Problem(number, "", f"The line has over {LINE_DOTS} dots", "Break it")
    return None


def _parse(text: str) -> tuple[Workflow | None, list[Problem]]:
    if excess := _excess(text):
        return None, [excess]
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        return None, [_syntax(text, str(error))]
    except RecursionError:
        return None, [Problem(0, "", "The text is nested too deeply")]
    problems = [*_check_values(data, "", 0)] or _check_parts(data)
    if problems:
        return None, problems
    try:
        return msgspec.convert(data, Workflow), []
    except msgspec.ValidationError as error:
        return None, [_problem(str(error), "", Workflow)]


def _syntax(text: str, message: str) -> Problem:
    found = _LINE.search(message)
    if found is None:
        return Problem(0, "", f"This is no TOML: {message}")
    line = int(found[1]) if found[1] else text.count("\n") + 1
    return Problem(line, "", f"This is no TOML: {_LINE.sub('', message)}")


def _check_values(value: object, where: str, depth: int) -> Iterator[Problem]:
    """Yield the values that are no JSON: a run could not keep them."""
    if depth > _DEEP:
        yield Problem(0, where, f"This is nested over {_DEEP} deep")
        return
    match value:
        case dict():
            for key, each in cast(dict[str, object], value).items():
                yield from _check_values(each, f"{where}.{key}" if where else key, depth + 1)
        case list():
            for index, each in enumerate(cast(list[object], value)):
                yield from _check_values(each, f"{where}[{index}]", depth + 1)
        case float() if not math.isfinite(value):
            yield Problem(0, where, "A number must be finite")
        case int() if abs(value) > _WHOLE:
            yield Problem(0, where, "The number is too large to be kept exactly")
        case date() | time():
            yield Problem(0, where, "A time stands here", "Put it in quotes")
        case _:
            return


def _check_parts(data: dict[str, Any]) -> list[Problem]:
    """Return one problem for each part whose fields or types are wrong."""
    parts = list(_parts(data))
    return [problem for where, kind, part in parts for problem in _convert(part, kind, where)]


def _parts(data: dict[str, Any]) -> Iterator[tuple[str, type, object]]:
    lists: tuple[tuple[str, type], ...] = (("triggers", Trigger), ("steps", Step))
    whole = dict(data)
    for name in ("inputs", "runs", "triggers", "steps"):
        if isinstance(whole.get(name), dict if name in {"inputs", "runs"} else list):
            whole[name] = [] if name in {"triggers", "steps"} else {}
    yield "", Workflow, whole
    if isinstance(data.get("inputs"), dict):
        for key, each in data["inputs"].items():
            yield f"inputs.{key}", Input, each
    if isinstance(data.get("runs"), dict):
        yield "runs", Concurrency, data["runs"]
    for name, kind in lists:
        if isinstance(data.get(name), list):
            for index, each in enumerate(data[name]):
                yield f"{name}[{index}]", kind, each


def _convert(part: object, kind: type, where: str) -> Iterator[Problem]:
    if isinstance(part, dict):
        fields = fields_of(kind, "")
        for key in [key for key in cast(dict[str, object], part) if key not in fields]:
            found = unknown_field(key, where, fields)
            yield Problem(0, found.where, found.words, found.hint)
        part = {key: each for key, each in cast(dict[str, object], part).items() if key in fields}
    try:
        msgspec.convert(part, kind)
    except msgspec.ValidationError as error:
        yield _problem(str(error), where, kind)


def _problem(message: str, where: str, kind: type) -> Problem:
    found = misfit(message, where, kind)
    return Problem(0, found.where, found.words, found.hint)

"""`millwright workflow`: asks the running app about workflows and runs; lint works without it."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

import msgspec

from app.cli.options import settings_of
from app.cli.workflow_client import WorkflowClient
from app.cli.workflow_options import workflow_parser
from app.cli.workflow_wait import follow
from app.cli.workflow_words import (
    approval_line,
    entry_line,
    problem_line,
    run_head,
    run_line,
    run_text,
)
from app.core.errors import InputError
from app.core.run import RunState, WorkflowRun
from app.workflow.definition import TEXT_BYTES, read_definition

_BAD = frozenset({RunState.FAILED, RunState.CANCELLED})
_Act = Callable[[WorkflowClient, argparse.Namespace], int]


def main(argv: list[str]) -> int:
    """Do one thing; 1 if it was refused, if a text has errors, or if a run waited for went wrong.

    Raises:
        MillwrightError: There is no app, or it refused; one line says why.
    """
    arguments = workflow_parser().parse_args(argv)
    if arguments.verb == "lint":
        return _lint(arguments)
    acts: dict[str, _Act] = {
        "list": _list,
        "run": _run,
        "show": _show,
        "retry": _retry,
        "cancel": _cancel,
        "runs": _runs,
        "approve": _decide,
        "reject": _decide,
    }
    client = WorkflowClient(settings_of(arguments), arguments.actor)
    return acts[arguments.verb](client, arguments)


def _lint(arguments: argparse.Namespace) -> int:
    problems = list(read_definition(_text(arguments), arguments.file.stem).problems)
    _tell(arguments, problems, [problem_line(arguments.file, each) for each in problems])
    return 1 if any(each.is_error for each in problems) else 0


def _text(arguments: argparse.Namespace) -> str:
    """Return what a file holds.

    Raises:
        InputError: It cannot be read, is too large, or is no text.
    """
    try:
        content: bytes = arguments.file.read_bytes()
        return content[: TEXT_BYTES + 1].decode()
    except OSError as error:
        raise InputError(f"{arguments.file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        why = f"{arguments.file} is not UTF-8: byte {error.start}"
        raise InputError(why, "Save it as UTF-8 TOML") from error


def _list(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    entries = client.catalogue()
    _tell(arguments, entries, [entry_line(each) for each in entries])
    return 0


def _run(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    run = client.start(arguments.name, dict(arguments.parameters), arguments.why, arguments.id)
    if not arguments.wait:
        _tell(arguments, run, [run_head(run)])
        return 0
    say = sys.stderr if arguments.json else sys.stdout
    say.write(f"{run_head(run)}\n")
    try:
        run = asyncio.run(follow(client, run, lambda line: print(line, file=say, flush=True)))
    except KeyboardInterrupt:
        goes_on = f"run {run.id} goes on; see: millwright workflow show {run.id}"
        sys.stderr.write(f"millwright: no longer waiting, {goes_on}\n")
        return 1
    _tell(arguments, run, [run_head(run)])
    return 1 if run.state in _BAD else 0


def _show(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    run = client.run(arguments.run)
    _tell(arguments, run, [run_text(run)])
    return 0


def _retry(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    run = client.retry(arguments.run, arguments.why, arguments.step, arguments.definition)
    _tell(arguments, run, [run_head(run)])
    return 0


def _cancel(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    run: WorkflowRun = client.cancel(arguments.run, arguments.why)
    _tell(arguments, run, [f"Asked run {run.id} to end; see: millwright workflow show {run.id}"])
    return 0


def _runs(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    runs = client.runs(
        workflow=arguments.workflow,
        states=arguments.state,
        text=arguments.text,
        dead=arguments.dead,
        limit=arguments.limit,
    )
    _tell(arguments, runs, [run_line(each) for each in runs])
    return 0


def _decide(client: WorkflowClient, arguments: argparse.Namespace) -> int:
    decided = client.decide(arguments.verb, arguments.run, arguments.step, arguments.note)
    _tell(arguments, decided, [approval_line(decided)])
    return 0


def _tell(
    arguments: argparse.Namespace,
    found: msgspec.Struct | Sequence[msgspec.Struct],
    lines: Sequence[str],
) -> None:
    """Print what was found, as JSON if asked; nothing for an empty list of lines."""
    text = msgspec.json.encode(found).decode() if arguments.json else "\n".join(lines)
    if text:
        sys.stdout.write(f"{text}\n")

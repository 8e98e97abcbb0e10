"""What `millwright workflow` takes on the command line."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from app.cli.options import add_app_options
from app.command_parser import CommandParser, command_parser, verb_parser, whole_number
from app.core.run import RunState

_VERBS = "list|run|show|retry|cancel|runs|lint|approve|reject"
_Adder = Callable[..., CommandParser]
_add = partial(verb_parser, "millwright workflow")


def workflow_parser() -> CommandParser:
    """Return the parser of all verbs."""
    parser = command_parser(
        "millwright workflow",
        "List and run workflows of the running app, watch and repair runs, decide what they ask.\n"
        "Only lint works without the app.",
        "millwright workflow run smart_home_automation -p target_temperature=22 --wait",
        "millwright workflow runs --state failed --state waiting",
        "millwright workflow lint data/workflows/mine.toml",
    )
    add = parser.add_subparsers(dest="verb", required=True, metavar=_VERBS).add_parser
    for verb in (_list(add), _run(add), *_repairs(add), _show(add), _runs(add), *_decisions(add)):
        verb.add_argument(
            "--actor", default="", help='who you are, for the audit (default: "operator")'
        )
        add_app_options(verb)
    lint = _add(add, "lint", "tell what is wrong with a file, by line", "lint mine.toml")
    lint.add_argument("file", metavar="FILE", type=Path, help="TOML file, called as the workflow")
    lint.add_argument("--json", action="store_true", help="JSON out")
    return parser


def _list(add: _Adder) -> CommandParser:
    return _add(add, "list", "all workflows with their latest runs", "list --json")


def _run(add: _Adder) -> CommandParser:
    run = _add(add, "run", "start a run", "run shift_handover --wait")
    run.add_argument("name", metavar="NAME", help="name of the workflow")
    run.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        metavar="KEY=VALUE",
        type=_parameter,
        action="append",
        default=[],
        help="an input; give it once for each",
    )
    run.add_argument("--why", default="", help="reason, for the audit")
    run.add_argument("--id", default="", help="the same id again is the same run")
    run.add_argument(
        "--wait",
        action="store_true",
        help="show steps as they end; exit code 1 if the run fails or is cancelled; "
        "Ctrl-C ends the waiting, not the run",
    )
    return run


def _show(add: _Adder) -> CommandParser:
    show = _add(add, "show", "a run with its steps", "show 019ab3c4d5e6f7a8")
    show.add_argument("run", metavar="RUN", help="id of the run")
    return show


def _repairs(add: _Adder) -> tuple[CommandParser, CommandParser]:
    retry = _add(add, "retry", "repeat a run that is over", 'retry RUN --why "valve is open now"')
    retry.add_argument("--from", dest="step", metavar="STEP", default="", help="from this step on")
    retry.add_argument(
        "--definition",
        choices=("old", "current"),
        default="old",
        help="by which definition (default: that of the run)",
    )
    cancel = _add(add, "cancel", "cancel a run", 'cancel RUN --why "wrong unit"')
    for verb in (retry, cancel):
        verb.add_argument("run", metavar="RUN", help="id of the run")
        verb.add_argument("--why", required=True, help="reason, for the audit")
    return retry, cancel


def _runs(add: _Adder) -> CommandParser:
    runs = _add(add, "runs", "runs, the newest first", "runs --workflow shift_handover")
    runs.add_argument("--workflow", metavar="NAME", default="", help="only of this workflow")
    runs.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[each.value for each in RunState],
        help="only in this state; may be given again",
    )
    runs.add_argument("--text", default="", help="part of id, inputs, reason or who started it")
    runs.add_argument(
        "--dead", action="store_true", help="failed and neither repeated nor seen to; no filter"
    )
    runs.add_argument("--limit", type=whole_number(1, 1000), default=50, help="default 50")
    return runs


def _decisions(add: _Adder) -> tuple[CommandParser, CommandParser]:
    approve = _add(add, "approve", "agree to what a run asks", "approve RUN")
    reject = _add(add, "reject", "refuse what a run asks", 'reject RUN --note "pump is hot"')
    approve.add_argument("--note", default="", help="what you say to it")
    reject.add_argument("--note", required=True, help="why not")
    for verb in (approve, reject):
        verb.add_argument("run", metavar="RUN", help="id of the run")
        verb.add_argument("--step", default="", help="step that asks, if there are several")
    return approve, reject


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=VALUE')
    return name.strip(), value

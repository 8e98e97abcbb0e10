"""Workflows, runs and steps as lines for a person."""

from datetime import datetime
from pathlib import Path

import msgspec

from app.core.run import Approval, RunState, StepRun, WorkflowRun
from app.core.workflow_entry import Entry, Problem

_SHOWN = 200
"""Characters of a step's output on one line."""


def entry_line(entry: Entry) -> str:
    """Return a workflow of the catalogue as one line."""
    switched = "enabled" if entry.enabled else "disabled"
    state = switched if entry.workflow else "broken"
    last = f"last {entry.last.state} {_time(entry.last.started_at)}" if entry.last else "never run"
    title = entry.workflow.title if entry.workflow else entry.problems[0].message
    counted = f"{entry.active} active"
    return f"{entry.name:28} {state:9} {counted:10} {last:34} {title}".rstrip()


def run_head(run: WorkflowRun) -> str:
    """Return how a run stands as one line."""
    joint = " for " if run.state is RunState.WAITING else ": "
    reason = f"{joint}{run.reason}" if run.reason else ""
    return f"Run {run.id} of {run.workflow} is {run.state.value}{reason}"


def run_line(run: WorkflowRun) -> str:
    """Return a run of a list as one line."""
    by = f"by {run.started_by.name} ({run.started_by.kind})"
    said = f"{run.id}  {_time(run.started_at)}  {run.state.value:9}  {run.workflow}  {by}"
    return f"{said}  {run.reason}".rstrip()


def run_text(run: WorkflowRun) -> str:
    """Return a run with its steps as lines."""
    by = f"{run.started_by.name} ({run.started_by.kind})"
    why = f": {run.started_by.why}" if run.started_by.why else ""
    ended = f", ended {_time(run.ended_at)}" if run.ended_at else ""
    lines = [
        run_head(run),
        f"  version {run.version}, started {_time(run.started_at)} by {by}{why}{ended}",
        f"  input {_json(run.input)}",
    ]
    lines += [f"  repeats {run.retry_of}"] if run.retry_of else []
    lines += [f"  repeated by {run.retried_by}"] if run.retried_by else []
    lines += [f"  seen to by {run.reviewed}"] if run.reviewed else []
    return "\n".join([*lines, *(step_line(each) for each in run.steps)])


def step_line(step: StepRun) -> str:
    """Return a step in one round as one line."""
    name = step.step if step.round == 1 else f"{step.step} ({step.round})"
    parts = [f"  {step.state.value:9} {name:20}"]
    if step.started_at and step.ended_at:
        parts.append(f"{(step.ended_at - step.started_at).total_seconds():8.2f} s")
    parts += [step.agent] if step.agent else []
    parts += [f"waits for {step.waiting_for}"] if step.waiting_for else []
    parts += [step.error] if step.error else []
    parts += [_json(step.output)[:_SHOWN]] if step.output is not None else []
    parts += ["taken over from the run that it repeats"] if step.carried else []
    parts += [_taken_back(step.compensation)] if step.compensation else []
    return "  ".join(parts).rstrip()


def approval_line(approval: Approval) -> str:
    """Return a decision as one line."""
    note = f": {approval.note}" if approval.note else ""
    said = f'"{approval.question}" of run {approval.run} is {approval.state.value}'
    return f"{said} by {approval.decided_by}{note}"


def problem_line(file: Path, problem: Problem) -> str:
    """Return a problem as one line that editors take for a place in a file."""
    place = f"{file}:{problem.line}" if problem.line else str(file)
    where = f" {problem.where}:" if problem.where else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{place}: {problem.severity.value}:{where} {problem.message}{hint}"


def _taken_back(said: str) -> str:
    return said if "not taken back" in said else f"taken back: {said}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

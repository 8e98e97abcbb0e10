"""Workflows and runs as HTTP answers them: every field is there, also one that says nothing yet."""

import msgspec

from app.core.run import Approval, StepRun, WorkflowRun
from app.core.workflow import Input
from app.core.workflow_entry import Entry


class StepShape(StepRun, frozen=True, omit_defaults=False):
    """One step of a run in one round."""


class RunShape(WorkflowRun, frozen=True, omit_defaults=False):
    """A run; `steps` is empty in a list of runs."""

    steps: tuple[StepShape, ...] = ()


class ApprovalShape(Approval, frozen=True, omit_defaults=False):
    """A decision that a run waits for, or waited for."""


class InputShape(Input, frozen=True, omit_defaults=False):
    """One typed input of a workflow."""


class EntryShape(Entry, frozen=True, omit_defaults=False):
    """One workflow of the catalogue; of its definition, what is absent has its default."""

    last: RunShape | None = None


class WorkflowDetail(EntryShape, frozen=True, kw_only=True):
    """A workflow with its text and the inputs that a new run takes.

    Attributes:
        text: TOML, broken or not.
        inputs: By name; of the last definition without an error, none if there never was one.
    """

    text: str
    inputs: dict[str, InputShape]


def run_shape(run: WorkflowRun) -> RunShape:
    """Return a run as it is answered."""
    fields = msgspec.structs.asdict(run)
    fields["steps"] = tuple(StepShape(**msgspec.structs.asdict(each)) for each in run.steps)
    return RunShape(**fields)


def approval_shape(approval: Approval) -> ApprovalShape:
    """Return an approval as it is answered."""
    return ApprovalShape(**msgspec.structs.asdict(approval))


def entry_shape(entry: Entry) -> EntryShape:
    """Return a workflow of the catalogue as it is answered."""
    fields = msgspec.structs.asdict(entry)
    fields["last"] = run_shape(entry.last) if entry.last else None
    return EntryShape(**fields)


def detail(entry: Entry, text: str, inputs: dict[str, Input]) -> WorkflowDetail:
    """Return a workflow with its text and inputs as it is answered."""
    shaped = {name: InputShape(**msgspec.structs.asdict(each)) for name, each in inputs.items()}
    fields = msgspec.structs.asdict(entry_shape(entry))
    return WorkflowDetail(**fields, text=text, inputs=shaped)

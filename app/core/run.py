"""A run of a workflow and its steps, as operators, HTTP and MQTT see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec


class RunState(StrEnum):
    """State of a run. WAITING: for a person, an agent, its turn or a time; it says for what."""

    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})


class StepState(StrEnum):
    """State of a step. CANCELLED: the run was failing or cancelled before it was done."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


SETTLED = frozenset({StepState.DONE, StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED})


class LogLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a step's log: when (UTC) and what."""

    at: datetime
    text: str


class StepRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What became of one step in one round.

    Attributes:
        step: Its id in the definition.
        round: 1, and one more each time a loop comes back to it.
        state: Where it stands.
        waiting_for: For whom or what, if it waits.
        input: Fields of the action as they were computed.
        output: What it gave.
        error: Why it failed.
        agent: `name/instance` that did it, or "app".
        attempts: Tries so far.
        started_at: UTC.
        ended_at: UTC.
        log: What happened, oldest first.
        carried: It was done in an earlier run, and its output was taken over.
        compensation: How taking it back ended: "", "done" or why it failed.
        jumps: It ended with its loop's condition true.
        may_have_acted: It did not end well, and nobody can say that it did nothing.
    """

    step: str
    round: int = 1
    state: StepState = StepState.PENDING
    waiting_for: str = ""
    input: Any = None
    output: Any = None
    error: str = ""
    agent: str = ""
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    log: tuple[LogLine, ...] = ()
    carried: bool = False
    compensation: str = ""
    jumps: bool = False
    may_have_acted: bool = False


class StartedBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What started a run.

    Attributes:
        kind: "click", "http", "cli", "mqtt", "finding", "alarm", "schedule", "workflow", "retry".
        name: The person, or the system for triggers.
        event: What was heard, if it was a trigger.
        why: What the person said.
    """

    kind: str
    name: str
    event: Any = None
    why: str = ""


class WorkflowRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One run.

    Attributes:
        id: Path segment.
        workflow: Name of the definition.
        version: Content hash of the definition that it runs by.
        state: Where it stands.
        started_at: When it was asked for, UTC.
        ended_at: UTC.
        input: Its inputs.
        key: What runs are counted by.
        started_by: Who or what started it.
        reason: Why it failed or was cancelled, or what it waits for.
        steps: The last round of each step, in the definition's order; empty in a list of runs.
        output: Output of its last step.
        parent: `run:step` that started it, behind those that started that one, each with a "/";
            empty for none.
        retry_of: Run that it repeats.
        retried_by: Run that repeats it.
        is_dry: Nothing was sent or changed.
        reviewed: A person has seen to this failure: who and why; it is no dead letter any more.
        role: Role of who started it; its commands are asked for with it.
        app: Version of Millwright that began it.
    """

    id: str
    workflow: str
    version: str
    state: RunState
    started_at: datetime
    input: dict[str, Any]
    started_by: StartedBy
    ended_at: datetime | None = None
    key: str = ""
    reason: str = ""
    steps: tuple[StepRun, ...] = ()
    output: Any = None
    parent: str = ""
    retry_of: str = ""
    retried_by: str = ""
    is_dry: bool = False
    reviewed: str = ""
    role: str = "operator"
    app: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """What became of asking for a run.

    Attributes:
        run: As it stands.
        is_new: This asking made it; one whose id was known goes on as it was.
    """

    run: WorkflowRun
    is_new: bool


class ApprovalState(StrEnum):
    """State of an approval."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A decision that a run waits for.

    Attributes:
        id: `run:step`, with the round behind it in a loop.
        run: The run.
        step: The step.
        workflow: Name of the workflow.
        question: What is to be decided.
        details: Figures to see.
        role: Least role that may decide.
        state: Where it stands.
        asked_at: UTC.
        expires_at: After this the step fails, UTC.
        decided_by: Who decided.
        decided_role: Role of that person.
        decided_at: When, UTC.
        note: What that person said.
    """

    id: str
    run: str
    step: str
    workflow: str
    question: str
    role: str
    state: ApprovalState
    asked_at: datetime
    expires_at: datetime
    details: Any = None
    decided_by: str = ""
    decided_role: str = ""
    decided_at: datetime | None = None
    note: str = ""


class RunChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What stands on `millwright/runs/{run}`: the run without its steps, and one step that changed.

    Attributes:
        run: The run.
        step: The step; None if only the run changed.
    """

    run: WorkflowRun
    step: StepRun | None = None


class WorkflowTrigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `millwright/workflows/trigger` takes.

    Attributes:
        workflow: Name.
        input: Its inputs.
        id: Sent twice, it starts one run; empty for none.
        requested_by: Who asks; a claim, nothing proves it.
    """

    workflow: Annotated[str, msgspec.Meta(max_length=60)]
    input: dict[str, Any] = {}
    id: str = ""
    requested_by: Annotated[str, msgspec.Meta(max_length=40)] = ""


def ancestors_of(parent: str) -> list[str]:
    """Return the runs that a run's `parent` names, the outermost first."""
    return [each.rpartition(":")[0] for each in parent.split("/")] if parent else []

"""What the doing of one step knows of its run, and how it tells what it waits for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from app.core.actor import COMPENSATION, MQTT, SYSTEM, Actor, Role
from app.core.errors import InputError
from app.core.run import StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Step, Workflow


class Child(NamedTuple):
    """What a run within a run goes by; `role` is that of who saved its definition."""

    workflow: Workflow
    version: str
    input: dict[str, Any]
    key: str
    role: Role


_NOBODY = frozenset({SYSTEM.name, MQTT})
"""Names that what starts runs goes by where no person is named."""
_BY_PERSONS = frozenset({"click", "http", "cli", "retry"})


def starter(by: StartedBy) -> str:
    """Return the person, or the program that named itself, who started a run; "" if none did."""
    return by.name if by.kind in _BY_PERSONS or by.name not in _NOBODY else ""


def as_path(task_id: str) -> str:
    """Return a task id as a path segment."""
    return task_id.replace(":", "-").replace(".", "-")


class PlantSilentError(InputError):
    """The app has just started and has not heard a tag yet; it will in a moment."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One step, or one element of its for-each, being done.

    Attributes:
        run: The run, without steps.
        step: The step.
        task_id: `run:step`, with round and element behind it where there are several; the same
            after a restart, so whoever gets it twice knows it.
        deadline: When it is given up, UTC; survives a restart.
        waiting: Takes for whom or what it waits; empty when it does not.
        log: Takes a line of the step's log.
        names: What expressions of the step see.
        is_cancelled: Tells whether the run is cancelled, and the app not merely stopping.
        approver: Whose agreement in an approve step before this one counts; None if nobody's does.
        agreed: Name of who agreed last before this step, also where it counts for nothing, as a
            later question was answered with no or a step is taken back; "" if nobody did.
    """

    run: WorkflowRun
    step: Step
    task_id: str
    deadline: datetime
    waiting: Callable[[str], None]
    log: Callable[[str], None]
    is_cancelled: Callable[[], bool]
    names: Mapping[str, object] = field(default_factory=dict[str, object])
    approver: Actor | None = None
    agreed: str = ""

    @property
    def path(self) -> str:
        """The task id as a path segment."""
        return as_path(self.task_id)

    @property
    def person(self) -> str:
        """Who stands behind the run: its starter, else who agreed last in it; "" if nobody does.

        Two are two all the same where one agreed in the run and another agrees to its command.
        """
        approver = self.approver.name if self.approver else ""
        agreed = self.agreed or ("" if approver == COMPENSATION else approver)
        return starter(self.run.started_by) or agreed


@dataclass(frozen=True, slots=True)
class Done:
    """What a step gave, and `name/instance` of who did it."""

    output: object
    agent: str = "app"


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known of what a step asked for that came to no good end.

    Attributes:
        may_have_acted: Nobody can say that it did nothing.
        output: What is known of what it did; None if nothing is.
        words: The same for people; "" if there is nothing to say.
        can_be_withdrawn: Nobody acts on it yet, and a cancel may see to it that nobody will.
        patience_s: More will be known soon, and so long it is worth waiting for that.
    """

    may_have_acted: bool
    output: object = None
    words: str = ""
    can_be_withdrawn: bool = False
    patience_s: float = 0.0


class Doer(Protocol):
    """What does the steps of runs; the engine knows no more of it."""

    async def do(self, kind: ActionKind, fields: dict[str, Any], doing: Doing) -> Done:
        """Do an action; its fields are computed already.

        Raises:
            MillwrightError: It failed.
        """
        ...

    async def withdraw(self, kind: ActionKind, task_id: str) -> None:
        """Take back what a step asked of people in an earlier life of the app, if it did.

        Raises:
            StoreError: It cannot be read or written.
        """
        ...

    async def fate(self, kind: ActionKind, task_id: str) -> Fate | None:
        """Return what is known of what a step asked for; None of kinds that leave no trace here.

        Raises:
            StoreError: It cannot be read.
        """
        ...

"""What became of what a broken-off step asked for, as far as the stores of the app tell."""

import math
from typing import Protocol, assert_never

import msgspec

from app.core.command import Command, CommandState
from app.core.errors import ConflictError, NotFoundError
from app.core.run import RunState, WorkflowRun
from app.core.workflow import ActionKind
from app.store.run_rows import Stored
from app.store.runs import RunStore
from app.workflow.context import Fate, as_path

NOTHING = Fate(may_have_acted=False)
SHOWN_S = 10.0
"""An acknowledged command shows within seconds as a rule, and else is judged as it stands."""
_UNSENT = frozenset({CommandState.REQUESTED, CommandState.AWAITING_APPROVAL})
_NOT_DONE = frozenset({CommandState.REJECTED, CommandState.EXPIRED})


class Rows(Protocol):
    """What is needed of the gateway."""

    async def get(self, command_id: str) -> Command:
        """Return a command."""
        ...


async def fate_of(kind: ActionKind, task_id: str, commands: Rows, runs: RunStore) -> Fate | None:
    """Return what is known of what a step asked for; None of kinds that leave no trace here.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        match kind:
            case ActionKind.COMMAND:
                command = await commands.get(as_path(task_id))
                return command_fate(command) if command.run == task_id else NOTHING
            case ActionKind.WORKFLOW:
                stored = await runs.find(as_path(task_id))
                is_own = stored.run.parent.rpartition("/")[2] == task_id
                return child_fate(stored) if is_own else NOTHING  # a person's of that id
            case ActionKind.WAIT | ActionKind.APPROVE:
                return NOTHING
            case ActionKind.TASK | ActionKind.PUBLISH | ActionKind.NOTIFY | ActionKind.HTTP:
                return None
            case _:
                assert_never(kind)
    except NotFoundError:
        return NOTHING  # it was never asked for
    except ConflictError as error:  # another version of the app wrote it, or it is damaged
        is_run = kind is ActionKind.WORKFLOW
        output = {"run": as_path(task_id)} if is_run else None
        return Fate(may_have_acted=True, output=output, words="" if is_run else str(error))


def command_fate(command: Command) -> Fate:
    """Return what a command has done, and for how long it may still tell more."""
    state = command.state
    said = f"{state.value}: {command.reason}" if command.reason else state.value
    words = f"command {command.tag} = {command.value:g} is {said}"
    if state in _NOT_DONE:
        return Fate(may_have_acted=False, words=words if command.sent_at else "")
    patience_s = 0.0
    if state in {*_UNSENT, CommandState.DISPATCHED}:
        patience_s = math.inf  # the gateway ends each in bounded time
    elif state is CommandState.ACKNOWLEDGED:
        patience_s = SHOWN_S
    return Fate(
        may_have_acted=True,
        output=msgspec.to_builtins(command),
        words=words,
        can_be_withdrawn=state in _UNSENT,
        patience_s=patience_s,
    )


def child_fate(stored: Stored) -> Fate:
    """Return what a run within a run has done."""
    run = stored.run
    if not stored.slots and run.state is RunState.CANCELLED:
        return NOTHING  # its turn never came
    return Fate(
        may_have_acted=True,
        output={"run": run.id, "output": run.output},
        words=_child_words(run),
        can_be_withdrawn=stored.is_queued and not stored.cancel,
        patience_s=math.inf if stored.is_queued else 0.0,
    )


def _child_words(run: WorkflowRun) -> str:
    return f"run {run.id} is {run.state.value}"

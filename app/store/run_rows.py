"""Rows of runs, and what is made of those that this version of the app cannot read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from app import __version__
from app.core.errors import ConflictError, NotFoundError
from app.core.run import OVER, RunState, StartedBy, WorkflowRun
from app.core.workflow import Workflow
from app.store.database import storable
from app.store.run_tables import RUNS, STEPS, sort_words

SHOWN = (
    RUNS.c.id, RUNS.c.sort, RUNS.c.workflow, RUNS.c.key, RUNS.c.state, RUNS.c.parent, RUNS.c.cancel,
    RUNS.c.run,
)  # fmt: skip
"""What `run_of` needs of a row."""

_SEARCHED = 2000
_UNKNOWN = StartedBy("unknown", "unknown")


class UnreadableRunError(ConflictError):
    """A run that another version of the app began, or whose row is damaged."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A run with all that is certain of it.

    Attributes:
        run: Without its steps.
        snapshot: Definition it runs by.
        slots: Certain data by slot.
        is_queued: It waits for its turn.
        cancel: Why it shall be cancelled, empty if it shall not.
        owner: Orchestrator that carries it out.
    """

    run: WorkflowRun
    snapshot: Workflow
    slots: dict[str, bytes]
    is_queued: bool
    cancel: str
    owner: str


class _Begun(msgspec.Struct, frozen=True):
    app: str = ""


def run_of(row: Any) -> WorkflowRun:  # noqa: ANN401  a row of SHOWN
    """Return a run without its steps; of one that cannot be read, what its columns tell."""
    try:
        return _run(row)
    except msgspec.MsgspecError as error:
        return WorkflowRun(
            id=row.id,
            workflow=row.workflow,
            version="",
            state=RunState(row.state),
            started_at=datetime.fromtimestamp(int(row.sort.partition(" ")[0]) / 1000, UTC),
            input={},
            started_by=_UNKNOWN,
            key=row.key,
            parent=row.parent,
            reason=unreadable(row.run, error),
        )


def _run(row: Any) -> WorkflowRun:  # noqa: ANN401  a row of SHOWN
    run, state = msgspec.json.decode(row.run, type=WorkflowRun), RunState(row.state)
    if state in OVER and run.state is not state:  # ended without being read
        return msgspec.structs.replace(run, state=state, reason=row.cancel)
    return run


def stored_of(connection: sa.Connection, run_id: str) -> Stored:
    """Return a run with all that is certain of it.

    Raises:
        NotFoundError: There is no such run.
        UnreadableRunError: This version of the app cannot read it.
    """
    row = connection.execute(RUNS.select().where(RUNS.c.id == run_id)).first()
    if row is None:
        raise unknown(run_id)
    of_it = sa.select(STEPS.c.slot, STEPS.c.data).where(STEPS.c.run == run_id)
    slots = connection.execute(of_it).all()
    try:
        run, snapshot = _run(row), msgspec.json.decode(row.snapshot, type=Workflow)
    except msgspec.MsgspecError as error:
        raise UnreadableRunError(
            f"Run {run_id}: {unreadable(row.run, error)}", "Cancel it, or start that version"
        ) from error
    return Stored(
        run=run,
        snapshot=snapshot,
        slots={each.slot: each.data for each in slots},
        is_queued=row.is_queued,
        cancel=row.cancel,
        owner=row.owner,
    )


def unreadable(data: bytes, error: Exception) -> str:
    """Return why a run cannot be read, and which version of the app began it if that can be."""
    try:
        begun_by = msgspec.json.decode(data, type=_Begun).app
    except msgspec.MsgspecError:
        begun_by = ""
    other = f"Millwright {begun_by} began it; " if begun_by not in {"", __version__} else ""
    return f"{other}Millwright {__version__} cannot read it: {error}"


def columns(run: WorkflowRun, owner: str) -> dict[str, object]:
    """Return what a row holds of a run."""
    is_dead = run.state is RunState.FAILED and not (run.retried_by or run.reviewed or run.parent)
    return {
        "id": run.id,
        "sort": sort_words(run.started_at, run.id),
        "workflow": run.workflow,
        "key": storable(run.key),
        "state": run.state.value,
        "is_dead": is_dead and not run.is_dry,
        "owner": owner,
        "parent": run.parent,
        "run": msgspec.json.encode(msgspec.structs.replace(run, steps=())),
        **({"is_queued": False, "words": words(run)} if run.state in OVER else {}),
    }


def words(run: WorkflowRun) -> str:
    """Return what a search looks through."""
    by, given = run.started_by, msgspec.json.encode(run.input).decode()
    said = (run.id, run.workflow, run.key, run.reason, by.kind, by.name, by.why, given)
    return storable(" ".join(said)).lower()[:_SEARCHED]


def unknown(run_id: str) -> NotFoundError:
    """Return what is said of a run that is not there."""
    return NotFoundError(f'There is no run "{run_id[:120]}"', "GET /api/runs lists all")

"""Whether a run may begin beside others of its workflow and key."""

from collections.abc import Sequence
from enum import StrEnum

from app.core.workflow import Concurrency, RunMode


class Admission(StrEnum):
    """What a start comes to.

    START: it begins. WAIT: it is kept until another ends. REPLACE: the others are cancelled, and
    it begins when they have ended. REFUSE: it does not happen.
    """

    START = "start"
    WAIT = "wait"
    REPLACE = "replace"
    REFUSE = "refuse"


def admit(rule: Concurrency, active: Sequence[str], waiting: Sequence[str]) -> Admission:
    """Decide on a further run.

    Args:
        rule: Of the workflow.
        active: Runs of the same key that are under way.
        waiting: Runs of the same key that wait for their turn.
    """
    room = {RunMode.PARALLEL: rule.max}.get(rule.mode, 1)
    if len(active) < room and not waiting:
        return Admission.START
    match rule.mode:
        case RunMode.SINGLE:
            return Admission.REFUSE
        case RunMode.RESTART:
            return Admission.REPLACE
        case RunMode.QUEUED | RunMode.PARALLEL:
            return Admission.WAIT if len(waiting) < rule.queue else Admission.REFUSE


def next_waiting(rule: Concurrency, active: Sequence[str], waiting: Sequence[str]) -> str | None:
    """Return the run whose turn it is, the oldest that waits, None while there is no room."""
    room = {RunMode.PARALLEL: rule.max}.get(rule.mode, 1)
    return waiting[0] if waiting and len(active) < room else None

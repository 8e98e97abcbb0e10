"""Whether a run may begin beside others of its workflow and key."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from app.core.workflow import Concurrency, RunMode


class Admission(StrEnum):
    """What a start comes to.

    START: it begins. WAIT: it is kept until another ends. REPLACE: the others are cancelled, and
    it begins when they have ended. REFUSE: it does not happen. CIRCLE: it does not happen, as it
    would wait for a run that waits for it.
    """

    START = "start"
    WAIT = "wait"
    REPLACE = "replace"
    REFUSE = "refuse"
    CIRCLE = "circle"


def admit(
    rule: Concurrency, active: Sequence[str], waiting: Sequence[str], *, is_child: bool = False
) -> Admission:
    """Decide on a further run.

    Args:
        rule: Of the workflow.
        active: Runs of the same key that are under way.
        waiting: Runs of the same key that wait for their turn.
        is_child: It is a run within a run, which waits where another is refused: the run that
            starts it is under way already.
    """
    room = {RunMode.PARALLEL: rule.max}.get(rule.mode, 1)
    if len(active) < room and not waiting:
        return Admission.START
    if is_child and rule.mode is not RunMode.RESTART:
        return Admission.WAIT
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


def waits_for_itself(
    run: str, within: Mapping[str, Sequence[str]], waits_for: Mapping[str, Sequence[str]]
) -> bool:
    """Tell whether a run that waits for its turn could never begin.

    Args:
        run: The run.
        within: Open runs by the run that started them, and which ends after them.
        waits_for: Runs that wait for their turn, each with those of which one must end before.
    """
    ending = {each for runs in (*within.values(), *waits_for.values()) for each in runs}
    left = ending | within.keys() | waits_for.keys() | {run}
    while run in left:
        # from those that wait for nobody to those that wait for them only
        free = {each for each in left if _can_end(each, left, within, waits_for)}
        if not free:
            return True
        left -= free
    return False


def _can_end(
    run: str,
    left: set[str],
    within: Mapping[str, Sequence[str]],
    waits_for: Mapping[str, Sequence[str]],
) -> bool:
    before = waits_for.get(run, ())
    has_turn = not before or any(each not in left for each in before)
    return has_turn and not any(each in left for each in within.get(run, ()))

"""Who stands behind a run that the end of another run has started."""

import msgspec

from app.core.actor import SYSTEM
from app.core.run import Approval, ApprovalState, StartedBy
from app.core.workflow import TriggerKind
from app.store.runs import RunStore
from app.workflow.context import starter

_LOOKED_AT = 1000
"""Decisions of one run that are looked at, the newest."""


async def named(by: StartedBy, store: RunStore) -> StartedBy:
    """Return what starts a run, with the name of the person behind the run whose end it was.

    So who started the first run, or agreed in it, is no second person for the commands of those
    that follow, however many there are.

    Raises:
        MillwrightError: That run cannot be read; without it nobody knows whose wish it was.
    """
    match by.event:
        case {"run": str() as run_id} if by.kind == TriggerKind.WORKFLOW:
            name = await _person_behind(run_id, store) or SYSTEM.name
            return msgspec.structs.replace(by, name=name)
        case _:
            return by


async def _person_behind(run_id: str, store: RunStore) -> str:
    """Return who started a run, else who agreed last in it; "" if nobody did."""
    run = (await store.find(run_id)).run
    if name := starter(run.started_by):
        return name
    decided = await store.approvals.listed(is_open=False, limit=_LOOKED_AT, run=run_id)
    agreed = [each for each in decided if each.state is ApprovalState.APPROVED]
    return max(agreed, key=_decided_s).decided_by if agreed else ""


def _decided_s(approval: Approval) -> float:
    return approval.decided_at.timestamp() if approval.decided_at else 0.0

"""Many runs at once over HTTP: each is repeated, cancelled or seen to, and has its own outcome."""

from enum import StrEnum
from typing import Annotated, Literal, assert_never

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answers, read_body, reply, takes
from app.api.runs import Which
from app.api.who import actor_of
from app.core.actor import Actor
from app.core.errors import InputError, MillwrightError
from app.plant import Plant

_MOST = 500
_Id = Annotated[str, msgspec.Meta(max_length=120)]


class BulkAction(StrEnum):
    """What is done to each run."""

    RETRY = "retry"
    CANCEL = "cancel"
    REVIEW = "review"


class BulkRuns(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of many runs.

    Attributes:
        ids: Runs; one that is named twice counts once.
        action: retry, cancel or review.
        why: Reason, for the audit.
        definition: For retry: by the old definition, or by the current one.
        begin: For retry: at the start, or where each stopped, with what was done before that.
    """

    ids: Annotated[list[_Id], msgspec.Meta(min_length=1, max_length=_MOST)]
    action: BulkAction
    why: Annotated[str, msgspec.Meta(max_length=1000)]
    definition: Which = "old"
    begin: Literal["start", "stopped"] = "start"


class RunOutcome(msgspec.Struct, frozen=True):
    """What became of one of them.

    Attributes:
        id: The run.
        ok: It was done.
        message: Why not, empty if it was done.
        run: The run that repeats it, empty for other actions.
    """

    id: str
    ok: bool
    message: str = ""
    run: str = ""


def router(plant: Plant) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["runs"])

    @routes.post(
        "/api/runs/bulk",
        responses=answers(list[RunOutcome], "One outcome a run, in the order of the ids"),
        openapi_extra=takes(BulkRuns),
    )
    async def bulk(
        request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Repeat, cancel or see to many runs, one after the other; one refused stops no other."""
        wanted = await read_body(request, BulkRuns)
        if not wanted.why.strip():
            raise InputError("why: is empty; say the reason, it stands in the audit")
        ids = dict.fromkeys(wanted.ids)
        return reply([await _outcome(plant, each, wanted, actor) for each in ids])

    return routes


async def _outcome(plant: Plant, run_id: str, wanted: BulkRuns, actor: Actor) -> RunOutcome:
    try:
        made = await _done(plant, run_id, wanted, actor)
    except MillwrightError as error:
        return RunOutcome(run_id, False, f"{error}. {error.hint}" if error.hint else str(error))
    return RunOutcome(run_id, True, run=made)


async def _done(plant: Plant, run_id: str, wanted: BulkRuns, actor: Actor) -> str:
    match wanted.action:
        case BulkAction.RETRY:
            is_whole = wanted.begin == "start"
            step = "" if is_whole else await plant.workflows.repair.stopped_at(run_id)
            again = await plant.retry_run(
                run_id, actor, wanted.why, step=step, definition=wanted.definition
            )
            return again.id
        case BulkAction.CANCEL:
            await plant.cancel_run(run_id, actor, wanted.why)
        case BulkAction.REVIEW:
            await plant.review_run(run_id, actor, wanted.why)
        case _:
            assert_never(wanted.action)
    return ""

"""Runs over HTTP: lists, one with its steps, and what a person does about one."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.api.answers import answers, read_body, reply, takes
from app.api.run_shapes import ApprovalShape, RunShape, approval_shape, run_shape
from app.api.who import actor_of
from app.core.actor import Actor
from app.core.errors import ConflictError, InputError
from app.core.run import Approval, RunState
from app.core.workflow import Workflow
from app.plant import Plant

PAGE = 1000
_Limit = Annotated[int, Query(ge=1, le=PAGE)]
_Words = Annotated[str, Query(max_length=200)]
_Note = Annotated[str, msgspec.Meta(max_length=1000)]
_Step = Annotated[str, msgspec.Meta(max_length=80)]
Which = Literal["old", "current"]


class RunReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a person does it; it stands in the audit."""

    why: _Note


class RunRetry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a run is repeated.

    Attributes:
        why: RunReason, for the audit.
        step: From which step; empty is from the start.
        definition: By the old definition, or by the current one.
    """

    why: _Note
    step: _Step = ""
    definition: Which = "old"


class RunApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agreement: the step that asks, needed if there are several, and what the person says."""

    step: _Step = ""
    note: _Note = ""


class RunRejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refusal: why, and the step that asks, needed if there are several."""

    note: _Note
    step: _Step = ""


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/runs, /api/approvals and /api/dead-letters/runs."""
    routes = APIRouter(tags=["runs"])
    _add_lists(routes, plant)
    _add_waiting(routes, plant)
    _add_one(routes, plant)
    _add_repair(routes, plant)
    _add_deciding(routes, plant)
    return routes


def _add_lists(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/api/runs", responses=answers(list[RunShape], "Runs, the newest first"))
    async def find(  # noqa: PLR0917  the parameters of the query
        workflow: _Words = "",
        state: Annotated[list[RunState] | None, Query()] = None,
        key: _Words = "",
        text: _Words = "",
        before: _Words = "",
        dead: bool = False,
        limit: _Limit = 100,
    ) -> Response:
        """List runs without their steps; `state` may repeat, `before` is the last id of a page.

        `dead=true` lists what failed and nobody has repeated or seen to; it takes no other filter.
        """
        states = tuple(state or ())
        if not dead:
            found = await plant.workflows.runs(
                workflow=workflow, states=states, key=key, text=text, before=before, limit=limit
            )
        elif workflow or states or key or text or before:
            raise InputError("dead: takes no filter beside it but limit")
        else:
            found = await plant.workflows.dead(limit)
        return reply([run_shape(each) for each in found])


def _add_waiting(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/api/dead-letters/runs", responses=answers(list[RunShape], "The newest first"))
    async def dead_letters(limit: _Limit = 200) -> Response:
        """List runs that failed and that nobody has repeated or seen to."""
        return reply([run_shape(each) for each in await plant.workflows.dead(limit)])

    @routes.get("/api/approvals", responses=answers(list[ApprovalShape], "The approvals"))
    async def approvals(
        is_open: Annotated[bool, Query(alias="open")] = True, limit: _Limit = 200
    ) -> Response:
        """List open approvals, the oldest first; with `open=false` decided ones, newest first."""
        found = await plant.workflows.approvals(is_open=is_open, limit=limit)
        return reply([approval_shape(each) for each in found])


def _add_one(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/api/runs/{run_id}", responses=answers(RunShape, "The run"))
    async def get(run_id: str) -> Response:
        """Show a run with every step in every round."""
        return reply(run_shape(await plant.workflows.run(run_id)))

    @routes.get("/api/runs/{run_id}/definition", responses=answers(Workflow, "The definition"))
    async def definition(run_id: str) -> Response:
        """Show the definition that a run goes by, as it was when it began."""
        return reply(await plant.workflows.snapshot(run_id))


def _add_repair(routes: APIRouter, plant: Plant) -> None:
    reason = takes(RunReason)

    @routes.post(
        "/api/runs/{run_id}/retry",
        status_code=201,
        responses=answers(RunShape, "The run that repeats it", 201),
        openapi_extra=takes(RunRetry),
    )
    async def retry(
        run_id: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Repeat a run that is over, from its start or from a step."""
        asked = await read_body(request, RunRetry)
        run = await plant.retry_run(
            run_id, actor, asked.why, step=asked.step, definition=asked.definition
        )
        return reply(run_shape(run), 201)

    @routes.post(
        "/api/runs/{run_id}/cancel",
        status_code=202,
        responses=answers(RunShape, "The run as it stands; it ends soon", 202),
        openapi_extra=reason,
    )
    async def cancel(
        run_id: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Cancel a run; steps that can be taken back are."""
        await plant.cancel_run(run_id, actor, (await read_body(request, RunReason)).why)
        return reply(run_shape(await plant.workflows.run(run_id)), 202)

    @routes.post(
        "/api/runs/{run_id}/review",
        responses=answers(RunShape, "The run, no dead letter any more"),
        openapi_extra=reason,
    )
    async def review(
        run_id: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Note that a person has seen to a run that failed."""
        why = (await read_body(request, RunReason)).why
        return reply(run_shape(await plant.review_run(run_id, actor, why)))


def _add_deciding(routes: APIRouter, plant: Plant) -> None:
    decided = answers(ApprovalShape, "The approval, decided")

    @routes.post("/api/runs/{run_id}/approve", responses=decided, openapi_extra=takes(RunApproval))
    async def approve(
        run_id: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Agree to what a run asks; 409 if it asks several things and no step is named."""
        said = await read_body(request, RunApproval) if await request.body() else RunApproval()
        found = await _waiting(plant, run_id, said.step)
        return reply(approval_shape(await plant.decide(found.id, True, actor, said.note)))

    @routes.post("/api/runs/{run_id}/reject", responses=decided, openapi_extra=takes(RunRejection))
    async def reject(
        run_id: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Refuse what a run asks, with the reason; 409 as for approve."""
        said = await read_body(request, RunRejection)
        found = await _waiting(plant, run_id, said.step)
        return reply(approval_shape(await plant.decide(found.id, False, actor, said.note)))


async def _waiting(plant: Plant, run_id: str, step: str) -> Approval:
    """Return the one open approval of a run, of a step if named.

    Raises:
        NotFoundError: There is no such run.
        ConflictError: There is none, or there are several.
    """
    run = await plant.workflows.run(run_id)
    found = await plant.workflows.approvals(is_open=True, run=run_id)
    asked = {_place(each): each for each in found}
    named = [each for place, each in asked.items() if step in {"", place, each.step}]
    if len(named) == 1:
        return named[0]
    open_steps = ", ".join(asked)
    if named:
        raise ConflictError(
            f"Run {run_id} waits for {len(named)} decisions", f"Name one as step: {open_steps}"
        )
    at = f' at "{step}"' if step else ""
    state = f"It is {run.state.value}" + (
        f" for {run.reason}" if run.state is RunState.WAITING else ""
    )
    hint = f"It waits at: {open_steps}" if open_steps else state
    raise ConflictError(f"Run {run_id} waits for no decision{at}", hint)


def _place(approval: Approval) -> str:
    """Return what tells an approval from the others of its run: step, round and element."""
    return approval.id.removeprefix(f"{approval.run}:")

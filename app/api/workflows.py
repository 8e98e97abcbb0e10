"""Workflows over HTTP: the catalogue, a definition's text, starting a run, trying one without."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import Described, answers, read_body, reply, takes
from app.api.run_shapes import EntryShape, RunShape, WorkflowDetail, detail, entry_shape, run_shape
from app.api.who import actor_of
from app.core.actor import Actor
from app.core.errors import ConflictError, InputError
from app.core.topics import is_segment
from app.core.workflow import Input
from app.core.workflow_entry import Problem
from app.plant import Plant

_Note = Annotated[str, msgspec.Meta(max_length=1000)]
_Name = Annotated[str, msgspec.Meta(max_length=60)]


class RunStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run that is asked for.

    Attributes:
        input: Inputs by name; what is absent takes its default.
        why: Reason, for the audit.
        id: Path segment; the same id again is the same run. Empty makes one.
    """

    input: dict[str, object] = {}
    why: _Note = ""
    id: _Name = ""


class WorkflowDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text to be judged: TOML, and the name that its file would have, empty for any."""

    text: str
    name: _Name = ""


class WorkflowTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A run to be tried without doing anything: of a text, or of a workflow by its name."""

    text: str = ""
    name: _Name = ""
    input: dict[str, object] = {}


class WorkflowText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A definition to be kept.

    Attributes:
        text: TOML; its name is that of the path.
        base_version: Version it was made from; refused if another is there meanwhile. Empty does
            not ask.
    """

    text: str
    base_version: str = ""


class Linted(msgspec.Struct, frozen=True):
    """Whether a text can run, and what is wrong with it, by line."""

    ok: bool
    problems: list[Problem]


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/workflows."""
    routes = APIRouter(prefix="/api/workflows", tags=["workflows"])
    _add_catalogue(routes, plant)
    _add_trying(routes, plant)
    _add_starting(routes, plant)
    _add_changing(routes, plant)
    _add_switch(routes, plant)
    return routes


def _add_catalogue(routes: APIRouter, plant: Plant) -> None:
    @routes.get("", responses=answers(list[EntryShape], "All workflows, by name"))
    async def catalogue() -> Response:
        """List the workflows, each with its latest run."""
        return reply([entry_shape(each) for each in plant.workflows.catalogue()])

    @routes.get("/{name}", responses=answers(WorkflowDetail, "The workflow"))
    async def get(name: str) -> Response:
        """Show a workflow with its text and its inputs."""
        entry = plant.workflows.entry(name)
        return reply(detail(entry, plant.workflows.source(name), _inputs(plant, name)))


def _add_trying(routes: APIRouter, plant: Plant) -> None:
    @routes.post(
        "/lint", responses=answers(Linted, "What is wrong"), openapi_extra=takes(WorkflowDraft)
    )
    async def lint(request: Request) -> Response:
        """Judge a text; nothing is kept."""
        draft = await read_body(request, WorkflowDraft)
        problems = await plant.workflows.lint(draft.text, draft.name)
        return reply(Linted(not any(each.is_error for each in problems), problems))

    @routes.post(
        "/dry-run",
        responses=answers(RunShape, "The run as it would be"),
        openapi_extra=takes(WorkflowTrial),
    )
    async def dry_run(
        request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Tell what each step of a run would send; nothing is sent, kept or noted."""
        trial = await read_body(request, WorkflowTrial)
        if bool(trial.text) is bool(trial.name):
            raise InputError("text, name: give one of both")
        text = trial.text or plant.workflows.source(trial.name)
        return reply(run_shape(await plant.dry_run_workflow(text, trial.input, actor)))


def _add_starting(routes: APIRouter, plant: Plant) -> None:
    @routes.post(
        "/{name}/runs", status_code=201, responses=_started(), openapi_extra=takes(RunStart)
    )
    async def start(
        name: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Start a run: 201, or 200 with the run of that id if it is known already.

        The header `X-Actor` says who starts it: a claim until there is a login.
        """
        wanted = await read_body(request, RunStart) if await request.body() else RunStart()
        if wanted.id and not is_segment(wanted.id):
            raise InputError("id: use letters, digits, _ and -")
        begun = await plant.operations.begin_workflow(
            name, wanted.input, actor, why=wanted.why, id=wanted.id
        )
        return reply(run_shape(begun.run), 201 if begun.is_new else 200)


def _add_changing(routes: APIRouter, plant: Plant) -> None:
    saved = answers(EntryShape, "It is kept, over an earlier text")

    @routes.put(
        "/{name}",
        responses=saved | answers(EntryShape, "It is kept and new", 201),
        openapi_extra=takes(WorkflowText),
    )
    async def save(
        name: str, request: Request, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Keep a definition: 201 if there was none of this name; 422 names errors by line."""
        given = await read_body(request, WorkflowText)
        is_new = name not in {each.name for each in plant.workflows.catalogue()}
        entry = await plant.save_workflow(name, given.text, actor, base_version=given.base_version)
        return reply(entry_shape(entry), 201 if is_new else 200)

    @routes.delete("/{name}", responses=answers(EntryShape, "The workflow as it was"))
    async def delete(
        name: str, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Delete an own definition; a shipped one of its name works again."""
        entry = plant.workflows.entry(name)
        await plant.delete_workflow(name, actor)
        return reply(entry_shape(entry))


def _add_switch(routes: APIRouter, plant: Plant) -> None:
    @routes.post("/{name}/enable", responses=answers(EntryShape, "Its triggers work"))
    async def enable(
        name: str, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Have a workflow's triggers start runs."""
        return reply(entry_shape(await plant.enable_workflow(name, True, actor)))

    @routes.post("/{name}/disable", responses=answers(EntryShape, "Its triggers rest"))
    async def disable(
        name: str, actor: Annotated[Actor, Depends(actor_of(plant.settings))]
    ) -> Response:
        """Have a workflow's triggers start nothing; by hand it can be started all the same."""
        return reply(entry_shape(await plant.enable_workflow(name, False, actor)))


def _inputs(plant: Plant, name: str) -> dict[str, Input]:
    try:
        return plant.workflows.definition(name).inputs
    except ConflictError:  # broken, and never read whole
        return {}


def _started() -> Described:
    known = answers(RunShape, "It is known already and goes on as it was")
    return answers(RunShape, "It is on disk and has begun, or waits for its turn", 201) | known

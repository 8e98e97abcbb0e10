"""Declared write rules over HTTP: in force and held side by side, accepted or refused."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from app.api.answers import answers, read_body, reply, takes
from app.api.who import actor_of
from app.core.actor import Actor
from app.live.rules import HeldRules
from app.plant import Plant
from app.write_rules import RulesView

_Why = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
_Version = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class RuleDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an engineer says of held rules.

    Attributes:
        version: Of the held rules that were seen; others by now answer 409.
        why: Reason, for the audit.
    """

    version: _Version
    why: _Why


class RuleDecisions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an engineer accepts at once.

    Attributes:
        versions: Of the held rules that were seen, by the path of the unit.
        why: Reason, for the audit.
    """

    versions: dict[str, _Version]
    why: _Why


def _unit_path(site: str, area: str, line: str, unit: str) -> str:
    return f"{site}/{area}/{line}/{unit}"


_Path = Annotated[str, Depends(_unit_path)]


def router(plant: Plant) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/equipment", tags=["tags"])
    _add_all(routes, plant)
    _add_one(routes, plant)
    return routes


def _add_all(routes: APIRouter, plant: Plant) -> None:
    who = actor_of(plant.settings)

    @routes.get("/write-rules", responses=answers(list[HeldRules], "Units whose rules wait"))
    async def waiting() -> Response:
        """List the units that declare other write rules than those in force."""
        return reply(plant.write_rules.waiting())

    @routes.post(
        "/write-rules/accept",
        responses=answers(list[RulesView], "The units' rules"),
        openapi_extra=takes(RuleDecisions),
    )
    async def accept_all(request: Request, actor: Annotated[Actor, Depends(who)]) -> Response:
        """Accept the declared write rules of several units at once; needs the role engineer."""
        said = await read_body(request, RuleDecisions)
        return reply(await plant.write_rules.accept_all(said.versions, actor, said.why))


def _add_one(routes: APIRouter, plant: Plant) -> None:
    who = actor_of(plant.settings)
    one = "/{site}/{area}/{line}/{unit}/write-rules"
    view = answers(RulesView, "The unit's rules, in force and held")
    body = takes(RuleDecision)

    @routes.get(one, responses=view)
    async def show(path: _Path) -> Response:
        """Show the write rules of a unit: those in force, and those it declares and are held."""
        return reply(plant.write_rules.view(path))

    @routes.post(f"{one}/accept", responses=view, openapi_extra=body)
    async def accept(
        path: _Path, request: Request, actor: Annotated[Actor, Depends(who)]
    ) -> Response:
        """Accept the write rules that a unit declares; needs the role engineer."""
        said = await read_body(request, RuleDecision)
        return reply(await plant.write_rules.accept(path, said.version, actor, said.why))

    @routes.post(f"{one}/refuse", responses=view, openapi_extra=body)
    async def refuse(
        path: _Path, request: Request, actor: Annotated[Actor, Depends(who)]
    ) -> Response:
        """Keep the former write rules of a unit; the declared ones are not asked about again."""
        said = await read_body(request, RuleDecision)
        return reply(await plant.write_rules.refuse(path, said.version, actor, said.why))

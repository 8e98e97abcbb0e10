"""The simulated plant: what can go wrong in it, and the means to make it so."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.answers import ACTOR, answers, read_body, reply, takes
from app.api.who import Caller, CallerHeader
from app.core.actor import Actor
from app.core.truth import ScenarioListing, StoppedScenarios, Truth
from app.plant import Plant

Name = Annotated[str, msgspec.Meta(max_length=200)]
MIDDLE = 0.7  # shows within minutes without being the worst case; the page starts with it too


class ScenarioStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario to start, or to change if it runs.

    Attributes:
        equipment: Path of the unit.
        scenario: Name, as the list tells it.
        severity: Above 0, at most 1.
        tag: Tag that a sensor scenario spoils; empty takes the unit's main tag.
    """

    equipment: Name
    scenario: Name
    severity: Annotated[float, msgspec.Meta(gt=0, le=1)] = MIDDLE
    tag: Name = ""


class ScenarioStop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario to stop.

    Attributes:
        equipment: Path of the unit.
        scenario: Name; empty stops all of the unit.
    """

    equipment: Name
    scenario: Name = ""


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/simulator."""
    routes = APIRouter(prefix="/api/simulator/scenarios", tags=["simulator"])

    @routes.get("", responses=answers(ScenarioListing, "Units with their scenarios, and what runs"))
    async def listing() -> Response:
        """List what each simulated unit can suffer, and what runs now."""
        return reply(await plant.scenarios())

    @routes.post(
        "",
        responses=answers(Truth, "The scenario as it runs"),
        openapi_extra=takes(ScenarioStart),
    )
    async def start(request: Request, source: CallerHeader = Caller.HTTP) -> Response:
        """Start a scenario, or change the severity of one that runs.

        The header `X-Actor-Source` tells the audit journal which way the call came.
        """
        wanted = await read_body(request, ScenarioStart)
        started = await plant.start_scenario(
            wanted.equipment, wanted.scenario, wanted.severity, _actor(source), tag=wanted.tag
        )
        return reply(started)

    @routes.post(
        "/stop",
        responses=answers(StoppedScenarios, "What was stopped"),
        openapi_extra=takes(ScenarioStop),
    )
    async def stop(request: Request, source: CallerHeader = Caller.HTTP) -> Response:
        """Stop one scenario, or all of a unit.

        The header is that of the start.
        """
        wanted = await read_body(request, ScenarioStop)
        return reply(await plant.stop_scenario(wanted.equipment, wanted.scenario, _actor(source)))

    return routes


def _actor(source: Caller) -> Actor:
    return Actor(name=ACTOR.name, source=source)

"""The app itself: liveness, components, what was moved aside, refused messages."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from app.api import orchestrator
from app.api.answers import answers, reply
from app.bus.dead_letters import DeadLetter
from app.core.health import ComponentStatus, Health
from app.core.quarantined import Quarantined
from app.plant import Plant

_WORST_FIRST = (Health.FAILED, Health.DEGRADED, Health.STOPPED, Health.STARTING, Health.OK)


class Liveness(msgspec.Struct, frozen=True):
    """The web server answers; says nothing of the plant."""

    status: str


class SystemHealth(msgspec.Struct, frozen=True):
    """The worst state, and each component with its reason and remedy."""

    status: Health
    components: list[ComponentStatus]


class Refused(msgspec.Struct, frozen=True):
    """Messages that did not decode: how many since start, and the newest with their reasons."""

    total: int
    items: list[DeadLetter]


def router(plant: Plant) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["system"])
    routes.include_router(orchestrator.router(plant))

    @routes.get("/healthz", responses=answers(Liveness, "It is alive"))
    async def healthz() -> Response:
        """Tell that the web server answers."""
        return reply(Liveness("ok"))

    @routes.get("/api/health", responses=answers(SystemHealth, "The components"))
    async def health() -> Response:
        """Tell the state of every component, why, and what to do."""
        components = plant.health()
        states = {component.state for component in components}
        worst = next((state for state in _WORST_FIRST if state in states), Health.OK)
        return reply(SystemHealth(worst, components))

    @routes.get("/api/quarantine", responses=answers(list[Quarantined], "What was moved aside"))
    async def quarantine() -> Response:
        """List the damaged parts of stores that were moved aside, newest first."""
        return reply(await plant.stores.quarantined())

    @routes.get("/api/deadletters", responses=answers(Refused, "The refused messages"))
    async def dead_letters() -> Response:
        """List messages that did not decode, newest first."""
        return reply(Refused(plant.dead_letters.total, plant.dead_letters.list()))

    return routes

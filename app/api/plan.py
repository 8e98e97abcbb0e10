"""The action plan over HTTP."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.api.answers import answers, reply
from app.live.plan import PlanView
from app.plant import Plant


def router(plant: Plant) -> APIRouter:
    """Return the route /api/plan."""
    routes = APIRouter(prefix="/api/plan", tags=["plan"])

    @routes.get("", responses=answers(PlanView, "The plan; null with the reason if there is none"))
    async def plan() -> Response:
        """Show what to do first about the open alarms, as the planner last said."""
        return reply(plant.plan())

    return routes

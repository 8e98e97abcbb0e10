"""Whom the notifier tells, and what became of it, over HTTP."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.api.answers import answers, reply
from app.core.delivery import Delivery, RouteState
from app.plant import Plant

PAGE = 500


class Notifications(msgspec.Struct, frozen=True):
    """Routes without their URLs, and what was sent or held back.

    Attributes:
        routes: One each, in the order of the settings.
        problems: What is wrong beyond single routes.
        deliveries: The newest first.
    """

    routes: tuple[RouteState, ...]
    problems: tuple[str, ...]
    deliveries: list[Delivery]


def router(plant: Plant) -> APIRouter:
    """Return the route /api/notifications."""
    routes = APIRouter(prefix="/api/notifications", tags=["notifications"])

    @routes.get("", responses=answers(Notifications, "Routes and deliveries"))
    async def listing(limit: Annotated[int, Query(ge=1, le=PAGE)] = 100) -> Response:
        """Show the routes, and what was sent by them or held back."""
        told = await plant.upkeep.routes()
        found = await plant.upkeep.deliveries(limit)
        return reply(Notifications(told.routes, told.problems, list(found)))

    return routes

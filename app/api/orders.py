"""Maintenance orders over HTTP; the backlog agent keeps them."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.api.answers import answers, read_body, reply, takes
from app.api.who import actor_of
from app.core.actor import Actor
from app.core.order import Order, OrderState
from app.plant import Plant

PAGE = 500
_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Text = Annotated[str, msgspec.Meta(max_length=20_000)]


class OrderWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order to be made.

    Attributes:
        equipment: Path of the unit.
        title: What is to be done, one line.
        details: Further lines.
        priority: 1 critical to 4 low.
        due_hours: When it should be done, hours from now; absent for no time.
    """

    equipment: _Line
    title: _Line
    details: _Text = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    due_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] | None = None


class OrderClosing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done about an order."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/orders."""
    routes = APIRouter(prefix="/api/orders", tags=["orders"])
    who = actor_of(plant.settings)

    @routes.get("", responses=answers(list[Order], "Orders, the newest first"))
    async def listing(
        state: OrderState | None = None, limit: Annotated[int, Query(ge=1, le=PAGE)] = 100
    ) -> Response:
        """List maintenance orders, of one state if given."""
        return reply(await plant.upkeep.orders(state, limit))

    @routes.post("", responses=answers(Order, "The order as made"), openapi_extra=takes(OrderWish))
    async def create(request: Request, actor: Annotated[Actor, Depends(who)]) -> Response:
        """Make a maintenance order."""
        wish = await read_body(request, OrderWish)
        order = await plant.upkeep.create_order(
            wish.equipment,
            wish.title,
            actor,
            details=wish.details,
            priority=wish.priority,
            due_hours=wish.due_hours,
        )
        return reply(order)

    @routes.post(
        "/{order_id}/close",
        responses=answers(Order, "The order, closed"),
        openapi_extra=takes(OrderClosing),
    )
    async def close(
        order_id: str, request: Request, actor: Annotated[Actor, Depends(who)]
    ) -> Response:
        """Close a maintenance order with what was done."""
        closing = await read_body(request, OrderClosing)
        return reply(await plant.upkeep.close_order(order_id, closing.note, actor))

    return routes

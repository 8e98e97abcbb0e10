"""Maintenance orders and notifications: asked of the agents that keep them, noted who did what."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import msgspec

from app.core.actor import Actor, Role
from app.core.alarm import Priority
from app.core.clock import Clock
from app.core.delivery import (
    Delivery,
    DeliveryListing,
    NotifyAnswer,
    RouteAnswer,
    RouteListing,
    RouteState,
)
from app.core.equipment import Equipment
from app.core.errors import CodecError, ConflictError, FieldsError, InputError
from app.core.order import Order, OrderListing, OrderState
from app.settings_notify import NotifySettings
from app.store.audit import AuditLog
from app.store.audited import audited
from app.supervisor.agent_calls import AgentCalls

BACKLOG = "backlog"
NOTIFIER = "notifier"
TEST_S = 30.0
"""The notifier waits up to 20 s for the first try."""

_T = TypeVar("_T")


class Upkeep:
    """What people may ask of the backlog and the notifier agent."""

    def __init__(
        self,
        calls: AgentCalls,
        audit: AuditLog,
        clock: Clock,
        notify: NotifySettings,
        unit: Callable[[str], Equipment | None],
    ) -> None:
        self._calls = calls
        self._audit = audit
        self._clock = clock
        self._notify = notify
        self._unit = unit

    async def orders(self, state: OrderState | None = None, limit: int = 100) -> Sequence[Order]:
        """Return maintenance orders, the newest first.

        Raises:
            AgentAwayError, BusError: The backlog agent does not live, or does not answer.
        """
        given: dict[str, object] = {"limit": limit}
        if state:
            given["state"] = state.value
        output = await self._calls.ask(BACKLOG, "list_orders", given)
        return _read(OrderListing, output, BACKLOG).orders

    async def create_order(
        self,
        equipment: str,
        title: str,
        actor: Actor,
        *,
        details: str = "",
        priority: int = 3,
        due_hours: float | None = None,
    ) -> Order:
        """Make a maintenance order for a unit.

        Raises:
            FieldsError: Fields are wrong; each is named.
            ConflictError: The role may not, or too many orders are open.
            AgentAwayError: The backlog agent does not live; no order was made.
            BusError: It does not answer; no order was made, as far as is known.
        """
        _need(actor, "make an order")
        if self._unit(equipment) is None:
            problem = f'there is no unit "{equipment[:120]}"; GET /api/equipment lists all'
            raise FieldsError(f"equipment: {problem}", {"equipment": problem})
        given: dict[str, object] = {
            "equipment": equipment,
            "title": title,
            "details": details,
            "priority": priority,
            "due_hours": due_hours,
        }
        async with self._audited(actor, "create order", equipment, title):
            output = await self._calls.ask(BACKLOG, "create_order", given)
        output.pop("is_new", None)  # only a run's second order is not new
        return _read(Order, output, BACKLOG)

    async def close_order(self, order_id: str, note: str, actor: Actor) -> Order:
        """Close a maintenance order with what was done.

        Raises:
            NotFoundError: There is no such order.
            ConflictError: It is closed already, or the role may not.
            InputError: The note is empty.
            AgentAwayError, BusError: The backlog agent does not live, or does not answer.
        """
        _need(actor, "close an order")
        said = note.strip()
        if not said:
            raise InputError("note: is empty; say what was done, it stands in the order")
        given: dict[str, object] = {"id": order_id, "note": said}
        async with self._audited(actor, "close order", order_id, said):
            output = await self._calls.ask(BACKLOG, "close_order", given)
        return _read(Order, output, BACKLOG)

    async def routes(self) -> RouteListing:
        """Return the routes by which people are told, as the notifier knows them.

        Raises:
            AgentAwayError, BusError: The notifier agent does not live, or does not answer.
        """
        return _read(RouteListing, await self._calls.ask(NOTIFIER, "routes", {}), NOTIFIER)

    def routes_of_settings(self) -> tuple[RouteState, ...]:
        """Return the routes that the settings name; whether they work only the notifier knows."""
        return tuple(
            RouteState(
                name=route.name,
                priorities=route.priorities,
                quiet_hours=route.quiet_hours,
                quiet_critical=route.quiet_critical,
                escalate_after_s=route.escalate_after_s,
                escalate_to=route.escalate_to,
                is_usable=False,
            )
            for route in self._notify.routes
        )

    async def deliveries(self, limit: int = 100) -> Sequence[Delivery]:
        """Return what became of notifications, the newest first.

        Raises:
            AgentAwayError, BusError: The notifier agent does not live, or does not answer.
        """
        output = await self._calls.ask(NOTIFIER, "deliveries", {"limit": limit})
        return _read(DeliveryListing, output, NOTIFIER).deliveries

    async def send_test(self, route: str, actor: Actor) -> RouteAnswer:
        """Send a test by one route and return what became of its first try.

        Raises:
            ConflictError: The role may not.
            AgentAwayError, BusError: The notifier agent does not live, or does not answer.
        """
        _need(actor, "send a test")
        now = self._clock.now()
        given: dict[str, object] = {
            "title": f"Test of the route {route}"[:200],
            "message": f"{actor.name} sent this to see whether it arrives. Nothing is wrong.",
            "priority": int(Priority.LOW),
            "route": route,
            "key": f"test {now.isoformat()}",  # a second test is no repetition of the first
        }
        async with self._audited(actor, "send test", route):
            output = await self._calls.ask(NOTIFIER, "notify", given, timeout_s=TEST_S)
        return _read(NotifyAnswer, output, NOTIFIER).routes[0]

    def _audited(
        self, actor: Actor, action: str, target: str, why: str = ""
    ) -> AbstractAsyncContextManager[None]:
        return audited(self._audit, self._clock, actor, action, target, why=why)


def _need(actor: Actor, what: str) -> None:
    if not actor.role.covers(Role.OPERATOR):
        raise ConflictError(f"{actor.name} is {actor.role.value} and may not {what}; operator may")


def _read(type_: type[_T], output: dict[str, object], agent: str) -> _T:
    try:
        return msgspec.convert(output, type_)
    except msgspec.ValidationError as error:
        raise CodecError(f"Agent {agent} answered something else: {error}") from error

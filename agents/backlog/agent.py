"""The backlog agent: keeps maintenance orders and sums up shifts."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from typing_extensions import override

from agents.backlog.orders import Orders
from agents.backlog.shift import Raised, Raises, summary
from agents.base.agent import BaseAgent
from agents.base.open_alarms import OpenAlarms
from agents.base.requests import parse
from app.core.agent import AgentSpec
from app.core.alarm import Alarm
from app.core.clock import AwareTime, Clock
from app.core.errors import FieldsError, NotFoundError, StoreError
from app.core.order import Order, OrderState
from app.core.topics import SHIFT_SUMMARY
from app.settings import Settings

logger = logging.getLogger(__name__)

_LONGEST_SHIFT = timedelta(hours=48)
_Line = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Text = Annotated[str, msgspec.Meta(max_length=20_000)]


class CreateOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `create_order`; a second one of the same `run` returns the first order."""

    equipment: _Line
    title: _Line
    details: _Text = ""
    priority: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    due_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] | None = None
    run: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ListOrders(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `list_orders`."""

    state: OrderState | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class CloseOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `close_order`."""

    id: str
    note: _Text = ""


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `shift_summary`: from `start` until before `end`."""

    start: AwareTime
    end: AwareTime


class Heard(msgspec.Struct):
    """Checkpoint: the alarms heard of."""

    raises: list[Raised] = []
    since: datetime | None = None


class BacklogAgent(BaseAgent):
    """Makes, lists and closes orders, and says what a shift left behind."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="backlog",
        purpose="Keeps maintenance orders and sums up shifts",
        capabilities=("create_order", "list_orders", "close_order", "shift_summary"),
    )

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        super().__init__(settings, clock, instance)
        self._orders = Orders(settings.data.dir / "backlog")
        self._raises = Raises([])
        self._since = clock.now()
        self._open = 0
        OpenAlarms(self.bus, settings.bus.message_limit_bytes, self._note_alarm)

    @override
    async def serve(self, stopping: asyncio.Event) -> None:
        await self._orders.open()
        try:
            self._open = await self._orders.count_open()
            await super().serve(stopping)
        finally:
            await self._orders.shut()

    @override
    async def run(self) -> None:
        while True:  # other instances make and close orders too
            try:
                self._open = await self._orders.count_open()
            except StoreError as error:
                self.degraded(f"{error}; {error.hint}")
            else:
                self.degraded("")
            await self.clock.sleep(self.settings.supervisor.beat_s)

    @override
    async def prepare(self) -> None:
        await super().prepare()
        heard = self.states.get("plant", Heard)
        self._raises = Raises(heard.raises)
        self._since = heard.since or self._since

    @override
    async def save(self) -> None:
        self.states.put("plant", Heard(self._raises.all(), self._since))
        await super().save()

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        match capability:
            case "create_order":
                return await self._create(parse(CreateOrder, input))
            case "list_orders":
                wanted = parse(ListOrders, input)
                orders = await self._orders.newest(wanted.state, wanted.limit)
                return {"orders": msgspec.to_builtins(orders)}
            case "close_order":
                closing = parse(CloseOrder, input)
                order = await self._orders.close(closing.id, closing.note, self.clock.now())
                return _output(order)
            case "shift_summary":
                return await self._sum_up(parse(Shift, input))
            case _:
                raise NotFoundError(f'Agent "backlog" has no capability "{capability}"')

    @override
    def note(self) -> str:
        return "1 open order" if self._open == 1 else f"{self._open} open orders"

    async def _create(self, wanted: CreateOrder) -> dict[str, object]:
        now = self.clock.now()
        due_at = now + timedelta(hours=wanted.due_hours) if wanted.due_hours else None
        draft = Order(
            id="",
            equipment=wanted.equipment,
            title=wanted.title,
            opened_at=now,
            details=wanted.details,
            priority=wanted.priority,
            due_at=due_at,
            run=wanted.run,
        )
        order, is_new = await self._orders.create(draft)
        return {**_output(order), "is_new": is_new}

    async def _sum_up(self, shift: Shift) -> dict[str, object]:
        if not timedelta() < shift.end - shift.start <= _LONGEST_SHIFT:
            problem = f"must be after start, at most {_LONGEST_SHIFT} later"
            raise FieldsError(f"end: {problem}", {"end": problem})
        start, end = shift.start.astimezone(UTC), shift.end.astimezone(UTC)
        opened, closed = await self._orders.count(start, end)
        orders = (opened, closed, await self._orders.count_open())
        zone = ZoneInfo(self.settings.site.timezone)
        raises = self._raises.between(start, end)
        summed = summary(start, end, orders, raises, self._since, zone=zone)
        await self.bus.publish_confirmed(SHIFT_SUMMARY, summed)
        output: dict[str, object] = msgspec.to_builtins(summed)
        return output

    def _note_alarm(self, _: str, alarm: Alarm | None) -> None:
        if alarm is not None:  # else it is over; its raise is known
            self._raises.take(alarm, self.clock.now())
            self.work_done()


def _output(order: Order) -> dict[str, object]:
    output: dict[str, object] = msgspec.to_builtins(order)
    return output

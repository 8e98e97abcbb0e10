"""The notifier agent: follows the alarms and tells people by the routes of the settings."""

import asyncio
import logging
import os
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.open_alarms import OpenAlarms
from agents.base.requests import parse
from agents.notifier.courier import AppriseCourier, Courier
from agents.notifier.decide import Verdict, choose, judge, keep_s, nobody_told
from agents.notifier.follow import (
    Escalation,
    Followed,
    about,
    escalations,
    is_news,
    is_settled,
    priority_of,
    told,
)
from agents.notifier.log import DeliveryLog
from agents.notifier.post import PostRoom
from agents.notifier.routes import Route, find_routes, listing
from app.core.agent import AgentSpec
from app.core.alarm import Alarm, Priority
from app.core.clock import Clock
from app.core.delivery import Delivery, DeliveryState, Notification, NotifyAnswer, RouteAnswer
from app.core.errors import FieldsError, NotFoundError, StoreError
from app.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
_PATIENCE_S = 20.0  # until the answer to `notify` says "queued"
_NO_ROUTE = "no route is configured"


class Notify(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `notify`; `route` is the only one to use, `key` names the matter."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    message: Annotated[str, msgspec.Meta(max_length=4000)] = ""
    priority: Priority = Priority.MEDIUM
    route: str = ""
    key: Annotated[str, msgspec.Meta(max_length=200)] = ""
    equipment: Annotated[str, msgspec.Meta(max_length=300)] = ""
    alarm: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Deliveries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `deliveries`."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


class NoInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `routes`."""


class NotifierAgent(BaseAgent):
    """Decides whom to tell, keeps that on disk, and sends it."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="notifier",
        purpose="Tells people of alarms by mail, SMS and other routes, and passes on what is "
        "not acknowledged",
        capabilities=("notify", "deliveries", "routes"),
    )

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        super().__init__(settings, clock, instance)
        self.courier: Courier = AppriseCourier()
        self._zone = ZoneInfo(settings.site.timezone)
        folder = settings.data.dir / "notifier"
        self._log = DeliveryLog(folder / f"{instance}.sqlite", settings.notify.kept)
        self._routes: dict[str, Route] = {}
        self._problems_of_routes: tuple[str, ...] = ()
        self._room = PostRoom(self._log, self.courier, clock, self._tried)
        self._deciding = asyncio.Lock()
        self._changed: dict[str, None] = {}
        self._followed: dict[str, Followed] = {}
        self._alarms = OpenAlarms(self.bus, settings.bus.message_limit_bytes, self._note_change)

    @override
    async def serve(self, stopping: asyncio.Event) -> None:
        await self._log.open()
        try:
            await self._find_routes()
            self._followed = await self._log.alarms()
            await self._take_up()
            await super().serve(stopping)
        finally:
            await self._log.close()

    @override
    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._room.run(self._routes), name="post room")
            group.create_task(self._look_for_ever(), name="look at alarms")

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        match capability:
            case "notify":
                return await self._notify(parse(Notify, input))
            case "deliveries":
                rows = await self._log.newest(parse(Deliveries, input).limit)
                return {"deliveries": msgspec.to_builtins(rows)}
            case "routes":
                parse(NoInput, input)
                told = listing(self.settings.notify, self._routes, self._troubles())
                output: dict[str, object] = msgspec.to_builtins(told)
                return output
            case _:
                raise NotFoundError(f'Agent "notifier" has no capability "{capability}"')

    @override
    def note(self) -> str:
        if not self._routes:
            return _NO_ROUTE
        count = "1 route" if len(self._routes) == 1 else f"{len(self._routes)} routes"
        return f"{count}, {self._room.waiting} waiting, {len(self._followed)} alarms followed"

    async def look(self) -> None:
        """Tell of alarms that are news, and pass on those that waited too long."""
        for alarm_id in list(self._changed):
            await self._look_at(alarm_id)
            self._changed.pop(alarm_id, None)
        now = self.clock.now()
        for due in escalations(self._alarms.by_id, self._followed, self._routes, now):
            await self._escalate(due)

    async def _look_for_ever(self) -> None:
        while True:
            try:
                await self.look()
            except StoreError as error:  # what changed is still noted, and looked at again
                self.degraded(f"{error}; {error.hint}" if error.hint else str(error))
            else:
                self._say_health()
            await self.clock.sleep(_LOOK_S)

    async def _look_at(self, alarm_id: str) -> None:
        alarm, followed = self._alarms.by_id.get(alarm_id), self._followed.get(alarm_id)
        if alarm is None or is_settled(alarm):
            if followed is not None:
                await self._log.forget(alarm_id)
                del self._followed[alarm_id]
            return
        if not is_news(alarm, followed):
            return
        names = choose(self._routes, priority_of(alarm), "")
        if isinstance(names, Verdict):  # nobody wants to hear of this priority
            return
        await self._tell(about(alarm, self._zone), names, alarm)

    async def _escalate(self, due: Escalation) -> None:
        followed, alarm = self._followed[due.alarm], self._alarms.by_id[due.alarm]
        if due.to in followed.told or due.to not in self._routes:
            return
        waited_s = (self.clock.now() - followed.told[due.route]).total_seconds()
        await self._tell(about(alarm, self._zone, waited_s), [due.to], alarm)

    async def _notify(self, wanted: Notify) -> dict[str, object]:
        notification = Notification(
            title=wanted.title,
            message=wanted.message,
            priority=wanted.priority,
            key=wanted.key,
            equipment=wanted.equipment,
            alarm=wanted.alarm,
        )
        names = choose(self._routes, wanted.priority, wanted.route, self._problems_of_routes)
        added = await self._tell(notification, names)  # a wrong one stands in the log, too
        if isinstance(names, Verdict) and names.state is DeliveryState.FAILED:
            raise FieldsError(f"route: {names.reason}", {"route": names.reason})
        tries = {each.number: self._room.first_try(each.number) for each in added}
        waited = [each for each in tries.values() if each]
        if waited:
            await asyncio.wait(waited, timeout=_PATIENCE_S)
        done = [_latest(each, tries[each.number]) for each in added]
        answers = tuple(RouteAnswer(each.route, each.state, each.reason) for each in done)
        answer = NotifyAnswer(added[0].id, answers, nobody_told(answers))
        output: dict[str, object] = msgspec.to_builtins(answer)
        return output

    async def _tell(
        self, notification: Notification, names: list[str] | Verdict, alarm: Alarm | None = None
    ) -> list[Delivery]:
        """Decide on each route, keep that, and only then hand it to be sent."""
        async with self._deciding:  # two at once must not both find that nothing went out yet
            now = self.clock.now()
            if isinstance(names, Verdict):
                verdicts = [names]
            else:
                past = await self._log.past(now, keep_s(self._routes))
                judged = (
                    judge(self._routes[name], notification, past, now, self._zone) for name in names
                )
                verdicts = [self._with_room(verdict) for verdict in judged]
            followed: dict[str, Followed] = {}
            if alarm is not None:
                tried = {verdict.route: now for verdict in verdicts}
                followed[alarm.id] = told(alarm, self._followed.get(alarm.id), tried)
            added = await self._log.add(notification, verdicts, now, followed)
            self._followed |= followed
            for delivery in added:
                if delivery.state is DeliveryState.QUEUED:
                    self._room.take(delivery)
            return added

    def _with_room(self, verdict: Verdict) -> Verdict:
        limit = self.settings.notify.waiting
        if verdict.state is not DeliveryState.QUEUED or self._room.waiting < limit:
            return verdict
        reason = f"{limit} are waiting already (notify.waiting)"
        return Verdict(verdict.route, DeliveryState.FAILED, reason)

    async def _find_routes(self) -> None:
        found = find_routes(self.settings.notify, os.environ)
        problems = list(found.problems)
        for name, route in found.usable.items():
            wrong = await self.courier.check(route.url)
            if wrong:
                problems.append(f'route "{name}": {wrong}')
            else:
                self._routes[name] = route
        self._problems_of_routes = tuple(problems)
        self._say_health()

    async def _take_up(self) -> None:
        """Take up what a former life left unsent."""
        for delivery in await self._log.queued():
            if delivery.route in self._routes:
                self._room.take(delivery)
            else:
                now, state = self.clock.now(), DeliveryState.FAILED
                reason = "its route is not configured any more"
                gone = msgspec.structs.replace(
                    delivery, state=state, reason=reason, changed_at=now, next_at=None
                )
                await self._log.update(gone)

    def _note_change(self, alarm_id: str, _: Alarm | None) -> None:
        self._changed[alarm_id] = None  # looked at within a second

    def _tried(self) -> None:
        self.work_done()
        self._say_health()

    def _say_health(self) -> None:
        self.degraded("; ".join(self._troubles()))

    def _troubles(self) -> list[str]:
        failing = (f'route "{name}": {why}' for name, why in self._room.failing.items())
        return [*self._problems_of_routes, *failing]


def _latest(delivery: Delivery, first: "asyncio.Future[Delivery] | None") -> Delivery:
    return first.result() if first is not None and first.done() else delivery

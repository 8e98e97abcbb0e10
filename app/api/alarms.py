"""Alarms over HTTP: the list, what an operator does with one, journal, history, key figures."""

from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.alarms.kpi import AlarmKpi
from app.api.answers import ACTOR, answers, read_body, reply, takes
from app.api.named_states import named_states
from app.api.times import span
from app.core.alarm import Alarm, AlarmState, AlarmSummary, JournalEntry, Priority
from app.plant import Plant
from app.store.journal import HistoryFilter, Occurrence

PAGE = 1000
_MOST = 2**63 - 1
"""SQLite's largest whole number."""


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says when acting on an alarm.

    Attributes:
        note: Why; needed to shelve, suppress or take out of service.
        minutes: How long to shelve, for that only; `alarms.default_shelve_minutes` if absent.
    """

    note: str = ""
    minutes: float | None = None


class AlarmHistory(msgspec.Struct, frozen=True):
    """Times alarms were raised, the newest first, and how many there are in all."""

    history: list[Occurrence]
    total: int


class JournalPage(msgspec.Struct, frozen=True):
    """Journal lines, the newest first; `next` is `before` of the next page, null at the end."""

    entries: list[JournalEntry]
    next: int | None


def _wanted(
    state: str = "",
    priority: Annotated[list[Priority] | None, Query()] = None,
    equipment: str = "",
    text: str = "",
) -> HistoryFilter:
    return HistoryFilter(
        states=named_states(AlarmState, state),
        priorities=tuple(priority or ()),
        equipment=equipment,
        text=text,
    )


Wanted = Annotated[HistoryFilter, Depends(_wanted)]


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/alarms."""
    routes = APIRouter(prefix="/api/alarms", tags=["alarms"])
    _add_present(routes, plant)
    _add_past(routes, plant)
    _add_answers(routes, plant)
    _add_hiding(routes, plant)
    return routes


def _add_present(routes: APIRouter, plant: Plant) -> None:
    @routes.get("", responses=answers(list[Alarm], "Alarms that are not normal, worst first"))
    async def list_alarms(state: str = "") -> Response:
        """List the alarms that are not normal; `state` names states, separated by commas."""
        wanted = named_states(AlarmState, state)
        alarms = plant.alarms.alarms()
        return reply([each for each in alarms if not wanted or each.state in wanted])

    @routes.get("/summary", responses=answers(AlarmSummary, "Counts by priority and the worst"))
    async def summary() -> Response:
        """Count the alarms by priority; name the worst unacknowledged one."""
        return reply(plant.alarms.summary())

    @routes.get("/kpi", responses=answers(AlarmKpi, "The figures"))
    async def kpi(start: str = "", end: str = "") -> Response:
        """Compute the key figures of a range of time, the last hour by default."""
        wanted = span(start, end, plant.clock.now())
        return reply(await plant.alarms.kpi(wanted.start, wanted.end))


def _add_past(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/journal", responses=answers(JournalPage, "Lines, the newest first"))
    async def journal(
        start: str = "",
        end: str = "",
        alarm: str = "",
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 200,
        before: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
    ) -> Response:
        """Show who did what when; all time by default."""
        bounded = span(start, end, plant.clock.now()) if start or end else None
        since, until = bounded or (None, None)
        entries = await plant.alarms.entries(since, until, alarm, limit, before)
        following = entries[-1].number if len(entries) == limit else None
        return reply(JournalPage(entries, following))

    @routes.get("/history", responses=answers(AlarmHistory, "Occurrences, the newest first"))
    async def history(
        wanted: Wanted,
        start: str = "",
        end: str = "",
        limit: Annotated[int, Query(ge=1, le=PAGE)] = 200,
        offset: Annotated[int, Query(ge=0, le=_MOST)] = 0,
    ) -> Response:
        """List each time an alarm was raised, by state, priority, equipment and text.

        Of all time unless `start` or `end` is given.
        """
        if start or end:
            wanted = replace(wanted, **span(start, end, plant.clock.now())._asdict())
        rows, total = await plant.alarms.history(wanted, limit, offset)
        return reply(AlarmHistory(rows, total))


def _add_answers(routes: APIRouter, plant: Plant) -> None:
    described = answers(Alarm, "The alarm as it is now")
    body = takes(Action)

    @routes.post("/{alarm_id}/acknowledge", responses=described, openapi_extra=body)
    async def acknowledge(alarm_id: str, request: Request) -> Response:
        """Acknowledge an alarm."""
        action = await _action(request)
        return reply(await plant.acknowledge(alarm_id, ACTOR, action.note))

    @routes.post("/{alarm_id}/reset", responses=described, openapi_extra=body)
    async def reset(alarm_id: str, request: Request) -> Response:
        """Reset a latched alarm that is acknowledged and whose condition is gone."""
        return reply(await plant.reset(alarm_id, ACTOR, (await _action(request)).note))

    @routes.post("/{alarm_id}/out-of-service", responses=described, openapi_extra=body)
    async def out_of_service(alarm_id: str, request: Request) -> Response:
        """Take an alarm out of service, with a reason."""
        return reply(await plant.out_of_service(alarm_id, ACTOR, (await _action(request)).note))

    @routes.post("/{alarm_id}/return", responses=described, openapi_extra=body)
    async def return_to_service(alarm_id: str, request: Request) -> Response:
        """Return an alarm to service."""
        return reply(await plant.return_to_service(alarm_id, ACTOR, (await _action(request)).note))


def _add_hiding(routes: APIRouter, plant: Plant) -> None:
    described = answers(Alarm, "The alarm as it is now")
    body = takes(Action)

    @routes.post("/{alarm_id}/shelve", responses=described, openapi_extra=body)
    async def shelve(alarm_id: str, request: Request) -> Response:
        """Hide an alarm for some minutes, with a reason."""
        action = await _action(request)
        minutes = _shelve_minutes(plant) if action.minutes is None else action.minutes
        return reply(await plant.shelve(alarm_id, ACTOR, minutes, action.note))

    @routes.post("/{alarm_id}/unshelve", responses=described, openapi_extra=body)
    async def unshelve(alarm_id: str, request: Request) -> Response:
        """Show a shelved alarm again."""
        return reply(await plant.unshelve(alarm_id, ACTOR, (await _action(request)).note))

    @routes.post("/{alarm_id}/suppress", responses=described, openapi_extra=body)
    async def suppress(alarm_id: str, request: Request) -> Response:
        """Suppress an alarm by design, with a reason."""
        return reply(await plant.suppress(alarm_id, ACTOR, (await _action(request)).note))

    @routes.post("/{alarm_id}/unsuppress", responses=described, openapi_extra=body)
    async def unsuppress(alarm_id: str, request: Request) -> Response:
        """End the suppression."""
        return reply(await plant.unsuppress(alarm_id, ACTOR, (await _action(request)).note))


def _shelve_minutes(plant: Plant) -> float:
    alarms = plant.settings.alarms
    return min(alarms.default_shelve_minutes, alarms.max_shelve_minutes)


async def _action(request: Request) -> Action:
    return await read_body(request, Action) if await request.body() else Action()

"""The orchestrator's two routes: the plant at a glance, and alerts of other systems."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.answers import ACTOR, answers, read_body, reply, takes
from app.core.alarm import Alarm, AlarmState, Finding
from app.core.errors import InputError, StoreError
from app.core.run import OVER
from app.plant import Plant
from app.store.audit import AuditRow

_DECISIONS = 50
_DETAILS_LIMIT = 2000


class SystemState(msgspec.Struct, frozen=True):
    """The whole plant at a glance.

    Attributes:
        alerts: Alarms that are not normal, hidden ones too, the worst first, then the newest.
        decisions: The last 50 actions of operators and peers outside the alarm list, newest first,
            decisions about runs and commands among them; each with what came of it: `done`,
            `refused`, `failed`, or `unknown` while it is under way; none while the audit cannot be
            read, which `/api/health` tells.
        last_update: When the newest of it came: a reading, a change of an alarm, a decision, UTC;
            the start of the app if nothing came yet. It stands still when the plant is silent.
        agents: Agent instances that are connected.
        tags: Tags known.
        runs: Workflow runs that are not over, those that wait included; 0 while they cannot be
            counted, which `/api/health` tells.
    """

    alerts: list[Alarm]
    decisions: list[AuditRow]
    last_update: datetime
    agents: int
    tags: int
    runs: int


class Alert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alert of another system.

    Attributes:
        level: critical, high, medium (or warning), low (or info); normal (or cleared) says that
            the condition is absent, and the alarm of the same type and source returns.
        type: What is wrong; becomes the condition.
        source: Who says so; becomes the end of the equipment's path. The finding's agent is
            "external" whatever is written here.
        details: For the operator, text or a JSON object.
    """

    level: Annotated[str, msgspec.Meta(max_length=40)]
    type: Annotated[str, msgspec.Meta(max_length=100)]
    source: Annotated[str, msgspec.Meta(max_length=100)]
    details: str | dict[str, object] = ""


def router(plant: Plant) -> APIRouter:
    """Return the routes under /api/orchestrator."""
    routes = APIRouter(prefix="/api/orchestrator", tags=["system"])

    @routes.get("/system-state", responses=answers(SystemState, "The state"))
    async def system_state() -> Response:
        """Show alarms, decisions and counts."""
        alerts = [each for each in plant.alarms.alarms() if each.state is not AlarmState.NORMAL]
        decisions = await _decisions(plant)
        state = SystemState(
            alerts=alerts,
            decisions=decisions,
            last_update=_newest(plant, alerts, decisions),
            agents=sum(row.connected for row in plant.agents()),
            tags=len(plant.tags),
            runs=await _open_runs(plant),
        )
        return reply(state)

    @routes.post(
        "/alert",
        status_code=201,
        responses=answers(Finding, "The finding, whose alarm was raised or returned", 201),
        openapi_extra=takes(Alert),
    )
    async def alert(request: Request) -> Response:
        """Take an alert of another system; its alarm is raised, or returns at level `normal`."""
        body = await read_body(request, Alert)
        finding = await plant.raise_alert(
            body.level, body.type, body.source, _text(body.details), ACTOR
        )
        return reply(finding, 201)

    return routes


async def _decisions(plant: Plant) -> list[AuditRow]:
    """Return the last actions; none while the audit is closed, which `/api/health` tells."""
    try:
        return await asyncio.to_thread(plant.audit_rows, _DECISIONS)
    except StoreError:
        return []


async def _open_runs(plant: Plant) -> int:
    try:
        tally = await plant.workflows.tally()
    except StoreError:
        return 0
    return sum(count for state, count in tally.items() if state not in OVER)


def _newest(plant: Plant, alerts: Sequence[Alarm], decisions: Sequence[AuditRow]) -> datetime:
    readings = (plant.tags.value(path) for path in plant.tags.paths())
    times = [
        plant.started_at,
        *(reading.received_time for reading in readings if reading),
        *(alarm.changed_at for alarm in alerts),
        *(row.at for row in decisions),
    ]
    return max(times)


def _text(details: str | dict[str, object]) -> str:
    text = details if isinstance(details, str) else msgspec.json.encode(details).decode()
    if len(text) > _DETAILS_LIMIT:
        raise InputError(f"details: {len(text)} characters are more than {_DETAILS_LIMIT}")
    return text

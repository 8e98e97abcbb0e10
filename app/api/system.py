"""The app itself: liveness, components, the orchestrator's state, refused messages."""

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api.answers import ACTOR, answers, read_body, reply, takes
from app.bus.dead_letters import DeadLetter
from app.core.alarm import Alarm, Finding
from app.core.errors import InputError, StoreError
from app.core.health import ComponentStatus, Health
from app.core.quarantined import Quarantined
from app.plant import Plant
from app.store.audit import AuditRow

_DECISIONS = 50
_DETAILS_LIMIT = 2000
_WORST_FIRST = (Health.FAILED, Health.DEGRADED, Health.STOPPED, Health.STARTING, Health.OK)


class Liveness(msgspec.Struct, frozen=True):
    """The web server answers; says nothing of the plant."""

    status: str


class SystemHealth(msgspec.Struct, frozen=True):
    """The worst state, and each component with its reason and remedy."""

    status: Health
    components: list[ComponentStatus]


class SystemState(msgspec.Struct, frozen=True):
    """The whole plant at a glance.

    Attributes:
        alerts: Alarms that are not normal.
        decisions: The last actions of operators and peers outside the alarm list, newest first,
            each with what came of it: `done`, `refused`, `failed`, or `unknown` while it is under
            way; none while the audit cannot be read, which `/api/health` tells.
        last_update: When this was put together, UTC.
        agents: Agent instances that are connected.
        tags: Tags known.
        runs: Workflow runs under way.
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


class Refused(msgspec.Struct, frozen=True):
    """Messages that did not decode: how many since start, and the newest with their reasons."""

    total: int
    items: list[DeadLetter]


def router(plant: Plant) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["system"])

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

    @routes.get("/api/orchestrator/system-state", responses=answers(SystemState, "The state"))
    async def system_state() -> Response:
        """Show alarms, decisions and counts."""
        state = SystemState(
            alerts=plant.alarms.alarms(),
            decisions=await _decisions(plant),
            last_update=plant.clock.now(),
            agents=sum(row.connected for row in plant.agents()),
            tags=len(plant.tags),
            runs=0,
        )
        return reply(state)

    @routes.post(
        "/api/orchestrator/alert",
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

    @routes.get("/api/deadletters", responses=answers(Refused, "The refused messages"))
    async def dead_letters() -> Response:
        """List messages that did not decode, newest first."""
        return reply(Refused(plant.dead_letters.total, plant.dead_letters.list()))

    return routes


async def _decisions(plant: Plant) -> list[AuditRow]:
    """Return the last actions; none while the audit is closed, which `/api/health` tells."""
    try:
        return await asyncio.to_thread(plant.audit_rows, _DECISIONS)
    except StoreError:
        return []


def _text(details: str | dict[str, object]) -> str:
    text = details if isinstance(details, str) else msgspec.json.encode(details).decode()
    if len(text) > _DETAILS_LIMIT:
        raise InputError(f"details: {len(text)} characters are more than {_DETAILS_LIMIT}")
    return text

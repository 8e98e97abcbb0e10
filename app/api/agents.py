"""Agents: the list, start and stop, and the paths the seeds gave each agent."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from app.api.answers import ACTOR, answers, read_body, reply, takes
from app.core.agent import AgentState, seed_id
from app.core.agent_row import AgentRow
from app.core.alarm import Finding
from app.core.errors import NotFoundError
from app.live.findings import KEPT_PER_AGENT
from app.plant import Plant

_ENVELOPE_BYTES = 1024
"""Room for what a task carries beside its input."""


class AgentHealth(msgspec.Struct, frozen=True):
    """Whether an agent works.

    Attributes:
        status: "healthy" while it runs, else its state.
        agent_id: As on its MQTT topics: its seed name, or else its name, with `_agent` behind it.
        mqtt_connected: Its last birth is alive on the broker.
    """

    status: str
    agent_id: str
    mqtt_connected: bool


class AgentReport(msgspec.Struct, frozen=True):
    """What an agent does.

    Attributes:
        status: As in its health.
        agent_id: As in its health.
        last_prediction: Its newest finding; null if it has made none since the app started.
        metrics: `progress` (work units), `load` (tasks in hand), `cpu_percent` (of one core),
            `memory_bytes`, `restarts`.
    """

    status: str
    agent_id: str
    last_prediction: Finding | None
    metrics: dict[str, float]


class AgentHistory(msgspec.Struct, frozen=True):
    """An agent's findings, newest first, and how many of them the app keeps in all."""

    history: list[Finding]
    total: int


def listing(plant: Plant) -> APIRouter:
    """Return the routes under /api/agents."""
    routes = APIRouter(prefix="/api/agents", tags=["agents"])

    @routes.get("", responses=answers(list[AgentRow], "One row an instance"))
    async def list_agents() -> Response:
        """List the agents, ours and those run elsewhere."""
        return reply(plant.agents())

    @routes.post("/{name}/start", responses=answers(AgentRow, "The agent as it is now"))
    async def start(name: str) -> Response:
        """Start an agent that is stopped."""
        await plant.start_agent(plant.agent_name(name), ACTOR)
        return reply(_rows(plant, name)[0])

    @routes.post("/{name}/stop", responses=answers(AgentRow, "The agent as it is now"))
    async def stop(name: str) -> Response:
        """Stop an agent; it stays stopped until it is started again."""
        await plant.stop_agent(plant.agent_name(name), ACTOR)
        return reply(_rows(plant, name)[0])

    @routes.post("/{name}/restart", responses=answers(AgentRow, "The agent as it is now"))
    async def restart(name: str) -> Response:
        """Stop and start an agent."""
        await plant.restart_agent(plant.agent_name(name), ACTOR)
        return reply(_rows(plant, name)[0])

    return routes


def single(plant: Plant) -> APIRouter:
    """Return the routes under /api/{agent}; include them last, they match any word."""
    routes = APIRouter(prefix="/api/{agent}", tags=["agents"])

    @routes.get("/health", responses=answers(AgentHealth, "Its health"))
    async def health(agent: str) -> Response:
        """Tell whether an agent works; `pm` stands for `maintenance`."""
        rows = _rows(plant, agent)
        return reply(AgentHealth(_status(rows), _id(rows), any(row.connected for row in rows)))

    @routes.get("/status", responses=answers(AgentReport, "Its state and figures"))
    async def status(agent: str) -> Response:
        """Tell what an agent does."""
        rows = _rows(plant, agent)
        newest = plant.findings.history(rows[0].name, 1)
        last = newest[0] if newest else None
        return reply(AgentReport(_status(rows), _id(rows), last, _metrics(rows)))

    @routes.get("/history", responses=answers(AgentHistory, "Its findings"))
    async def history(
        agent: str, limit: Annotated[int, Query(ge=1, le=KEPT_PER_AGENT)] = 50
    ) -> Response:
        """List an agent's last findings, newest first."""
        kept = plant.findings.history(_rows(plant, agent)[0].name, KEPT_PER_AGENT)
        return reply(AgentHistory(kept[:limit], len(kept)))

    _add_predict(routes, plant)
    return routes


def _add_predict(routes: APIRouter, plant: Plant) -> None:
    @routes.post(
        "/predict",
        responses=answers(dict[str, object], "What the agent's model says"),
        openapi_extra=takes(dict[str, object]),
    )
    async def predict(agent: str, request: Request) -> Response:
        """Ask an agent's model about one set of features, by name.

        Wrong, missing or impossible features, and those far outside of what the model was trained
        on, give 422, and `fields` names each; 503 says that the agent could not do it.
        """
        _check_size(plant, await request.body())
        features = await read_body(request, dict[str, object])
        return reply(await plant.predict(agent, features, ACTOR))


def _check_size(plant: Plant, body: bytes) -> None:
    """Refuse at once what the agent would refuse unread, so that nobody waits for its answer."""
    limit = plant.settings.bus.message_limit_bytes - _ENVELOPE_BYTES
    if len(body) > limit:
        raise HTTPException(413, f"{len(body)} bytes are more than bus.message_limit_bytes allows")


def _rows(plant: Plant, agent: str) -> list[AgentRow]:
    name = plant.agent_name(agent)
    rows = [row for row in plant.agents() if row.name == name]
    if not rows:
        raise NotFoundError(f'Agent "{agent[:60]}" is not known', hint="GET /api/agents lists all")
    return sorted(rows, key=lambda row: row.state is not AgentState.RUNNING)


def _status(rows: Sequence[AgentRow]) -> str:
    return "healthy" if rows[0].state is AgentState.RUNNING else rows[0].state.value


def _id(rows: Sequence[AgentRow]) -> str:
    return seed_id(rows[0].name, rows[0].aliases)


def _metrics(rows: Sequence[AgentRow]) -> dict[str, float]:
    return {
        "progress": sum(row.progress for row in rows),
        "load": sum(row.load for row in rows),
        "cpu_percent": sum(row.cpu_percent for row in rows),
        "memory_bytes": sum(row.memory_bytes for row in rows),
        "restarts": sum(row.restarts for row in rows),
    }

"""Joins gate, API and websockets to the web application that serves the pages."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute

from app import __version__
from app.api import (
    agents,
    alarms,
    audit,
    bulk_runs,
    commands,
    errors,
    export,
    feed,
    metrics,
    notifications,
    orders,
    plan,
    runs,
    simulator,
    system,
    tags,
    workflows,
    write_rules,
)
from app.api.answers import reply
from app.api.openapi import document
from app.live.socket import live_endpoint
from app.plant import Plant
from app.security.middleware import Gate

_READER = Path(__file__).parent / "reader"
_PATHS = ("/api", "/api/{rest:path}", "/healthz", "/metrics")


def mount(app: FastAPI, plant: Plant) -> None:
    """Put the gate in front of `app` and the API, `/live` and `/ws/{agent}` into it.

    The API is an application of its own behind plain routes, so that its errors are JSON and the
    pages' errors stay pages.
    """
    app.add_middleware(Gate, server=plant.settings.server, clock=plant.clock)
    inner = api(plant)
    for path in _PATHS:
        app.router.routes.append(Route(path, inner, include_in_schema=False))
    app.router.routes.append(WebSocketRoute("/ws/{agent}", inner))
    live = live_endpoint(plant.hub, plant.tags, plant.historian, plant.clock)
    app.router.routes.append(WebSocketRoute("/live", live))


def api(plant: Plant) -> FastAPI:
    """Return the API alone, with full paths."""
    made = FastAPI(
        title="Millwright",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    errors.install(made)
    for part in (system, metrics, tags, export, alarms, audit, feed, simulator, commands):
        made.include_router(part.router(plant))
    for part in (workflows, bulk_runs, runs, plan, orders, notifications, write_rules):
        made.include_router(part.router(plant))
    _add_reader(made)
    made.include_router(agents.listing(plant))
    made.include_router(agents.single(plant))
    return made


def _add_reader(made: FastAPI) -> None:
    """Add the OpenAPI document and the page that shows it, without files from elsewhere."""

    async def openapi() -> Response:
        return reply(document(made))

    async def page() -> Response:
        return FileResponse(_READER / "index.html")

    async def script() -> Response:
        return FileResponse(_READER / "reader.js")

    async def style() -> Response:
        return FileResponse(_READER / "reader.css")

    shown = {
        "/api/openapi.json": openapi,
        "/api/docs": page,
        "/api/docs/reader.js": script,
        "/api/docs/reader.css": style,
    }
    for path, endpoint in shown.items():
        made.add_api_route(path, endpoint, include_in_schema=False)

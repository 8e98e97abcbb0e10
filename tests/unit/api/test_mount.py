"""The API inside the web application: gate, pages beside it, websockets."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from app.api import feed
from app.api.feed import QUEUE_SIZE
from app.api.mount import mount
from app.core.alarm import Finding
from app.plant import Plant
from tests.serving import serving
from tests.unit.api.conftest import NOW, UNIT


def application(plant: Plant) -> FastAPI:
    """A stand-in for the pages' application, with one page."""
    app = FastAPI()
    mount(app, plant)
    app.add_api_route("/", lambda: HTMLResponse("<p>page</p>"), response_class=HTMLResponse)
    return app


def finding(condition: str, agent: str = "maintenance") -> Finding:
    return Finding(agent, condition, UNIT, NOW)


def client(plant: Plant) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(plant), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@asynccontextmanager
async def following(plant: Plant) -> AsyncGenerator[ClientConnection]:
    """A peer that follows the maintenance agent."""
    async with (
        asyncio.timeout(20),
        serving(application(plant)) as port,
        connect(f"ws://127.0.0.1:{port}/ws/pm", max_queue=None) as websocket,
    ):
        yield websocket


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/tags", "/api/docs", "/"])
async def test_api_and_pages_stand_side_by_side(plant: Plant, path: str) -> None:
    answer = await client(plant).get(path)
    assert answer.status_code == 200
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing"])
async def test_an_unknown_api_path_is_json_and_no_page(plant: Plant, path: str) -> None:
    answer = await client(plant).get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("more", "status", "told"), [(0, 422, "details: "), (1, 413, "server.body_limit_bytes")]
)
async def test_one_setting_says_how_large_a_body_may_be(
    plant: Plant, more: int, status: int, told: str
) -> None:
    size = plant.settings.server.body_limit_bytes + more
    alert = {"level": "high", "type": "x", "source": "y", "details": ""}
    alert["details"] = "x" * (size - len(json.dumps(alert)))
    answer = await client(plant).post("/api/orchestrator/alert", content=json.dumps(alert))
    assert (answer.status_code, told in answer.text) == (status, True)


async def test_features_that_are_too_large_for_an_agent_are_refused_at_once(plant: Plant) -> None:
    features = {"kind": "x" * plant.settings.bus.message_limit_bytes}
    answer = await client(plant).post("/api/pm/predict", json=features)
    assert (answer.status_code, "bus.message_limit_bytes" in answer.text) == (413, True)


async def test_a_foreign_page_cannot_stop_an_agent(plant: Plant) -> None:
    answer = await client(plant).post(
        "/api/agents/simulator/stop", headers={"origin": "http://evil.example"}
    )
    assert (answer.status_code, plant.audit_rows(10)) == (403, [])


async def test_a_large_body_is_refused_in_json(plant: Plant) -> None:
    limit = plant.settings.server.body_limit_bytes
    answer = await client(plant).post("/api/pm/predict", content=b"x" * (limit + 1))
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


async def test_a_fault_of_our_own_is_told_without_internals(plant: Plant) -> None:
    del plant.dead_letters
    answer = await client(plant).get("/api/deadletters")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "dead_letters" not in answer.text


async def test_findings_of_one_agent_arrive_as_they_are_made(plant: Plant) -> None:
    async with following(plant) as websocket:
        plant.findings.add([finding("other", "vibration"), finding("wear")])
        found = json.loads(await websocket.recv())
    assert (found["agent"], found["condition"]) == ("maintenance", "wear")


async def test_a_slow_peer_loses_the_oldest_findings_first(plant: Plant) -> None:
    async with following(plant) as websocket:
        plant.findings.add([finding(f"c{number}") for number in range(QUEUE_SIZE + 10)])
        first = json.loads(await websocket.recv())
    assert first["condition"] == "c10"


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/ws/nobody", None, 404),
        ("/ws/pm", "http://evil.example", 403),
        ("/live", "http://evil.example", 403),
    ],
)
async def test_a_websocket_is_refused_before_it_opens(
    plant: Plant, path: str, origin: str | None, status: int
) -> None:
    async with serving(application(plant)) as port:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}{path}", origin=origin)  # type: ignore[arg-type]
    assert refused.value.response.status_code == status


async def test_one_follower_too_many_is_refused(plant: Plant) -> None:
    app = FastAPI()
    app.include_router(feed.router(plant, followers_limit=1))
    async with serving(app) as port:
        url = f"ws://127.0.0.1:{port}/ws/pm"
        async with connect(url):
            with pytest.raises(InvalidStatus) as refused:
                await connect(url)
        assert refused.value.response.status_code == 503


async def test_a_peer_that_left_is_forgotten(plant: Plant) -> None:
    async with following(plant) as first:
        await first.close()
        plant.findings.add([finding("nobody hears it")])
    async with following(plant) as second:
        plant.findings.add([finding("after")])
        assert json.loads(await second.recv())["condition"] == "after"

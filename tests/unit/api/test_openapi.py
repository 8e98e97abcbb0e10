"""The OpenAPI document and the page that shows it."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import httpx
import pytest

from app.api.mount import api
from app.clock import SystemClock
from app.plant import Plant
from app.settings import Settings


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the API of a plant in which nothing runs."""
    transport = httpx.ASGITransport(api(Plant(settings, SystemClock())))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    return cast("dict[str, Any]", (await client.get("/api/openapi.json")).json())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/healthz"),
        ("get", "/metrics"),
        ("get", "/api/health"),
        ("get", "/api/orchestrator/system-state"),
        ("post", "/api/orchestrator/alert"),
        ("get", "/api/{agent}/health"),
        ("get", "/api/{agent}/status"),
        ("get", "/api/{agent}/history"),
        ("post", "/api/{agent}/predict"),
        ("get", "/api/agents"),
        ("post", "/api/agents/{name}/restart"),
        ("get", "/api/tags"),
        ("get", "/api/tags/{site}/{area}/{line}/{unit}/{tag}"),
        ("get", "/api/tags/{site}/{area}/{line}/{unit}/{tag}/history"),
        ("get", "/api/equipment"),
        ("get", "/api/export"),
        ("get", "/api/deadletters"),
        ("get", "/api/alarms"),
        ("get", "/api/alarms/kpi"),
    ],
)
async def test_a_route_of_the_contract_is_described(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert method in (await document(client))["paths"][path]


async def test_every_operation_says_in_words_what_it_does(client: httpx.AsyncClient) -> None:
    paths = (await document(client))["paths"]
    silent = [
        path
        for path, methods in paths.items()
        for one in methods.values()
        if not one.get("description")
    ]
    assert silent == []


async def test_every_shape_that_is_named_is_described(client: httpx.AsyncClient) -> None:
    text = (await client.get("/api/openapi.json")).text
    shapes = (await document(client))["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(shapes)
    assert "x-schemas" not in text


async def test_the_page_asks_no_other_host(client: httpx.AsyncClient) -> None:
    files = ["/api/docs", "/api/docs/reader.js", "/api/docs/reader.css"]
    texts = [(await client.get(path)).text for path in files]
    assert "openapi.json" in texts[1]
    assert not any("http://" in text or "https://" in text for text in texts)

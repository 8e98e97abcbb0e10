"""The gate, driven as ASGI without a server."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from app.clock import ManualClock
from app.security.middleware import Gate
from app.settings import ServerSettings

SERVER = ServerSettings(body_limit_bytes=1024, allowed_origins=("https://wall.example",))
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FOREIGN = {"origin": "http://evil.example"}


async def echo(request: Request) -> Response:
    return JSONResponse({"size": len(await request.body())})


async def careless(request: Request) -> Response:
    """Swallow whatever reading the body raises, as some frameworks do."""
    try:
        await request.body()
    except Exception as error:
        raise HTTPException(400, "bad body") from error
    return Response("read")


async def broken(_: Request) -> Response:
    raise RuntimeError("secret internals")


async def half(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("secret internals")

    return StreamingResponse(parts())


async def strict(_: Request) -> Response:
    return Response("", headers={"content-security-policy": "default-src 'none'"})


def client(server: ServerSettings = SERVER) -> httpx.AsyncClient:
    routes = [
        Route("/api/echo", echo, methods=["GET", "POST"]),
        Route("/careless", careless, methods=["POST"]),
        Route("/broken", broken),
        Route("/half", half),
        Route("/strict", strict),
    ]
    transport = httpx.ASGITransport(Gate(Starlette(routes=routes), server, ManualClock(NOW)))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 256):
        yield b"x" * 256


async def test_a_request_without_an_origin_passes() -> None:
    answer = await client().post("/api/echo", content=b"12345")
    assert answer.json() == {"size": 5}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_foreign_origin_is_refused_with_every_method(method: str) -> None:
    answer = await client().request(method, "/api/echo", headers=FOREIGN)
    assert (answer.status_code, answer.json()["error"]) == (403, "origin_not_allowed")
    assert "access-control-allow-origin" not in answer.headers


async def test_a_rebound_host_name_is_refused() -> None:
    answer = await client().get("/api/echo", headers={"host": "evil.example:8080"})
    assert (answer.status_code, answer.json()["error"]) == (403, "host_not_allowed")


async def test_a_foreign_page_under_its_own_host_name_is_refused() -> None:
    headers = {"host": "evil.example", "origin": "http://evil.example"}
    assert (await client().post("/api/echo", headers=headers)).status_code == 403


async def test_a_listed_origin_may_call_and_read() -> None:
    answer = await client().post("/api/echo", headers={"origin": "https://wall.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://wall.example"


async def test_a_listed_origin_gets_its_preflight() -> None:
    answer = await client().options("/api/echo", headers={"origin": "https://wall.example"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize("path", ["/api/echo", "/careless"])
async def test_a_declared_large_body_is_refused(path: str) -> None:
    answer = await client().post(path, content=b"x" * 1025)
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("path", ["/api/echo", "/careless"])
async def test_a_large_body_without_a_length_is_refused_while_it_streams(path: str) -> None:
    answer = await client().post(path, content=chunks(4096))
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


async def test_a_length_that_is_no_number_is_refused() -> None:
    answer = await client().post("/api/echo", headers={"content-length": "-1"})
    assert answer.status_code == 413


async def test_a_body_at_the_limit_passes() -> None:
    answer = await client().post("/api/echo", content=chunks(1024))
    assert answer.json() == {"size": 1024}


async def test_an_unexpected_error_is_told_without_internals() -> None:
    answer = await client().get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_a_failure_in_the_middle_of_an_answer_is_not_hidden() -> None:
    with pytest.raises(RuntimeError):
        await client().get("/half")


@pytest.mark.parametrize(
    ("path", "status"), [("/api/echo", 200), ("/nothing", 404), ("/broken", 500)]
)
async def test_every_answer_carries_the_headers(path: str, status: int) -> None:
    answer = await client().get(path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_refusal_carries_the_headers() -> None:
    answer = await client().get("/api/echo", headers=FOREIGN)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_api_gets_a_policy_without_any_script() -> None:
    policy = (await client().get("/api/echo")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_a_policy_that_a_route_set_itself_stays() -> None:
    answer = await client().get("/strict")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'none'"]


async def test_an_error_body_has_its_three_parts() -> None:
    body = json.loads((await client().get("/api/echo", headers=FOREIGN)).content)
    assert sorted(body) == ["error", "hint", "message"]

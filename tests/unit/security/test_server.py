"""The gate in front of real sockets: a uvicorn server on a free port."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.clock import SystemClock
from app.security.middleware import Gate
from app.settings import ServerSettings
from tests.serving import serving

SERVER = ServerSettings(body_limit_bytes=4096)
SLOW = ServerSettings(reads_per_s=1, burst_s=1)


async def talk(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


async def size(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def application() -> Starlette:
    inner = Starlette(routes=[WebSocketRoute("/socket.io/", talk)])
    return Starlette(
        routes=[
            WebSocketRoute("/live", talk),
            WebSocketRoute("/ws/{agent}", talk),
            Mount("/_nicegui_ws", inner),
            Route("/size", size, methods=["POST"]),
        ]
    )


def gated(server: ServerSettings = SERVER) -> Gate:
    return Gate(application(), server, SystemClock())


@pytest.mark.parametrize("path", ["/live", "/ws/vibration", "/_nicegui_ws/socket.io/"])
async def test_a_foreign_page_opens_no_websocket(path: str) -> None:
    async with serving(gated()) as port:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}{path}", origin="http://evil.example")  # type: ignore[arg-type]
    assert refused.value.response.status_code == 403
    assert b"origin_not_allowed" in refused.value.response.body


@pytest.mark.parametrize("path", ["/live", "/ws/vibration", "/_nicegui_ws/socket.io/"])
async def test_our_own_page_opens_a_websocket(path: str) -> None:
    async with serving(gated()) as port:
        url = f"ws://127.0.0.1:{port}{path}"
        async with connect(url, origin=f"http://127.0.0.1:{port}") as websocket:  # type: ignore[arg-type]
            assert await websocket.recv() == "hello"


async def test_a_program_without_an_origin_opens_a_websocket() -> None:
    async with serving(gated()) as port, connect(f"ws://127.0.0.1:{port}/live") as websocket:
        assert await websocket.recv() == "hello"


async def test_a_body_without_an_end_is_refused_at_the_limit() -> None:
    async with serving(gated()) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /size HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        writer.write(b"1400\r\n" + b"x" * 0x1400 + b"\r\n")
        status = await reader.readline()
        writer.close()
    assert status.startswith(b"HTTP/1.1 413 ")


async def test_a_websocket_too_many_is_refused_with_the_time_to_wait() -> None:
    async with serving(gated(SLOW)) as port:
        url = f"ws://127.0.0.1:{port}/live"
        async with connect(url) as websocket:
            assert await websocket.recv() == "hello"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["retry-after"] == "1"
    assert b"too_many_requests" in refused.value.response.body

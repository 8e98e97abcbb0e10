"""The websocket: what browsers may send, and what happens when they send anything else."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.clock import ManualClock
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading
from app.live import socket
from app.live.hub import LiveHub
from app.live.socket import live_endpoint
from app.live.tags import TagTable
from app.settings import LiveSettings

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
FLOW = f"{UNIT}/flow"


class Minutes:
    """A historian's memory: 1,000 readings, every tenth of them bad."""

    class Series:
        times_us = np.arange(1_000, dtype=np.int64) * 1_000_000
        values = np.arange(1_000, dtype=np.float64)
        qualities = np.where(np.arange(1_000) % 10 == 0, 2, 0).astype(np.uint8)

    def __init__(self) -> None:
        self.since: list[datetime] = []

    def recent(self, tag: str, since: datetime) -> "Minutes.Series":
        assert tag == FLOW
        self.since.append(since)
        return self.Series()


class Server:
    """The endpoint alone in a real web server, on a clock that stands still."""

    def __init__(self, port: int) -> None:
        clock = ManualClock(START)
        self.url = f"ws://127.0.0.1:{port}/live"
        self.history = Minutes()
        tags = TagTable(clock, 100)
        tags.declare(Equipment(UNIT, "Cooling pump P-101", tags=(Tag(FLOW),)))
        tags.apply([Reading(FLOW, 50.0, Quality.GOOD, START, START)])
        self.hub = LiveHub(tags, LiveSettings(), clock)
        endpoint = live_endpoint(self.hub, tags, self.history, clock)
        self.app = Starlette(routes=[WebSocketRoute("/live", endpoint)])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with sockets.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        made = Server(listening.getsockname()[1])
        config = uvicorn.Config(made.app, log_level="error", lifespan="off", ws="websockets-sansio")
        web = uvicorn.Server(config)
        serving = asyncio.create_task(web.serve([listening]))
        yield made
        web.should_exit = True
        await serving


@pytest.fixture
async def browser(server: Server) -> AsyncIterator[ClientConnection]:
    async with connect(server.url) as connection:
        assert (await receive(connection))["k"] == "hello"
        yield connection


async def receive(browser: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        return json.loads(await browser.recv())


async def ask(browser: ClientConnection, **request: object) -> dict[str, Any]:
    await browser.send(json.dumps(request))
    return await receive(browser)


async def closing_code(browser: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as ended:
        await receive(browser)
    assert ended.value.rcvd
    return ended.value.rcvd.code


async def until_left(server: Server) -> None:
    async with asyncio.timeout(20):
        while server.hub.subscribers:  # noqa: ASYNC110  the hub tells nobody who left
            await asyncio.sleep(0.01)


async def test_a_tab_gets_what_it_asks_for(browser: ClientConnection):
    assert (await ask(browser, tags=[FLOW]))["tags"][0]["path"] == FLOW
    assert (await receive(browser))["v"] == [[0, 50]]


async def test_an_unknown_tag_is_told_as_missing(browser: ClientConnection):
    assert (await ask(browser, tags=["a/b/c/d/e"]))["tags"] == [
        {"path": "a/b/c/d/e", "missing": True}
    ]
    assert (await receive(browser))["v"] == [[0, None, "b", 0, "unknown_tag"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"tags": "all"}',
        '{"tags": [1]}',
        '{"nothing": 1}',
        '{"seconds": NaN}',
        '{"tags": ' + "[" * 100_000,
        '{"alarms": 1}',
    ],
)
async def test_what_is_not_understood_is_answered_and_the_tab_goes_on(
    browser: ClientConnection, text: str
):
    await browser.send(text)
    assert (await receive(browser))["code"] == "not_understood"
    assert (await ask(browser, tags=[FLOW]))["k"] == "hello"


async def test_bytes_that_are_no_text_are_answered(browser: ClientConnection):
    await browser.send(b"\xff\xfe\x00")
    assert (await receive(browser))["code"] == "not_understood"


async def test_too_many_tags_are_refused_and_the_view_stays(
    browser: ClientConnection, server: Server
):
    answer = await ask(browser, tags=[f"a/b/c/d/{n}" for n in range(socket.TAGS_LIMIT + 1)])
    assert answer["code"] == "too_many_tags"
    assert server.hub.views == 0


async def test_a_message_of_a_million_tags_ends_the_connection(browser: ClientConnection):
    await browser.send(json.dumps({"tags": [f"t{n}" for n in range(1_000_000)]}))
    assert await closing_code(browser) == socket.CLOSE_TOO_BIG


async def test_a_flood_of_messages_ends_the_connection(browser: ClientConnection):
    for _ in range(int(socket.BURST) + 1):
        await browser.send('{"alarms": false}')
    assert await closing_code(browser) == socket.CLOSE_POLICY


async def test_mistake_after_mistake_ends_the_connection(browser: ClientConnection):
    codes = [(await ask(browser, wrong=n))["code"] for n in range(socket.MISTAKES_LIMIT)]
    await browser.send("{}}")
    assert codes == ["not_understood"] * socket.MISTAKES_LIMIT
    assert await closing_code(browser) == socket.CLOSE_POLICY


async def test_more_tabs_than_the_limit_are_sent_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(socket, "TABS_LIMIT", 0)
    async with connect(server.url) as connection:
        assert await closing_code(connection) == socket.CLOSE_TRY_LATER
    assert server.hub.subscribers == 0


async def test_a_tab_that_leaves_is_forgotten(server: Server):
    async with connect(server.url) as connection:
        await receive(connection)
        await ask(connection, tags=[FLOW])
        assert server.hub.subscribers == 1
    await until_left(server)
    assert server.hub.views == 0


async def test_history_is_thinned_and_bad_values_are_gaps(browser: ClientConnection):
    answer = await ask(browser, history=[FLOW], seconds=900, points=50)
    assert answer["k"] == "r"
    assert (answer["path"], answer["seconds"], answer["points"]) == (FLOW, 900, 50)
    assert len(answer["times"]) <= 52
    assert max(value for value in answer["values"] if value is not None) == 999


async def test_history_of_an_unknown_tag_is_empty(browser: ClientConnection):
    assert (await ask(browser, history=["a/b/c/d/e"]))["times"] == []


async def test_history_of_too_many_tags_is_refused(browser: ClientConnection):
    answer = await ask(browser, history=[FLOW] * (socket.HISTORY_LIMIT + 1))
    assert answer["code"] == "too_many_tags"


@pytest.mark.parametrize(("seconds", "asked"), [(-5, 1), (0, 1), (60, 60), (1e300, 86_400)])
async def test_the_length_of_history_is_bounded(
    browser: ClientConnection, server: Server, seconds: float, asked: float
):
    await ask(browser, history=[FLOW], seconds=seconds, points=10**9)
    assert server.history.since == [START - timedelta(seconds=asked)]


async def test_things_are_found(browser: ClientConnection):
    answer = await ask(browser, find="pump")
    assert answer["text"] == "pump"
    assert answer["hits"][0] == {"kind": "unit", "path": UNIT, "label": "Cooling pump P-101"}


async def test_a_long_search_text_is_cut(browser: ClientConnection):
    assert len((await ask(browser, find="x" * 10_000))["text"]) == 80

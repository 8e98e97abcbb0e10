"""How often one caller may ask, and what it is told when that is too often."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.clock import ManualClock
from app.security.middleware import Gate
from app.security.rate_limit import Bucket, Kind, RateLimits, kind_of, take
from app.settings import ServerSettings

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SLOW = ServerSettings(pages_per_s=1, reads_per_s=2, queries_per_s=0.5, changes_per_s=1, burst_s=2)


def scope(path: str, method: str = "GET", caller: str = "127.0.0.1") -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "client": (caller, 50_000)}


async def answer(_: Request) -> Response:
    return JSONResponse({})


def client(clock: ManualClock, server: ServerSettings = SLOW) -> httpx.AsyncClient:
    routes = [Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"])]
    transport = httpx.ASGITransport(Gate(Starlette(routes=routes), server, clock))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


async def statuses(asked: httpx.AsyncClient, method: str, path: str, times: int) -> list[int]:
    return [(await asked.request(method, path)).status_code for _ in range(times)]


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [
        ("/", "GET", Kind.PAGES),
        ("/units/a/b/c/d", "GET", Kind.PAGES),
        ("/no/such/page", "GET", Kind.PAGES),
        ("/healthzz", "GET", Kind.PAGES),
        ("/_niceguix", "GET", Kind.PAGES),
        ("/_niceguix", "POST", Kind.CHANGES),
        ("/metrics", "GET", Kind.READS),
        ("/api/tags/a/b/c/d/e/history/", "GET", Kind.QUERIES),
        ("/api/tags", "GET", Kind.READS),
        ("/api/tags", "HEAD", Kind.READS),
        ("/api/tags/a/b/c/d/e/history", "GET", Kind.QUERIES),
        ("/api/vibration/history", "GET", Kind.QUERIES),
        ("/api/export", "GET", Kind.QUERIES),
        ("/api/orchestrator/alert", "POST", Kind.CHANGES),
        ("/api/anything", "DELETE", Kind.CHANGES),
        ("/api/anything", "PATCH", Kind.CHANGES),
        ("/healthz", "GET", None),
        ("/static/millwright/1/live.js", "GET", None),
        ("/_nicegui_ws/socket.io/", "GET", None),
    ],
)
def test_each_path_has_its_kind(path: str, method: str, kind: Kind | None) -> None:
    assert kind_of(scope(path, method)) is kind


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=200),
    st.floats(0.1, 100),
    st.floats(1, 60),
)
def test_no_caller_gets_more_than_rate_and_burst(
    gaps: list[float], rate: float, burst_s: float
) -> None:
    capacity = max(1.0, rate * burst_s)
    bucket, now, taken = Bucket(capacity, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        bucket, wait_s = take(bucket, now, rate, capacity)
        taken += wait_s == 0
    assert taken <= capacity + now * rate + 1e-6


@given(st.floats(0, 0.999), st.floats(0.1, 1000))
def test_after_the_wait_there_is_a_token(tokens: float, rate: float) -> None:
    bucket, wait_s = take(Bucket(tokens, 0.0), 0.0, rate, 10.0)
    assert wait_s > 0
    _, again_s = take(bucket, wait_s + 1e-6, rate, 10.0)
    assert again_s == 0


async def test_one_request_too_many_is_answered_429_with_what_to_do() -> None:
    asked = client(ManualClock(NOW))
    assert await statuses(asked, "POST", "/api/x", 2) == [200, 200]
    refused = await asked.post("/api/x")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert refused.json() == {
        "error": "too_many_requests",
        "message": "More than 1 changes a second",
        "hint": "Wait 1 s and ask less often, or raise server.changes_per_s",
    }


async def test_who_waits_as_told_is_answered_again() -> None:
    clock = ManualClock(NOW)
    asked = client(clock)
    await statuses(asked, "POST", "/api/x", 3)
    await clock.advance(float((await asked.post("/api/x")).headers["retry-after"]))
    assert await statuses(asked, "POST", "/api/x", 2) == [200, 429]


async def test_refused_requests_cost_no_tokens() -> None:
    clock = ManualClock(NOW)
    asked = client(clock)
    await statuses(asked, "POST", "/api/x", 50)
    await clock.advance(1)
    assert (await asked.post("/api/x")).status_code == 200


async def test_reading_goes_on_while_changes_are_refused() -> None:
    asked = client(ManualClock(NOW))
    await statuses(asked, "POST", "/api/x", 3)
    assert await statuses(asked, "GET", "/api/tags", 2) == [200, 200]


async def test_the_liveness_check_is_never_refused() -> None:
    asked = client(ManualClock(NOW))
    assert set(await statuses(asked, "GET", "/healthz", 200)) == {200}


def test_one_caller_does_not_use_up_another_one_s_rate() -> None:
    limits = RateLimits(SLOW, ManualClock(NOW))
    first = [limits.refused(scope("/api/x", "POST", "10.0.0.1")) for _ in range(3)]
    assert [refused is None for refused in first] == [True, True, False]
    assert limits.refused(scope("/api/x", "POST", "10.0.0.2")) is None


async def test_a_flood_is_logged_once_and_again_after_a_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock(NOW)
    limits = RateLimits(SLOW, clock)
    line = "127.0.0.1 asks for too many changes, refused until it slows down"
    for _ in range(100):  # four a second; one of them is let through
        limits.refused(scope("/api/x", "POST"))
        await clock.advance(0.25)
    assert caplog.messages == [line]
    await clock.advance(10)
    for _ in range(4):
        limits.refused(scope("/api/x", "POST"))
    assert caplog.messages == [line, line]


async def test_more_callers_than_are_kept_are_still_served() -> None:
    limits = RateLimits(SLOW, ManualClock(NOW))
    refused = [limits.refused(scope("/", caller=f"10.0.{n >> 8}.{n & 255}")) for n in range(5000)]
    assert refused == [None] * 5000


def test_a_caller_without_an_address_is_limited_too() -> None:
    limits = RateLimits(SLOW, ManualClock(NOW))
    told = [limits.refused({**scope("/api/x", "POST"), "client": None}) for _ in range(3)]
    assert told[-1] is not None


def test_the_shipped_rates_let_fifty_tabs_come_back_at_once_and_be_reloaded() -> None:
    limits = RateLimits(ServerSettings(), ManualClock(NOW))
    asked = [scope("/"), {**scope("/live"), "type": "websocket"}] * 2 * 50
    assert [limits.refused(each) for each in asked] == [None] * 200

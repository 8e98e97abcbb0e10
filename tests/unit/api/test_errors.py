"""What a caller is told of each kind of error."""

import httpx
import pytest
from fastapi import FastAPI

from app.api.errors import install
from app.core.errors import (
    AgentAwayError,
    AgentError,
    BusError,
    CodecError,
    ConflictError,
    FieldsError,
    InputError,
    MillwrightError,
    ModelError,
    NotFoundError,
    SettingsError,
    StoreError,
    StoreOpeningError,
    TopicError,
)


async def told(error: Exception) -> httpx.Response:
    """Return the answer of a route that raises `error`."""
    app = FastAPI()
    install(app)

    async def fail() -> None:
        raise error

    app.add_api_route("/fail", fail)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get("/fail")


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (InputError("x is wrong", "Write y"), 422, "input"),
        (CodecError("no JSON"), 422, "input"),
        (TopicError("no path"), 422, "input"),
        (NotFoundError("no z"), 404, "not_found"),
        (ConflictError("not now"), 409, "conflict"),
        (BusError("no broker"), 503, "bus"),
        (StoreError("disk full"), 503, "store"),
        (ModelError("no model"), 503, "model"),
        (AgentError("it failed", "See its log"), 503, "agent"),
        (AgentAwayError("it is stopped", "Start it"), 503, "agent"),
    ],
)
async def test_each_family_has_its_status(error: MillwrightError, status: int, word: str) -> None:
    answer = await told(error)
    expected = {"error": word, "message": str(error), "hint": error.hint}
    assert (answer.status_code, answer.json()) == (status, expected)


async def test_of_a_store_that_opens_it_is_told_when_to_ask_again() -> None:
    answer = await told(StoreOpeningError("not yet"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


async def test_of_an_agent_that_does_not_live_it_is_told_when_to_ask_again() -> None:
    answer = await told(AgentAwayError("it is stopped"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


async def test_of_a_store_that_fails_no_time_is_promised() -> None:
    assert "Retry-After" not in (await told(StoreError("disk full"))).headers


async def test_fields_that_the_message_leaves_out_are_added_to_it() -> None:
    error = FieldsError("torque is missing", {"torque": "missing", "speed": "is no number"})
    body = (await told(error)).json()
    assert body["message"] == "torque is missing; speed: is no number"
    assert body["fields"] == {"torque": "missing", "speed": "is no number"}


@pytest.mark.parametrize("error", [RuntimeError("secret"), SettingsError("secret")])
async def test_an_error_nobody_foresaw_tells_nothing_of_the_inside(error: Exception) -> None:
    answer = await told(error)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "secret" not in answer.text

"""Apprise against a server on loopback that speaks the services' own protocols."""

import json
import logging
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from apprise.plugins.twilio import NotifyTwilio  # pyright: ignore[reportMissingTypeStubs]

from agents.notifier.courier import AppriseCourier
from agents.notifier.routes import TWILIO, find_routes
from app.core.alarm import Priority
from app.settings_notify import NotifySettings
from tests.http_stub import Stub, http_stub
from tests.processes import eventually

SID = "AC" + "0123456789abcdef" * 2
SEEDS = dict(zip(TWILIO, (SID, "f" * 32, "+493012345678", "+4917123456789"), strict=True))

# A plug-in of Apprise 1.13 imports pgpy, which imports imghdr; Python 3.13 has none and pgpy copes.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with http_stub() as serving:
        yield serving


@pytest.fixture
def twilio(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of the route of the seeds' variables, with Twilio's address leading to the stub."""
    place = f"http://{stub.address}/2010-04-01/Accounts/{{sid}}/Messages.json"
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", place)
    return find_routes(NotifySettings(), SEEDS).usable["sms"].url


async def send(url: str, timeout_s: float = 10.0) -> str:
    return await AppriseCourier().send(url, "High: Hot", "Cool it", Priority.HIGH, timeout_s)


async def test_title_and_message_arrive(stub: Stub):
    assert await send(f"json://{stub.address}/alarms") == ""

    body = json.loads(stub.requests[0].body)
    assert stub.requests[0].path == "/alarms"
    assert (body["title"], body["message"], body["type"]) == ("High: Hot", "Cool it", "failure")


@pytest.mark.parametrize("status", [400, 403, 500, 503])
async def test_a_refusal_is_told_with_its_status(status: int, stub: Stub):
    stub.answers = [(status, b"no")]

    assert f"error={status}" in await send(f"json://{stub.address}")


async def test_a_server_that_does_not_listen_is_told():
    assert "connection error" in (await send("json://127.0.0.1:1")).lower()


async def test_a_server_that_hangs_costs_no_more_than_the_time_allowed(stub: Stub):
    stub.is_open.clear()
    courier, url = AppriseCourier(), f"json://{stub.address}?rto=20"

    first = await courier.send(url, "t", "b", Priority.LOW, 0.2)
    second = await courier.send(url, "t", "b", Priority.LOW, 0.2)
    stub.is_open.set()
    await eventually(lambda: len(stub.requests) == 1)

    assert first == "no answer in 0.2 s"
    assert second == "the try before has not ended yet"


@pytest.mark.parametrize("url", ["nonsense://token", "json://", "x", "twilio://AC1:token@1"])
async def test_a_url_that_cannot_be_used_is_told_without_its_secret(url: str):
    said = await AppriseCourier().check(url)

    assert "Apprise cannot use the URL" in said
    assert "token" not in said


async def test_a_sms_speaks_the_protocol_of_twilio(twilio: str, stub: Stub):
    stub.answers = [(201, b'{"sid": "SM1", "status": "queued"}')]

    assert await send(twilio) == ""

    request = stub.requests[0]
    form = parse_qs(request.body.decode())
    assert request.path == f"/2010-04-01/Accounts/{SID}/Messages.json"
    assert request.headers["Authorization"].startswith("Basic ")
    assert form["From"] == ["+493012345678"]
    assert form["To"] == ["+4917123456789"]
    assert "High: Hot" in form["Body"][0]


async def test_what_twilio_refuses_is_told_in_its_words(twilio: str, stub: Stub):
    stub.answers = [(400, b'{"code": 21211, "message": "Invalid To number", "status": 400}')]

    said = await send(twilio)

    assert "Invalid To number" in said
    assert "21211" in said
    assert SEEDS["TWILIO_AUTH_TOKEN"] not in said


class Ears(logging.Handler):
    """Hears what reaches the root logger, which writes the agent's log."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


@pytest.fixture
def ears() -> Iterator[Ears]:
    listening = Ears()
    logging.getLogger().addHandler(listening)
    yield listening
    logging.getLogger().removeHandler(listening)


async def test_what_apprise_says_of_a_url_does_not_reach_the_log(ears: Ears):
    said = await AppriseCourier().send("twilio://AC1:token@1", "t", "b", Priority.LOW, 10)

    assert said == "Apprise cannot use the URL; see docs/notify.md"
    assert [line for line in ears.heard if "token" in line] == []


async def test_a_title_alone_arrives_too(stub: Stub):
    url = f"json://{stub.address}"

    assert await AppriseCourier().send(url, "Strainer", "", Priority.LOW, 10) == ""
    assert json.loads(stub.requests[0].body)["message"] == "Strainer"

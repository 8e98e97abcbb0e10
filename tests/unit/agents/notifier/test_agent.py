"""The agent on a real broker, with a server on loopback as the service that reaches people."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from agents.notifier.agent import NotifierAgent
from app.clock import SystemClock
from app.core.agent import AgentState
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.errors import FieldsError
from app.core.task import Task, TaskFailure
from app.core.topics import alarm_topic
from app.settings import Settings
from app.settings_notify import NotifySettings
from tests.contract.listener import REPLY_TO, Listener, listening
from tests.http_stub import Stub, http_stub
from tests.processes import eventually

PUMP = "riverside/utilities/cooling/pump-101"

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with http_stub() as serving:
        yield serving


@pytest.fixture(autouse=True)
def _no_twilio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWILIO_ACCOUNT_SID", raising=False)


def with_routes(settings: Settings, *routes: dict[str, object]) -> Settings:
    notify = NotifySettings.model_validate({"routes": routes})
    return settings.model_copy(update={"notify": notify})


def route(stub: Stub, name: str = "shift", **settings: object) -> dict[str, object]:
    return {"name": name, "url": f"json://{stub.address}/{name}", "backoff_s": 0.1, **settings}


async def ask(listener: Listener, capability: str, **input: object) -> dict[str, Any]:
    now = listener.clock.now()
    task_id = f"{capability}:{now.isoformat()}"
    task = Task(task_id, capability, input, REPLY_TO, now + timedelta(seconds=30))
    result = await listener.ask("notifier", task)
    assert result.output is not None, result.error
    return result.output


def alarm(
    listener: Listener, state: AlarmState = AlarmState.UNACK, at: datetime | None = None
) -> Alarm:
    now = at or listener.clock.now()
    finding = Finding("limits", "high", PUMP, now, Priority.HIGH, message="Hot", response="Cool it")
    return Alarm("a1", finding, state, True, now, now)


def say(listener: Listener, said: Alarm | None) -> None:
    listener.bus.publish(alarm_topic("a1"), said or b"", qos=1, retain=True)


def titles(stub: Stub, name: str = "shift") -> list[str]:
    return [json.loads(each.body)["title"] for each in stub.requests if each.path == f"/{name}"]


async def test_a_notification_is_sent_and_logged(connected_settings: Settings, stub: Stub):
    settings = with_routes(connected_settings, route(stub))
    async with listening(settings) as listener, listener.serving(NotifierAgent):
        answer = await ask(listener, "notify", title="Strainer", message="Clean it", priority=2)
        log = await ask(listener, "deliveries")

    assert answer["routes"] == [{"name": "shift", "state": "sent", "reason": ""}]
    assert answer["warning"] == ""
    assert titles(stub) == ["Strainer"]
    assert [(each["id"], each["state"]) for each in log["deliveries"]] == [
        (answer["delivery"], "sent")
    ]


async def test_without_a_route_it_says_so_and_pretends_nothing(connected_settings: Settings):
    settings = connected_settings
    async with listening(settings) as listener, listener.serving(NotifierAgent) as agent:
        answer = await ask(listener, "notify", title="Strainer", priority=2)
        note, state = agent.note(), agent.communication.status.state

    assert (note, state) == ("no route is configured", AgentState.RUNNING)
    reason = "no route for priority 2 is configured; add [[notify.routes]]"
    assert answer["routes"] == [{"name": "", "state": "suppressed", "reason": reason}]
    assert answer["warning"] == f"Nobody is told: {reason}"


async def test_a_route_that_does_not_exist_is_an_error_and_stands_in_the_log(
    connected_settings: Settings, stub: Stub
):
    settings = with_routes(connected_settings, route(stub))
    async with listening(settings) as listener, listener.serving(NotifierAgent):
        task = listener.task("wrong", "notify")
        given: dict[str, object] = {"title": "Strainer", "route": "nope"}
        result = await listener.ask("notifier", msgspec.structs.replace(task, input=given))
        log = await ask(listener, "deliveries")

    assert (result.output, result.failure) == (None, TaskFailure.INPUT)
    assert result.details == {"route": 'there is no usable route "nope"; usable are shift'}
    assert [each["state"] for each in log["deliveries"]] == ["failed"]
    assert stub.requests == []


async def test_a_route_without_its_variable_is_told_on_the_agents_page(
    connected_settings: Settings,
):
    settings = with_routes(connected_settings, {"name": "mail", "url_env": "NO_SUCH_URL"})
    async with listening(settings) as listener, listener.serving(NotifierAgent) as agent:
        status = agent.communication.status

    assert status.state is AgentState.DEGRADED
    assert "NO_SUCH_URL is empty" in status.reason


async def test_what_a_service_refuses_waits_and_is_tried_again(
    connected_settings: Settings, stub: Stub
):
    stub.answers = [(503, b""), (200, b"")]
    settings = with_routes(connected_settings, route(stub))
    async with listening(settings) as listener, listener.serving(NotifierAgent) as agent:
        answer = await ask(listener, "notify", title="Strainer", message="Clean it")
        await eventually(lambda: len(stub.requests) == 2)
        await eventually(lambda: agent.communication.status.state is AgentState.RUNNING)
        log = await ask(listener, "deliveries")

    assert answer["routes"][0]["state"] == "queued"
    assert "503" in answer["routes"][0]["reason"]
    assert answer["warning"].startswith("Nobody is told yet: shift: ")
    assert [(each["state"], each["tries"]) for each in log["deliveries"]] == [("sent", 2)]


async def test_an_alarm_is_told_once_also_after_a_restart(connected_settings: Settings, stub: Stub):
    settings = with_routes(connected_settings, route(stub, dedupe_s=0))
    async with listening(settings) as listener:
        async with listener.serving(NotifierAgent):
            listener.bus.publish(alarm_topic("a1"), b"not JSON", qos=1)
            say(listener, alarm(listener))
            await eventually(lambda: titles(stub) == ["High: Hot"])
        async with listener.serving(NotifierAgent) as agent:
            await eventually(lambda: agent.beat().note.endswith("1 alarms followed"))
            await agent.look()
        say(listener, None)

    assert titles(stub) == ["High: Hot"]


async def test_an_alarm_nobody_acknowledges_goes_to_the_next_route(
    connected_settings: Settings, stub: Stub
):
    first = route(stub, escalate_after_s=0.2, escalate_to="chief")
    settings = with_routes(connected_settings, first, route(stub, "chief", priorities=()))
    async with listening(settings) as listener, listener.serving(NotifierAgent):
        say(listener, alarm(listener))
        await eventually(lambda: titles(stub, "chief"))
        say(listener, None)

    assert titles(stub) == titles(stub, "chief") == ["High: Hot"]
    assert "Not acknowledged for" in json.loads(stub.requests[-1].body)["message"]


@pytest.mark.parametrize("state", [AlarmState.ACK, None])
async def test_an_alarm_that_is_acknowledged_or_over_goes_no_further(
    state: AlarmState | None, connected_settings: Settings, stub: Stub
):
    first = route(stub, escalate_after_s=3600, escalate_to="chief")
    settings = with_routes(connected_settings, first, route(stub, "chief", priorities=()))
    async with listening(settings) as listener, listener.serving(NotifierAgent) as agent:
        say(listener, alarm(listener))
        await eventually(lambda: titles(stub))
        say(listener, alarm(listener, state) if state else None)
        await eventually(lambda: agent.note().endswith("0 alarms followed"))
        say(listener, None)

    assert titles(stub, "chief") == []


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x", "priority": 5}, "priority"),
        ({"title": "x", "priority": "high"}, "priority"),
        ({"title": "x", "routes": "all"}, "routes"),
    ],
)
async def test_a_wrong_task_is_refused_by_field(
    input: dict[str, object], field: str, settings: Settings
):
    with pytest.raises(FieldsError) as caught:
        await NotifierAgent(settings, SystemClock()).handle_task("notify", input)

    assert field in caught.value.details

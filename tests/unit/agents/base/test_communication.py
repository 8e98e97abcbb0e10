"""What an agent says on the topics of the seeds."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from agents.base.communication import Communication
from app.clock import SystemClock
from app.core.agent import AgentSpec
from app.core.alarm import Finding, Priority
from app.core.task import TaskResult
from app.settings import Settings
from tests.mqtt_peer import Peer, peer
from tests.processes import eventually

UNIT = "site/area/line/P-102"


@pytest.fixture
async def vibration(connected_settings: Settings) -> AsyncGenerator[Communication]:
    spec = AgentSpec("vibration", "Finds bearing faults")
    made = Communication(connected_settings, spec, "1", SystemClock())
    await made.bus.start()
    await made.bus.wait_connected(10)
    yield made
    await made.bus.stop()


@pytest.fixture
async def events(broker_url: str) -> AsyncGenerator[Peer]:
    """A peer that hears the topic of events, and predictions to know when all has arrived."""
    with peer(int(broker_url.rpartition(":")[2]), "events-listener") as made:
        await made.connected()
        await made.subscribe("+/+")
        yield made


def stated(condition: str, priority: Priority | None) -> Finding:
    return Finding("vibration", condition, UNIT, SystemClock().now(), priority)


def heard(events: Peer) -> list[tuple[str, str]]:
    told = [msgspec.json.decode(text) for topic, text in events.received if "events" in topic]
    return [(each["prediction"], each["message"]) for each in told]


async def say(vibration: Communication, events: Peer, findings: list[Finding]) -> None:
    """State findings and wait until the peer has heard of all."""
    for finding in findings:
        vibration.state_finding(finding)
    await eventually(
        lambda: sum("predictions" in topic for topic, _ in events.received) == len(findings)
    )


async def test_a_unit_that_is_well_is_no_event(vibration: Communication, events: Peer):
    await say(vibration, events, [stated("imbalance", None)] * 3)
    assert heard(events) == []


async def test_an_event_is_told_while_it_is_present_and_once_when_it_ends(
    vibration: Communication, events: Peer
):
    present, absent = stated("imbalance", Priority.HIGH), stated("imbalance", None)
    await say(vibration, events, [absent, present, present, absent, absent])
    assert heard(events) == [("imbalance", ""), ("imbalance", ""), ("normal", "imbalance ended")]


async def test_the_end_of_an_event_is_told_over_a_restart(vibration: Communication, events: Peer):
    looseness, imbalance = stated("looseness", None), stated("imbalance", None)
    vibration.recall({looseness.key: 2, imbalance.key: None})
    await say(vibration, events, [looseness, imbalance])
    assert heard(events) == [("normal", "looseness ended")]


@pytest.mark.parametrize(
    ("reply_to", "said"), [("millwright/\nresults", "x"), ("results/app", "x" * 9_000_000)]
)
async def test_a_result_that_no_broker_takes_leaves_the_agent_connected(
    vibration: Communication,
    caplog: pytest.LogCaptureFixture,
    reply_to: str,
    said: str,
):
    vibration.answer(reply_to, TaskResult("one", "vibration/1", 0.1, {"said": said}))

    assert "Result of task one is not sent" in caplog.text
    await vibration.bus.publish_confirmed("still/connected", b"x")

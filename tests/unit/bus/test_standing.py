"""How things stand, from who says it to who follows it, over a real broker."""

import asyncio
import socket
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from app.bus import standing
from app.bus.client import Bus, BusState
from app.bus.standing import Standing
from app.core.errors import BusError, InputError
from app.core.reading import ReadingMessage
from app.settings import Settings
from tests.broker_process import BrokerProcess
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.unit.bus.conftest import Inbox, MakeBus

REDELIVERY_S = 2.5  # ack_wait of the test's broker is 1 s


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return f"state/{request.node.name}"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "AGAIN_S", 0.2)


@pytest.fixture
def fresh(tmp_path: Path, killable: BrokerProcess) -> Iterator[BrokerProcess]:
    """A broker on the port of `killable`, for when that is gone with all it kept."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    broker = BrokerProcess(folder, killable.settings.port)
    yield broker
    broker.kill()


def of(broker: BrokerProcess, settings: Settings) -> Settings:
    return settings.model_copy(update={"broker": broker.settings})


def reading(value: float) -> ReadingMessage:
    return ReadingMessage(v=value)


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


async def following(bus: Bus, topic: str) -> Inbox:
    inbox = Inbox()
    bus.subscribe_state(topic, ReadingMessage, inbox)
    await connected(bus)
    return inbox


def values(inbox: Inbox) -> list[float]:
    return [each.v for each in inbox.messages]


async def heard(inbox: Inbox, *wanted: float) -> None:
    await eventually(lambda: values(inbox) == list(wanted), 10)


@pytest.mark.usefixtures("soon")
async def test_a_state_is_said_at_once_and_once_more(make_bus: MakeBus, topic: str):
    inbox = await following(make_bus("follower"), topic)
    speaker = await connected(make_bus("speaker"))

    speaker.publish_state(topic, reading(1))

    await heard(inbox, 1, 1)
    await asyncio.sleep(0.5)
    assert values(inbox) == [1, 1]


@pytest.mark.usefixtures("soon")
async def test_what_was_said_before_is_not_repeated_after_what_is_newer(
    make_bus: MakeBus, topic: str
):
    inbox = await following(make_bus("follower"), topic)
    speaker = await connected(make_bus("speaker"))

    speaker.publish_state(topic, reading(1))
    speaker.publish_state(topic, reading(2))
    await heard(inbox, 1, 2, 2)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_another_retained_message_takes_its_place(
    make_bus: MakeBus, topic: str, is_confirmed: bool
):
    inbox = await following(make_bus("follower"), topic)
    speaker = await connected(make_bus("speaker"))

    speaker.publish_state(topic, reading(1))
    if is_confirmed:
        await speaker.publish_confirmed(topic, reading(2), retain=True)
    else:
        speaker.publish(topic, reading(2), qos=1, retain=True)
    await asyncio.sleep(0.5)

    assert values(inbox) == [1, 2]


async def test_before_the_connection_it_waits_and_only_the_newest_is_said(
    make_bus: MakeBus, topic: str
):
    inbox = await following(make_bus("follower"), topic)
    speaker = make_bus("speaker")

    speaker.publish_state(topic, reading(1))
    speaker.publish_state(topic, reading(2))
    await connected(speaker)

    await heard(inbox, 2)


async def test_a_broker_that_lost_everything_hears_it_again(
    make_bus: MakeBus, settings: Settings, killable: BrokerProcess, fresh: BrokerProcess, topic: str
):
    speaker = await connected(make_bus("speaker", of(killable, settings)))
    speaker.publish_state(topic, reading(1))
    killable.kill()
    await eventually(lambda: speaker.state is not BusState.CONNECTED)
    fresh.start()
    await speaker.wait_connected(20)

    inbox = await following(make_bus("late", of(fresh, settings)), topic)

    await eventually(lambda: values(inbox)[:1] == [1], 10)


async def test_a_follower_hears_at_reconnect_what_it_missed(
    make_bus: MakeBus, settings: Settings, killable: BrokerProcess, topic: str
):
    follower = make_bus("follower", of(killable, settings), persistent=True)
    inbox = await following(follower, topic)
    killable.kill()
    await eventually(lambda: follower.state is not BusState.CONNECTED)
    killable.start()
    await killable.ready()
    with peer(killable.settings.port, "speaker") as speaker:
        await speaker.connected()
        await speaker.publish(topic, b'{"v": 5}', retain=True)

        await eventually(lambda: values(inbox)[-1:] == [5], 20)


async def test_what_was_under_way_to_a_killed_follower_does_not_come_after_what_is_newer(
    make_bus: MakeBus, connected_settings: Settings, topic: str
):
    port = int(connected_settings.broker.url.rpartition(":")[2])
    with peer(port, "speaker") as speaker:
        await speaker.connected()
        await killed_with_one_under_way(port, topic, speaker.publish(topic, b'{"v": 1}'))
        follower = make_bus("follower", persistent=True)
        inbox = await following(follower, topic)
        await speaker.publish(topic, b'{"v": 2}', retain=True)
        await eventually(lambda: 2 in values(inbox), 10)
        await asyncio.sleep(REDELIVERY_S)

    assert values(inbox)[-1] == 2


async def killed_with_one_under_way(port: int, topic: str, sending: Awaitable[None]) -> None:
    """Be "follower" as it was before: at QoS 1, and cut off before it acknowledged a message."""
    told: list[str] = []
    client = Client(
        CallbackAPIVersion.VERSION2, client_id="follower", clean_session=False, manual_ack=True
    )

    def opened(*_: object) -> None:
        client.subscribe(topic, 1)

    def subscribed(*_: object) -> None:
        told.append("subscribed")

    def came(*_: object) -> None:
        told.append("message")

    client.on_connect, client.on_subscribe, client.on_message = opened, subscribed, came
    client.connect("127.0.0.1", port)
    client.loop_start()
    await eventually(lambda: told == ["subscribed"], 10)
    await sending
    await eventually(lambda: told == ["subscribed", "message"], 10)
    client.loop_stop()
    connection = client.socket()
    assert isinstance(connection, socket.socket)
    connection.close()


async def test_a_topic_that_a_broker_would_punish_is_refused(make_bus: MakeBus):
    with pytest.raises(InputError, match="wild card"):
        make_bus("speaker").publish_state("state/#", reading(1))


async def test_a_full_queue_is_logged_and_the_next_connection_says_it(
    caplog: pytest.LogCaptureFixture,
):
    said: list[float] = []

    def say(_: str, message: object) -> None:
        if len(said) == 1 and not caplog.records:
            raise BusError("the queue is full")
        assert isinstance(message, ReadingMessage)
        said.append(float(message.v or 0))

    stands = Standing(say)
    stands.put("a", reading(1))
    stands.put("b", reading(2))
    stands.opened()
    assert (said, [record.message for record in caplog.records]) == ([1], ["the queue is full"])

    stands.closed()
    stands.opened()
    stands.opened()

    assert said == [1, 1, 2]

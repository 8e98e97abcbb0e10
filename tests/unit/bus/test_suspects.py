"""A message for which a broker closes the connection is taken out; no other is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from app.bus.client import Bus, BusState
from app.bus.suspects import BRIEF_S, Suspects
from app.core.errors import BusError
from app.settings import Settings
from tests.broker_process import BrokerProcess
from tests.processes import eventually
from tests.unit.bus.conftest import Inbox, MakeBus

LARGE = bytes(100_000)


class Waiting:
    """Messages that wait in a client without a connection."""

    def __init__(self) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.suspects = Suspects(self.client, 500)
        self.now_s = 1000.0

    def add(self, *topics: str) -> None:
        for topic in topics:
            self.client.publish(topic, b"x", qos=1)

    def acknowledge(self) -> None:
        waiting = self.client._out_messages  # pyright: ignore[reportPrivateUsage]  as Suspects
        waiting.popitem(last=False)

    def close(self, times: int = 1, lived_s: float = 0.1) -> None:
        for _ in range(times):
            self.now_s += lived_s
            self.suspects.closed(self.now_s, lived_s)
            self.suspects.before_connect()

    @property
    def topics(self) -> list[str]:
        waiting = self.client._out_messages  # pyright: ignore[reportPrivateUsage]  as Suspects
        return [message.topic for message in waiting.values()]


@pytest.fixture
def waiting() -> Waiting:
    made = Waiting()
    made.add("a", "b", "c")
    return made


def test_the_first_of_three_brief_connections_is_held_back_and_then_dropped(waiting: Waiting):
    waiting.close(3)

    assert (waiting.topics, waiting.suspects.is_careful) == (["b", "c"], True)
    guilty = waiting.suspects.convict()
    assert guilty is not None
    assert (guilty.topic, waiting.suspects.is_careful) == ("a", False)
    waiting.close(2)
    assert waiting.topics == ["b", "c"]


def test_two_brief_connections_hold_nothing_back(waiting: Waiting):
    waiting.close(2)

    assert (waiting.topics, waiting.suspects.convict()) == (["a", "b", "c"], None)


def test_brief_connections_that_take_messages_hold_nothing_back(waiting: Waiting):
    waiting.close(2)
    waiting.acknowledge()
    waiting.close(2)

    assert waiting.topics == ["b", "c"]
    assert waiting.suspects.convict() is None


def test_connections_that_last_hold_nothing_back(waiting: Waiting):
    waiting.close(10, lived_s=BRIEF_S)

    assert waiting.topics == ["a", "b", "c"]


def test_a_connection_that_lasts_between_brief_ones_begins_the_count_anew(waiting: Waiting):
    waiting.close(2)
    waiting.close(1, lived_s=BRIEF_S)
    waiting.close(2)

    assert waiting.topics == ["a", "b", "c"]


def test_a_broker_that_closes_without_any_message_gets_all_again_in_order(waiting: Waiting):
    waiting.close(3 + 3)

    assert (waiting.topics, waiting.suspects.is_careful) == (["a", "b", "c"], False)
    waiting.close(100)  # 10 s in which it is trusted
    assert waiting.topics == ["a", "b", "c"]


def test_only_the_last_held_is_dropped_and_the_others_are_sent_again(waiting: Waiting):
    waiting.close(3 + 1)

    guilty = waiting.suspects.convict()

    assert guilty is not None
    assert guilty.topic == "b"
    assert waiting.suspects.is_careful
    waiting.close(1, lived_s=BRIEF_S)
    assert (waiting.topics, waiting.suspects.is_careful) == (["a", "c"], False)


def test_more_than_a_few_held_are_innocent(waiting: Waiting):
    waiting.add(*(str(number) for number in range(20)))

    waiting.close(3 + 10)

    assert (len(waiting.topics), waiting.suspects.is_careful) == (23, False)


def test_without_messages_nothing_is_held_back():
    waiting = Waiting()

    waiting.close(10)

    assert waiting.suspects.convict() is None


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker that takes less than we publish, as one of somebody else may."""
    broker = BrokerProcess(tmp_path)
    config = tmp_path / "nats.conf"
    text = config.read_text("utf-8")
    config.write_text(text.replace("max_payload: 8388608", "max_payload: 65536"), "utf-8")
    broker.start()
    yield broker
    broker.kill()


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


@pytest.mark.slow
async def test_a_message_that_a_broker_never_takes_is_dropped_and_told(
    make_bus: MakeBus, strict: BrokerProcess, caplog: pytest.LogCaptureFixture
):
    settings, inbox = Settings(broker=strict.settings), Inbox()
    bus = make_bus("poisoned", settings, persistent=True)
    bus.subscribe("good/#", bytes, inbox, qos=1)
    await connected(bus)

    with pytest.raises(BusError, match='"large/x", 100000 bytes; it is dropped') as caught:
        await bus.publish_confirmed("large/x", LARGE, timeout_s=60)

    assert "broker's log" in caught.value.hint
    await bus.publish_confirmed("good/x", b"1")
    await eventually(lambda: inbox.messages == [b"1"])
    assert [letter.topic for letter in bus.dead_letters.list()] == ["large/x"]
    assert "it is dropped" in caplog.text
    assert bus.state is BusState.CONNECTED


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_several_such_messages_are_dropped_and_all_others_arrive(
    make_bus: MakeBus, strict: BrokerProcess
):
    settings, inbox = Settings(broker=strict.settings), Inbox()
    reader = make_bus("reader", settings)
    reader.subscribe("good/#", bytes, inbox, qos=1)
    await connected(reader)
    bus = await connected(make_bus("poisoned", settings, persistent=True))
    topics = ["good/1", "large/1", "good/2", "large/2", "good/3"]

    sent = await asyncio.gather(
        *(
            bus.publish_confirmed(
                topic, LARGE if "large" in topic else topic.encode(), timeout_s=100
            )
            for topic in topics
        ),
        return_exceptions=True,
    )

    assert [type(each) for each in sent] == [type(None), BusError, type(None), BusError, type(None)]
    await eventually(lambda: set(inbox.messages) == {b"good/1", b"good/2", b"good/3"})
    assert {letter.topic for letter in bus.dead_letters.list()} == {"large/1", "large/2"}

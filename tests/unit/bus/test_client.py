import logging
import socket
from collections.abc import Sequence

import pytest

from app.bus.client import Bus, BusState, Received
from app.bus.read_ahead import Incoming
from app.core.errors import BusError, InputError, TopicError
from app.core.health import Health
from app.core.reading import ReadingMessage
from app.core.topic_name import BYTES, PAYLOAD_BYTES
from app.settings import BusSettings, Settings
from tests.processes import eventually
from tests.unit.bus.conftest import Inbox, MakeBus

TAG = "plant/s/a/l/u/t"


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


async def test_messages_arrive_typed_and_in_order(make_bus: MakeBus):
    bus, inbox = make_bus("order"), Inbox()
    bus.subscribe("plant/#", ReadingMessage, inbox)
    await connected(bus)

    for number in range(3000):
        bus.publish(TAG, ReadingMessage(v=number))

    await eventually(lambda: len(inbox.received) == 3000)
    assert [message.v for message in inbox.messages] == list(range(3000))
    assert {(r.topic, r.retained) for r in inbox.received} == {(TAG, False)}


async def test_a_subscription_made_while_connected_works(make_bus: MakeBus):
    bus, inbox = await connected(make_bus("late")), Inbox()

    bus.subscribe("plant/#", ReadingMessage, inbox)
    await bus.wait_connected(15)
    bus.publish(TAG, ReadingMessage(v=1))

    await eventually(lambda: inbox.received)


async def test_a_retained_message_says_so(make_bus: MakeBus):
    sender = await connected(make_bus("keeper"))
    await sender.publish_confirmed("kept/x", ReadingMessage(v=7), retain=True)
    reader, inbox = make_bus("reader"), Inbox()
    reader.subscribe("kept/x", ReadingMessage, inbox)

    await connected(reader)

    await eventually(lambda: inbox.received)
    assert inbox.received[0].retained


async def test_two_handlers_of_one_filter_both_get_each_message_once(make_bus: MakeBus):
    bus, first, second = make_bus("two"), Inbox(), Inbox()
    bus.subscribe("plant/#", ReadingMessage, first)
    bus.subscribe("plant/#", bytes, second)
    await connected(bus)

    bus.publish(TAG, ReadingMessage(v=1))
    await bus.publish_confirmed(TAG, ReadingMessage(v=2))

    await eventually(lambda: len(first.received) == len(second.received) == 2)


async def test_an_undecodable_message_goes_to_the_dead_letters_and_nothing_else_is_lost(
    make_bus: MakeBus,
):
    bus, inbox = make_bus("dead"), Inbox()
    bus.subscribe("plant/#", ReadingMessage, inbox, qos=1)
    await connected(bus)

    for payload in (b'{"v":1}', b"\xff", b'{"v":NaN}', b"[" * 100_000, b'{"v":2}'):
        await bus.publish_confirmed(TAG, payload)

    await eventually(lambda: len(inbox.received) == 2 and bus.counters.dead == 3)
    assert [message.v for message in inbox.messages] == [1, 2]
    assert {letter.topic for letter in bus.dead_letters.list()} == {TAG}
    assert bus.status.state is Health.OK


async def test_a_message_beyond_the_size_limit_is_refused(
    make_bus: MakeBus, connected_settings: Settings
):
    settings = connected_settings.model_copy(update={"bus": BusSettings(message_limit_bytes=1024)})
    bus = make_bus("big", settings)
    bus.subscribe("plant/#", bytes, Inbox())
    await connected(bus)

    bus.publish(TAG, b" " * 1025)

    await eventually(lambda: bus.counters.dead == 1)
    assert "1025 bytes" in bus.dead_letters.list()[0].reason


async def test_a_flood_of_bad_messages_logs_one_line(
    make_bus: MakeBus, caplog: pytest.LogCaptureFixture
):
    bus = make_bus("flood")
    bus.subscribe("plant/#", ReadingMessage, Inbox())
    await connected(bus)
    caplog.clear()

    for _ in range(1000):
        bus.publish(TAG, b"{")

    await eventually(lambda: bus.counters.dead == 1000)
    assert len(caplog.records) == 1
    assert len(bus.dead_letters.list()) == 200


async def test_a_failing_live_handler_is_counted_and_gets_the_next_messages(
    make_bus: MakeBus, caplog: pytest.LogCaptureFixture
):
    bus, inbox = make_bus("live-fail"), Inbox()

    def fail_at_two(batch: Sequence[Received[ReadingMessage]]) -> None:
        if batch[0].message.v == 2:
            raise ValueError("no")
        inbox(batch)

    bus.subscribe("plant/#", ReadingMessage, fail_at_two)
    await connected(bus)
    caplog.clear()

    bus.publish(TAG, ReadingMessage(v=2))
    await eventually(lambda: bus.counters.failed == 1)
    assert (bus.status.state, "plant/#" in bus.status.reason) == (Health.DEGRADED, True)
    bus.publish(TAG, ReadingMessage(v=2))
    await eventually(lambda: bus.counters.failed == 2)
    bus.publish(TAG, ReadingMessage(v=3))
    await eventually(lambda: inbox.received)

    assert len(caplog.records) == 1
    assert bus.status.state is Health.OK


async def test_a_full_live_queue_drops_the_oldest_and_counts_them(
    make_bus: MakeBus, connected_settings: Settings
):
    settings = connected_settings.model_copy(update={"bus": BusSettings(queue_size=100)})
    bus, inbox = make_bus("full", settings), Inbox()
    bus.subscribe("plant/#", ReadingMessage, inbox)
    await connected(bus)

    for number in range(150):  # all before the event loop gets its turn
        payload = b'{"v":%d}' % number
        bus.link_message(Incoming(TAG, payload, qos=0, retain=False, dup=False, mid=0))

    await eventually(lambda: len(inbox.received) == 100)
    assert [message.v for message in inbox.messages] == list(range(50, 150))
    assert bus.counters.dropped == 50


@pytest.mark.parametrize(
    "topic", ["", "a b", "a/+", "a/#", "a\0b", "rooms/hall\n", "a\tb", "a\x7f", "a\ud800", "$SYS/x"]
)
async def test_a_topic_that_a_broker_would_punish_is_refused(make_bus: MakeBus, topic: str):
    bus = await connected(make_bus("topic"))

    with pytest.raises(TopicError):
        bus.publish(topic, b"x", qos=1)
    with pytest.raises(TopicError):
        bus.publish(topic, b"x")

    await bus.publish_confirmed("still/connected", b"x")


@pytest.mark.parametrize("topic", ["a.b", "..", "a/>/*", "/", "a//b", "°C/ü", "a?b", "x" * BYTES])
async def test_a_topic_that_is_let_through_is_taken_by_the_broker(make_bus: MakeBus, topic: str):
    bus, inbox = await connected(make_bus("odd")), Inbox()
    bus.subscribe("#", bytes, inbox, qos=1)
    await bus.wait_connected(15)

    await bus.publish_confirmed(topic, b"x")

    await eventually(lambda: topic in {received.topic for received in inbox.received})


async def test_a_payload_that_the_broker_would_punish_is_refused(make_bus: MakeBus):
    bus = await connected(make_bus("large"))

    with pytest.raises(InputError, match="too large"):
        await bus.publish_confirmed("large/x", bytes(PAYLOAD_BYTES + 1))
    with pytest.raises(InputError, match="too large"):
        bus.publish("large/x", bytes(PAYLOAD_BYTES + 1))

    await bus.publish_confirmed("still/connected", b"x")


async def test_the_largest_payload_is_taken_by_the_broker(make_bus: MakeBus):
    bus = await connected(make_bus("largest"))

    await bus.publish_confirmed("large/x", bytes(PAYLOAD_BYTES), retain=True)

    await bus.publish_confirmed("large/x", b"", retain=True)


async def test_a_filter_that_is_refused_makes_the_bus_degraded(make_bus: MakeBus):
    bus = make_bus("filter")
    bus.subscribe("plant/with blank/#", bytes, Inbox())  # nats-server answers 0x80

    await connected(bus)

    assert (bus.status.state, "ACL" in bus.status.reason) == (Health.DEGRADED, True)


async def test_small_messages_leave_at_once(make_bus: MakeBus):
    bus = await connected(make_bus("nodelay"))

    connection = bus._link.client.socket()  # pyright: ignore[reportPrivateUsage]  nothing else shows it
    assert isinstance(connection, socket.socket)
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_before_the_connection_a_reading_is_dropped_and_a_finding_waits(make_bus: MakeBus):
    reader, bus, inbox = make_bus("early-reader"), make_bus("early"), Inbox()
    reader.subscribe("early/#", bytes, inbox, qos=1)
    await connected(reader)

    bus.publish("early/reading", b"0")
    bus.publish("early/finding", b"1", qos=1)
    await connected(bus)

    await eventually(lambda: inbox.received)
    assert (inbox.messages, bus.counters.dropped) == ([b"1"], 1)


async def test_a_full_queue_of_findings_is_an_error_for_the_sender(
    make_bus: MakeBus, settings: Settings
):
    bus = make_bus("queue", settings.model_copy(update={"bus": BusSettings(queue_size=100)}))
    for _ in range(100):
        bus.publish("a/finding", b"1", qos=1)

    with pytest.raises(BusError, match="full"):
        bus.publish("a/finding", b"1", qos=1)


async def test_confirming_gives_up_in_time_without_a_broker(make_bus: MakeBus, settings: Settings):
    bus = make_bus("unconfirmed", settings)
    await bus.start()

    with pytest.raises(BusError, match="did not confirm"):
        await bus.publish_confirmed("a/b", b"1", timeout_s=0.1)


async def test_a_second_stop_does_nothing(make_bus: MakeBus):
    bus = await connected(make_bus("stop"))

    await bus.stop()
    await bus.stop()

    assert bus.state is BusState.STOPPED


async def test_connecting_logs_one_line(make_bus: MakeBus, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)

    await connected(make_bus("log"))

    assert [record.levelname for record in caplog.records] == ["INFO"]

import asyncio
from collections.abc import Sequence

import pytest

from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.errors import InputError, StoreError
from app.core.health import Health
from app.settings import BusSettings, Settings
from tests.processes import eventually
from tests.unit.bus.conftest import Inbox, MakeBus


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


async def test_messages_published_while_away_arrive_later(make_bus: MakeBus):
    sender = await connected(make_bus("away-sender"))
    first = make_bus("away", persistent=True)
    first.subscribe_durable("away/#", bytes, Inbox().durable)
    await connected(first)
    await first.stop()

    await sender.publish_confirmed("away/1", b"1")
    second, inbox = make_bus("away", persistent=True), Inbox()
    second.subscribe_durable("away/#", bytes, inbox.durable)
    await connected(second)

    await eventually(lambda: inbox.messages == [b"1"])


async def test_a_message_whose_handler_did_not_return_comes_again(make_bus: MakeBus):
    sender = await connected(make_bus("again-sender"))
    begun = asyncio.Event()

    async def hang(batch: Sequence[Received[bytes]]) -> None:
        begun.set()
        await asyncio.Event().wait()

    first = make_bus("again", persistent=True)
    first.subscribe_durable("again/#", bytes, hang)
    await connected(first)
    await sender.publish_confirmed("again/1", b"1")
    await begun.wait()
    await first.stop()

    second, inbox = make_bus("again", persistent=True), Inbox()
    second.subscribe_durable("again/#", bytes, inbox.durable)
    await connected(second)

    await eventually(lambda: inbox.messages == [b"1"])


async def test_a_handler_that_fails_gets_the_same_messages_again_in_order(make_bus: MakeBus):
    bus, inbox = make_bus("retry", persistent=True), Inbox()
    states: list[Health] = []

    async def fail_three_times(batch: Sequence[Received[bytes]]) -> None:
        states.append(bus.status.state)
        if len(states) <= 3:
            raise OSError("disk full")
        inbox(batch)

    bus.subscribe_durable("retry/#", bytes, fail_three_times)
    await connected(bus)

    for number in range(5):
        await bus.publish_confirmed("retry/x", b"%d" % number)

    await eventually(lambda: len(inbox.received) == 5)
    assert inbox.messages == [b"0", b"1", b"2", b"3", b"4"]
    assert states[:4] == [Health.OK, Health.DEGRADED, Health.DEGRADED, Health.DEGRADED]
    assert (bus.status.state, bus.counters.failed) == (Health.OK, 3)


@pytest.mark.slow
async def test_a_slow_handler_is_not_given_a_message_twice(make_bus: MakeBus):
    # The fixture's broker sends again after 1 s.
    bus, inbox = make_bus("slow", persistent=True), Inbox()

    async def slow(batch: Sequence[Received[bytes]]) -> None:
        await SystemClock().sleep(2.5)
        inbox(batch)

    bus.subscribe_durable("slow/#", bytes, slow)
    await connected(bus)
    await bus.publish_confirmed("slow/1", b"1")
    await eventually(lambda: inbox.received)
    await bus.publish_confirmed("slow/2", b"2")

    await eventually(lambda: len(inbox.received) >= 2)
    assert inbox.messages == [b"1", b"2"]


async def test_one_bad_message_of_a_batch_goes_to_the_dead_letters_alone(make_bus: MakeBus):
    sender = await connected(make_bus("poison-sender"))
    first = make_bus("poison", persistent=True)
    first.subscribe_durable("poison/#", bytes, Inbox().durable)
    await connected(first)
    await first.stop()
    for number in range(4):
        await sender.publish_confirmed("poison/x", b"%d" % number)
    bus, inbox = make_bus("poison", persistent=True), Inbox()

    async def refuse_two(batch: Sequence[Received[bytes]]) -> None:
        if any(received.message == b"2" for received in batch):
            raise InputError("two is wrong")
        inbox(batch)

    bus.subscribe_durable("poison/#", bytes, refuse_two)
    await connected(bus)

    await eventually(lambda: len(inbox.received) == 3 and bus.counters.dead == 1)
    # nats-server may send the first again later, when its old connection was just closed.
    assert sorted(inbox.messages) == [b"0", b"1", b"3"]
    assert bus.dead_letters.list()[0].payload_head == "2"


@pytest.mark.slow
async def test_a_message_that_meets_a_fault_of_the_app_blocks_no_other(make_bus: MakeBus):
    sender = await connected(make_bus("fault-sender"))
    bus, inbox = make_bus("fault", persistent=True), Inbox()

    async def stumble(batch: Sequence[Received[bytes]]) -> None:
        if any(received.message == b"2" for received in batch):
            raise OverflowError("date value out of range")
        inbox(batch)

    bus.subscribe_durable("fault/#", bytes, stumble)
    await connected(bus)
    for number in range(5):
        await sender.publish_confirmed("fault/x", b"%d" % number)

    await eventually(lambda: bus.counters.dead == 1, 60)
    await eventually(lambda: len(inbox.received) == 4)
    assert sorted(inbox.messages) == [b"0", b"1", b"3", b"4"]
    letter = bus.dead_letters.list()[0]
    assert (letter.payload_head, letter.reason) == (
        "2",
        "Fault of the app, whose log has more: OverflowError('date value out of range')",
    )
    assert bus.status.state is Health.OK


@pytest.mark.slow
async def test_a_fault_in_the_middle_of_many_messages_is_soon_found(make_bus: MakeBus):
    sender = await connected(make_bus("middle-sender"))
    first = make_bus("middle", persistent=True)
    first.subscribe_durable("middle/#", bytes, Inbox().durable)
    await connected(first)
    await first.stop()
    for number in range(300):
        await sender.publish_confirmed("middle/x", b"%d" % number)
    bus, inbox = make_bus("middle", persistent=True), Inbox()

    async def stumble(batch: Sequence[Received[bytes]]) -> None:
        if any(received.message == b"150" for received in batch):
            raise ZeroDivisionError
        inbox(batch)

    bus.subscribe_durable("middle/#", bytes, stumble)
    await connected(bus)

    await eventually(lambda: len(set(inbox.messages)) == 299, 60)
    assert [each.payload_head for each in bus.dead_letters.list()] == ["150"]


@pytest.mark.slow
async def test_a_wrong_message_behind_a_fault_is_refused_and_the_next_one_asked(make_bus: MakeBus):
    sender = await connected(make_bus("behind-sender"))
    bus, inbox = make_bus("behind", persistent=True), Inbox()

    async def stumble(batch: Sequence[Received[bytes]]) -> None:
        for received in batch:
            if received.message == b"fault":
                raise KeyError("unforeseen")
            if received.message == b"wrong":
                raise InputError("it is wrong")
        inbox(batch)

    bus.subscribe_durable("behind/#", bytes, stumble)
    await connected(bus)
    for payload in (b"fault", b"wrong", b"good"):
        await sender.publish_confirmed("behind/x", payload)

    await eventually(lambda: bus.counters.dead == 2, 60)
    assert inbox.messages == [b"good"]
    assert {each.payload_head for each in bus.dead_letters.list()} == {"fault", "wrong"}


@pytest.mark.slow
@pytest.mark.parametrize("error", [OverflowError("always"), StoreError("The disk is full")])
async def test_a_handler_that_fails_at_every_message_gives_none_up(
    make_bus: MakeBus, error: Exception
):
    sender = await connected(make_bus("broken-sender"))
    bus, inbox = make_bus("broken", persistent=True), Inbox()
    broken, tried = True, 0

    async def fail(batch: Sequence[Received[bytes]]) -> None:
        nonlocal tried
        if broken:
            tried += 1
            raise error
        inbox(batch)

    bus.subscribe_durable("broken/#", bytes, fail)
    await connected(bus)
    for number in range(3):
        await sender.publish_confirmed("broken/x", b"%d" % number)
    await eventually(lambda: tried >= 12, 60)
    broken = False

    await eventually(lambda: len(inbox.received) == 3)
    assert sorted(inbox.messages) == [b"0", b"1", b"2"]
    assert bus.counters.dead == 0


@pytest.mark.parametrize("payload", [b"{", b"x" * 300_000, b"3"])
async def test_a_retained_message_that_is_refused_says_how_to_be_rid_of_it(
    make_bus: MakeBus, payload: bytes
):
    topic = f"garbage/{len(payload)}/{payload[:1].hex()}"
    sender = await connected(make_bus("garbage-sender"))
    await sender.publish_confirmed(topic, payload, retain=True)

    async def refuse(batch: Sequence[Received[int]]) -> None:
        raise InputError("three is wrong" * 100)

    bus = make_bus("garbage", persistent=True)
    bus.subscribe_durable(f"{topic}/#", int, refuse)
    await connected(bus)

    await eventually(lambda: bus.counters.dead == 1)
    reason = bus.dead_letters.list()[0].reason
    assert reason.endswith("until an empty retained message is published on its topic")
    assert len(reason) <= 300


async def test_a_retained_message_that_was_cleared_as_it_is_told_comes_no_more(make_bus: MakeBus):
    sender = await connected(make_bus("cleared-sender"))
    await sender.publish_confirmed("cleared/x", b"{", retain=True)
    await sender.publish_confirmed("cleared/x", b"", retain=True)
    bus = make_bus("cleared", persistent=True)
    bus.subscribe_durable("cleared/#", int, Inbox().durable)
    await connected(bus)
    await sender.publish_confirmed("cleared/x", b"[]")

    await eventually(lambda: bus.counters.dead > 0)
    (letter,) = bus.dead_letters.list()
    assert (letter.payload_head, "retained" in letter.reason) == ("[]", False)


async def test_an_empty_message_is_refused_in_words_of_its_own(make_bus: MakeBus):
    bus = make_bus("empty", persistent=True)
    bus.subscribe_durable("empty/#", int, Inbox().durable)
    await connected(bus)
    await bus.publish_confirmed("empty/x", b"")

    await eventually(lambda: bus.counters.dead == 1)
    assert bus.dead_letters.list()[0].reason.startswith("it is empty, which only clears")


async def test_an_undecodable_message_does_not_block_the_others(make_bus: MakeBus):
    bus, inbox = make_bus("undecodable", persistent=True), Inbox()
    bus.subscribe_durable("undecodable/#", int, inbox.durable)
    await connected(bus)

    for payload in (b"1", b"x", b"2"):
        await bus.publish_confirmed("undecodable/x", payload)

    await eventually(lambda: inbox.messages == [1, 2])
    assert bus.counters.dead == 1


@pytest.mark.slow
async def test_more_than_the_queue_holds_is_asked_for_again(
    make_bus: MakeBus, connected_settings: Settings
):
    settings = connected_settings.model_copy(update={"bus": BusSettings(queue_size=100)})
    sender = await connected(make_bus("window-sender"))
    bus, inbox = make_bus("window", settings, persistent=True), Inbox()
    gate = asyncio.Event()

    async def wait_once(batch: Sequence[Received[bytes]]) -> None:
        await gate.wait()
        inbox(batch)

    bus.subscribe_durable("window/#", bytes, wait_once)
    await connected(bus)
    for number in range(300):
        sender.publish("window/x", b"%d" % number, qos=1)
    await eventually(lambda: bus.counters.received >= 300, 40)

    gate.set()

    everything = [b"%d" % number for number in range(300)]
    await eventually(lambda: set(inbox.messages) >= set(everything), 40)
    # What is sent again comes in the broker's order: nats-server goes by when it last sent each.
    assert inbox.messages[:100] == everything[:100]
    assert set(inbox.messages) == set(everything)


async def test_a_qos_0_message_reaches_a_durable_handler(make_bus: MakeBus):
    bus, inbox = make_bus("zero", persistent=True), Inbox()
    bus.subscribe_durable("zero/#", bytes, inbox.durable)
    await connected(bus)

    for number in range(2000):
        bus.publish("zero/x", b"%d" % number)

    await eventually(lambda: len(inbox.received) == 2000)

"""A message that was taken begins its run, whatever ends between: each once, none forgotten."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from app.bus.address import broker_address
from app.clock import ManualClock
from app.core.errors import ConflictError, StoreError
from app.core.trigger_rules import HELD
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow
from app.settings import Settings
from app.store.held_events import HeldEvent, HeldPlace
from app.workflow.held import KEPT_FOR
from tests.mqtt_peer import Peer, peer
from tests.processes import eventually
from tests.unit.workflow.trigger_rig import NOW, Rig

AT_ONCE = Trigger(TriggerKind.MQTT, topic="line/+/done", input={"n": "${event.payload.n}"})
QUIET = msgspec.structs.replace(AT_ONCE, debounce_s=60)
PLACE = HeldPlace("demo", 0, "line/1/done")
TOPIC = "line/1/done"


@asynccontextmanager
async def life(
    settings: Settings,
    trigger: Trigger,
    before: Rig | None = None,
    later_s: float = 0,
    trouble: int = 0,
) -> AsyncGenerator[Rig]:
    """One life of the app, `later_s` after the start of the first; it ends without a word."""
    rig = Rig(settings, ManualClock(NOW + timedelta(seconds=later_s)))
    rig.trouble = [StoreError("disk full") for _ in range(trouble)]
    if before is not None:
        rig.session = before.session
        rig.keep(before)
    await rig.use(trigger)
    await rig.triggers.start()
    await rig.buses[-1].wait_connected(10)
    try:
        yield rig
    finally:
        await rig.triggers.stop()


@pytest.fixture
async def outside(connected_settings: Settings) -> AsyncGenerator[Peer]:
    with peer(broker_address(connected_settings.broker).port, "line") as made:
        await made.connected()
        yield made


async def say(outside: Peer, *numbers: int, topic: str = TOPIC) -> None:
    for number in numbers:
        await outside.publish(topic, b'{"n": %d}' % number)


def numbers(rig: Rig) -> list[int]:
    return [given["n"] for _, given, _ in rig.started.values()]


def held(rig: Rig) -> dict[str, int]:
    return {place.key: row.event["payload"]["n"] for place, row in rig.held.rows.items()}


async def test_what_waits_for_quiet_outlives_the_app(connected_settings: Settings, outside: Peer):
    async with life(connected_settings, QUIET) as first:
        await say(outside, 1, 2)
        await eventually(lambda: held(first) == {TOPIC: 2})
        assert await first.tick(59) == 0

    async with life(connected_settings, QUIET, first, later_s=50) as second:
        assert await second.tick(9) == 0  # quiet since 59 s
        assert await second.tick(2) == 1
        assert numbers(second) == [2]
        assert second.held.rows == {}
        assert await second.tick(200) == 1


async def test_what_waited_loses_against_what_comes_later(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as first:
        await say(outside, 1)
        await eventually(lambda: held(first) == {TOPIC: 1})

    async with life(connected_settings, QUIET, first, later_s=30) as second:
        await say(outside, 2)  # before anybody has looked
        await eventually(lambda: held(second) == {TOPIC: 2})
        assert await second.tick(31) == 0
        assert await second.tick(31) == 1
        assert numbers(second) == [2]


async def test_a_message_is_not_taken_before_it_is_on_disk(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as first:
        first.held.trouble = [StoreError("disk full") for _ in range(10_000)]
        await say(outside, 1)
        await eventually(lambda: len(first.held.trouble) < 9_998)
        assert held(first) == {}

    async with life(connected_settings, QUIET, first) as second:
        await eventually(lambda: held(second) == {TOPIC: 1})
        assert await second.tick(61) == 1


async def test_a_message_whose_run_meets_a_full_disk_stays_with_the_broker(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, AT_ONCE, trouble=10_000) as first:
        await say(outside, 1, 2, 3)
        await eventually(lambda: len(first.trouble) < 9_998)
        assert numbers(first) == []

    async with life(connected_settings, AT_ONCE, first, trouble=2) as second:
        await eventually(lambda: len(second.started) == 3)
        assert numbers(second) == [1, 2, 3]


async def test_what_was_begun_before_the_disk_was_full_is_not_begun_again(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, AT_ONCE) as rig:
        await say(outside, 1)
        await eventually(lambda: len(rig.started) == 1)
        rig.trouble = [ConflictError("it runs already"), StoreError("disk full")]
        await say(outside, 2)  # refused at the second try
        await say(outside, 3)
        await eventually(lambda: len(rig.started) == 2)
        assert numbers(rig) == [1, 3]
        assert [(each.why, each.count) for each in rig.triggers.refusals.of("demo")] == [
            ("it runs already", 1)
        ]


async def test_two_messages_that_are_alike_start_two_runs(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, AT_ONCE) as rig:
        await say(outside, 7, 7, 7)
        await eventually(lambda: len(rig.started) == 3)


async def test_a_run_begun_just_before_the_end_is_begun_under_the_same_id(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as first:
        await say(outside, 1)
        await eventually(lambda: held(first) == {TOPIC: 1})
        first.held.trouble = [StoreError("disk full")]  # it is not forgotten
        assert await first.tick(61) == 1

    async with life(connected_settings, QUIET, first, later_s=70) as second:
        assert await second.tick() == 1
        assert set(second.started) == set(first.started)
        assert second.held.rows == {}


async def test_what_cannot_be_forgotten_yet_is_later(connected_settings: Settings, outside: Peer):
    async with life(connected_settings, QUIET) as rig:
        await say(outside, 1)
        await eventually(lambda: held(rig) == {TOPIC: 1})
        rig.held.trouble = [StoreError("disk full"), StoreError("disk full")]
        assert [await rig.tick(61), len(rig.held.rows)] == [1, 1]
        assert [await rig.tick(), len(rig.held.rows)] == [1, 1]
        assert [await rig.tick(), len(rig.held.rows)] == [1, 0]


async def test_what_starts_nothing_is_forgotten_too(connected_settings: Settings, outside: Peer):
    trigger = msgspec.structs.replace(QUIET, when="event.payload.n > 1", cooldown_s=3600)
    async with life(connected_settings, trigger) as rig:
        await say(outside, 2)
        await eventually(lambda: held(rig) == {TOPIC: 2})
        assert await rig.tick(61) == 1
        await say(outside, 3)  # within the cooldown
        await eventually(lambda: held(rig) == {TOPIC: 3})
        assert await rig.tick(61) == 1
        assert rig.held.rows == {}


async def test_who_leads_no_more_leaves_it_to_the_next(connected_settings: Settings, outside: Peer):
    async with life(connected_settings, QUIET) as rig:
        await say(outside, 1)
        await eventually(lambda: held(rig) == {TOPIC: 1})
        rig.is_leader = False
        assert await rig.tick(61) == 0
        assert held(rig) == {TOPIC: 1}

        rig.held.rows[PLACE] = HeldEvent(NOW, {**rig.held.rows[PLACE].event, "payload": {"n": 5}})
        rig.is_leader = True  # again: another has heard more since
        assert await rig.tick() == 1
        assert numbers(rig) == [5]


async def test_what_waits_for_a_workflow_that_is_switched_off_is_forgotten(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as rig:
        await say(outside, 1)
        await eventually(lambda: held(rig) == {TOPIC: 1})
        await rig.triggers.use([])
        await rig.tick()
        assert rig.held.rows == {}
        await rig.use(QUIET)
        assert await rig.tick(61) == 0


def kept(workflow: str = "demo", number: int = 0, due_s: float = 0) -> Rig:
    """Return triggers that find an event of an earlier life."""
    rig = Rig()
    event = {"topic": TOPIC, "payload": {"n": 1}, "at": NOW.isoformat()}
    due_at = NOW + timedelta(seconds=due_s)
    rig.held.rows[HeldPlace(workflow, number, TOPIC)] = HeldEvent(due_at, event)
    return rig


async def test_an_event_that_is_due_for_days_starts_nothing():
    rig = kept(due_s=-KEPT_FOR.total_seconds() - 1)
    await rig.use(QUIET)

    assert await rig.tick() == 0
    assert rig.held.rows == {}


async def test_an_event_waits_no_longer_than_its_trigger_though_the_clock_was_set_back():
    rig = kept(due_s=3600)
    await rig.use(QUIET)

    assert await rig.tick(0) == 0
    assert await rig.tick(QUIET.debounce_s) == 1


@pytest.mark.parametrize(("workflow", "number"), [("gone", 0), ("demo", 1), ("demo", 2)])
async def test_an_event_of_a_trigger_that_is_none_is_left_for_who_knows_it(
    workflow: str, number: int
):
    rig = kept(workflow, number)
    await rig.use(QUIET, Trigger(TriggerKind.ALARM))

    assert await rig.tick() == 0
    assert len(rig.held.rows) == 1


async def test_what_waits_starts_no_trigger_that_was_changed_since_and_hears_another_topic():
    rig = kept()
    await rig.use(msgspec.structs.replace(QUIET, topic="line/+/begun"))

    assert await rig.tick() == 0
    await rig.use(QUIET)
    assert await rig.tick() == 0  # it is too late for this life


async def test_a_trigger_that_is_changed_while_a_message_waits_forgets_it(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as rig:
        await say(outside, 1)
        await eventually(lambda: held(rig) == {TOPIC: 1})
        await rig.use(msgspec.structs.replace(QUIET, topic="line/+/begun"))
        assert await rig.tick(61) == 0
        assert rig.held.rows == {}


async def test_a_trigger_whose_quiet_is_changed_keeps_what_waits(
    connected_settings: Settings, outside: Peer
):
    async with life(connected_settings, QUIET) as rig:
        await say(outside, 1)
        await eventually(lambda: held(rig) == {TOPIC: 1})
        await rig.use(msgspec.structs.replace(QUIET, debounce_s=90))
        assert await rig.tick(61) == 1


async def test_a_store_that_cannot_be_read_yet_is_asked_again():
    rig = kept()
    rig.held.trouble = [StoreError("not open"), StoreError("not open")]
    await rig.use(QUIET)

    assert [await rig.tick() for _ in range(3)] == [0, 0, 1]


async def test_more_events_than_can_wait_are_told_and_forgotten_on_disk_too(
    connected_settings: Settings, outside: Peer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.core.trigger_rules.HELD", 2)
    assert HELD == 10_000
    async with life(connected_settings, QUIET) as rig:
        for place in (1, 2, 3):
            await say(outside, place, topic=f"line/{place}/done")
        await eventually(lambda: rig.triggers.refusals.of("demo"))
        await rig.tick()
        assert held(rig) == {"line/2/done": 2, "line/3/done": 3}
        (told,) = rig.triggers.refusals.of("demo")
        assert "wait already" in told.why


async def test_messages_of_other_triggers_go_on_while_one_waits_for_quiet(
    connected_settings: Settings, outside: Peer
):
    rig = Rig(connected_settings, ManualClock(NOW))
    steps = (Step("one", ActionKind.WAIT),)
    await rig.triggers.use([Workflow("demo", steps, triggers=(QUIET, AT_ONCE))])
    await rig.triggers.start()
    await rig.buses[-1].wait_connected(10)
    await say(outside, 1)
    await eventually(lambda: rig.started and rig.held.rows)
    await rig.triggers.stop()

    assert (numbers(rig), held(rig)) == ([1], {TOPIC: 1})

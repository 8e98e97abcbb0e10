"""Messages on a real broker start runs by themselves, each once, whoever leads."""

from collections.abc import AsyncIterator

import pytest

from app.bus.address import broker_address
from app.core.workflow import Trigger, TriggerKind
from app.settings import Settings
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.unit.workflow.trigger_rig import Rig

ON_MESSAGE = Trigger(TriggerKind.MQTT, topic="line/+/done", input={"n": "${event.payload.n}"})


@pytest.fixture
async def online(connected_settings: Settings) -> AsyncIterator[Rig]:
    rig = Rig(connected_settings)
    await rig.use(ON_MESSAGE, Trigger(TriggerKind.MQTT, topic="line/#", when="event.payload.n > 1"))
    await rig.triggers.start()
    for bus in rig.buses:
        await bus.wait_connected(10)
    yield rig
    await rig.triggers.stop()


async def test_a_message_starts_a_run_of_each_trigger_it_fits(
    online: Rig, connected_settings: Settings
):
    with peer(broker_address(connected_settings.broker).port, "line") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await outside.publish("line/1/done", b'{"n": 2}')
        await outside.publish("line/1/done", b"no json")
        await eventually(
            lambda: len(online.started) == 3 and len(online.triggers.refusals.of("demo")) == 2
        )

    assert sorted(str(given) for _, given, _ in online.started.values()) == [
        "{'n': 1}",
        "{'n': 2}",
        "{}",
    ]


async def test_a_message_that_was_kept_before_starts_nothing(connected_settings: Settings):
    rig = Rig(connected_settings)
    await rig.use(Trigger(TriggerKind.MQTT, topic="line/2/kept", input={}))
    with peer(broker_address(connected_settings.broker).port, "line") as outside:
        await outside.connected()
        await outside.publish("line/2/kept", b'{"n": 5}', retain=True)
        await rig.triggers.start()
        await rig.buses[0].wait_connected(10)
        await outside.publish("line/2/kept", b'{"n": 0}')
        await eventually(lambda: rig.started)
        await rig.triggers.stop()
        await outside.publish("line/2/kept", b"", retain=True)

    (started,) = rig.started.values()
    event = started[2].event
    assert isinstance(event, dict)
    assert (event["topic"], event["payload"]) == ("line/2/kept", {"n": 0})


@pytest.fixture
async def pair(connected_settings: Settings) -> AsyncIterator[tuple[Rig, Rig]]:
    """Two orchestrators of one database, of which the first is the leader."""
    first, second = Rig(connected_settings), Rig(connected_settings)
    second.session = first.session
    second.is_leader = False
    for rig in (first, second):
        await rig.use(ON_MESSAGE)
        await rig.triggers.start()
    await first.buses[-1].wait_connected(10)
    yield first, second
    for rig in (first, second):
        await rig.triggers.stop()


def numbers(*rigs: Rig) -> list[int]:
    """Return what was started by each, in order of the number."""
    return sorted(given["n"] for rig in rigs for _, given, _ in rig.started.values())


async def lead(rig: Rig, *, is_leader: bool) -> None:
    """Make an orchestrator the leader, or let it be one no more."""
    rig.is_leader = is_leader
    await rig.triggers.lead()
    if is_leader:
        await rig.buses[-1].wait_connected(10)


async def test_what_comes_while_nobody_leads_is_taken_by_the_next_leader(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await eventually(lambda: first.started)
        await lead(first, is_leader=False)
        for number in (2, 3, 4):
            await outside.publish("line/1/done", b'{"n": %d}' % number)
        await lead(second, is_leader=True)
        await outside.publish("line/1/done", b'{"n": 5}')
        await eventually(lambda: len(second.started) == 4)

    assert (numbers(first), numbers(second)) == ([1], [2, 3, 4, 5])


async def test_what_a_leader_had_in_hand_when_it_lost_the_lead_goes_to_the_next(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    first.is_leader = False  # it does not know yet, so it is connected all the same
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await lead(second, is_leader=True)
        await lead(first, is_leader=False)
        await outside.publish("line/1/done", b'{"n": 2}')
        await eventually(lambda: len(second.started) >= 2, 60)

    assert (numbers(first), numbers(second)) == ([], [1, 2])


async def test_a_leader_that_comes_back_is_heard_once(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        for number in range(6):
            winner, loser = (first, second) if number % 2 else (second, first)
            await lead(loser, is_leader=False)
            await outside.publish("line/1/done", b'{"n": %d}' % number)
            await lead(winner, is_leader=True)
        await eventually(lambda: len(numbers(first, second)) >= 6, 60)

    assert numbers(first, second) == [0, 1, 2, 3, 4, 5]

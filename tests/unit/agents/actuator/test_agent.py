"""The actuator on a real broker with a plant of one tag: each order at most once."""

import msgspec
import pytest

from agents.actuator.agent import ActuatorAgent
from app.command_key import key_file
from app.core.alarm import Priority
from app.core.command import AckState
from app.core.command_signature import is_signed, sign
from app.core.errors import BusError, ConflictError, SettingsError
from app.core.topics import command_topic
from app.settings import AgentSettings, Settings
from tests.processes import eventually
from tests.unit.agents.actuator.desk import CLOCK, TAG, Desk, OneTag, state_of, working


async def test_an_order_is_done_and_answered_with_a_signature(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.id, ack.state, ack.actuator) == ("c1", AckState.DONE, "actuator/1")
    assert is_signed(ack, desk.key)
    assert desk.plant.writes == [900.0]


async def test_an_order_sent_again_is_answered_from_the_journal_and_not_done_again(
    connected_settings: Settings,
):
    async with working(connected_settings) as desk:
        order = desk.order()
        await desk.send(order)
        first = await desk.answer()
        await desk.send(order)
        second = await desk.answer(2)

    assert first == second
    assert desk.plant.writes == [900.0]


async def test_an_order_replayed_after_a_restart_is_not_done_again(connected_settings: Settings):
    async with working(connected_settings) as desk:
        order = desk.order()
        await desk.send(order)
        await desk.answer()
    async with working(connected_settings) as again:
        await again.send(order)
        ack = await again.answer()

    assert ack.state is AckState.DONE
    assert again.plant.writes == []


async def test_an_order_to_another_actuator_is_left_alone(connected_settings: Settings):
    async with working(connected_settings) as desk:
        other = msgspec.structs.replace(desk.order(), actuator="actuator/2")
        await desk.send(sign(other, desk.key))
        await desk.proof()

    assert desk.plant.writes == [1.0]
    assert desk.agent.bus.dead_letters.total == 0


async def test_a_forged_order_is_not_followed_and_nobody_is_answered(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(msgspec.structs.replace(desk.order(), value=1500.0))
        await desk.send(msgspec.structs.replace(desk.order("c2"), signature=""))
        await desk.proof()

    assert desk.plant.writes == [1.0]
    assert [ack.id for ack in desk.acks] == ["proof"]
    assert desk.agent.bus.dead_letters.total == 2


async def test_a_forged_order_of_an_impossible_time_holds_up_no_other(connected_settings: Settings):
    async with working(connected_settings) as desk:
        forged = (
            f'{{"id":"c0","tag":"{TAG}","value":1,"actuator":"{desk.agent.name}",'
            '"expires_at":"9999-12-31T23:59:59-14:00"}'
        )
        await desk.bus.publish_confirmed(command_topic(TAG), forged.encode())
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.id, ack.state) == ("c1", AckState.DONE)
    assert desk.plant.writes == [900.0]


async def test_forged_orders_are_told_as_one_finding_of_their_unit(connected_settings: Settings):
    async with working(connected_settings) as desk:
        for number in range(5):
            await desk.send(msgspec.structs.replace(desk.order(f"c{number}"), signature="0" * 64))
        await eventually(lambda: desk.findings)
        await desk.proof()

    (found,) = desk.findings
    assert (found.equipment, found.priority) == (TAG.rpartition("/")[0], Priority.HIGH)
    assert "no right signature" in found.message


async def test_an_order_with_a_right_signature_is_no_finding(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.send(desk.order("late", valid_s=-1.0))
        await desk.answer(2)
        await desk.forge("pump-102")

    assert [each.equipment.rpartition("/")[2] for each in desk.findings] == ["pump-102"]


async def test_without_a_key_orders_are_refused_and_nobody_is_accused(
    connected_settings: Settings,
):
    async with working(connected_settings) as desk:
        key = key_file(connected_settings).read_bytes()
        key_file(connected_settings).unlink()
        await desk.send(desk.order())
        await eventually(lambda: desk.agent.bus.dead_letters.total)
        key_file(connected_settings).write_bytes(key)
        await desk.forge("pump-102")

    assert desk.plant.writes == []
    assert [each.equipment.rpartition("/")[2] for each in desk.findings] == ["pump-102"]
    assert "no command key" in desk.agent.bus.dead_letters.list()[-1].reason


async def test_an_order_on_the_topic_of_another_tag_is_not_followed(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order(), command_topic(TAG.replace("101", "102")))
        await desk.proof()

    assert desk.plant.writes == [1.0]


async def test_an_expired_order_is_refused(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order(valid_s=-1.0))
        ack = await desk.answer()

    assert (ack.state, "expired" in ack.reason) == (AckState.REFUSED, True)
    assert desk.plant.writes == []


async def test_an_order_that_stood_retained_is_refused(connected_settings: Settings):
    desk = Desk(connected_settings, OneTag(), "unheard")
    await desk.bus.start()
    await desk.bus.wait_connected(15)
    order = desk.order("kept")
    await desk.send(order, retain=True)
    await desk.bus.stop()
    async with working(connected_settings, instance="unheard") as later:
        ack = await later.answer()
        await later.bus.publish_confirmed(command_topic(TAG), b"", retain=True)

    assert (ack.id, ack.state, "retained" in ack.reason) == ("kept", AckState.REFUSED, True)
    assert later.plant.writes == []


async def test_a_known_id_with_another_value_is_not_followed(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.answer()
        await desk.send(desk.order(value=500.0))
        await desk.proof()

    assert desk.plant.writes == [900.0, 1.0]


async def test_what_the_plant_refuses_is_refused_in_its_words(connected_settings: Settings):
    plant = OneTag()
    plant.trouble = ConflictError("the pump is locked out")
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert (ack.state, ack.reason) == (AckState.REFUSED, "the pump is locked out")


@pytest.mark.parametrize(
    ("takes", "readable", "state"),
    [
        (True, True, AckState.DONE),
        (False, True, AckState.UNKNOWN),
        (True, False, AckState.UNKNOWN),
    ],
)
async def test_after_silence_the_plant_is_read_back(
    connected_settings: Settings, takes: bool, readable: bool, state: AckState
):
    plant = OneTag()
    plant.trouble, plant.takes_in_silence, plant.is_readable = BusError("silent"), takes, readable
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        ack = await desk.answer()

    assert ack.state is state
    assert plant.writes == [900.0]


async def test_its_journal_tells_what_became_of_an_order(connected_settings: Settings):
    async with working(connected_settings) as desk:
        await desk.send(desk.order())
        await desk.answer()
        known, absent = await state_of(desk, "c1"), await state_of(desk, "c9")
        before_its_time = await state_of(desk, "c9", ago_s=3600)

    assert is_signed(known, desk.key)
    states = [ack.state for ack in (known, absent, before_its_time)]
    assert states == [AckState.DONE, AckState.ABSENT, AckState.UNKNOWN]


async def test_without_the_key_it_follows_nothing_and_says_so(connected_settings: Settings):
    async with working(connected_settings) as desk:
        order = desk.order()
        key_file(connected_settings).unlink()
        await desk.send(order)
        await eventually(lambda: desk.agent.bus.dead_letters.total == 1)
        reason = desk.agent.communication.status.reason

    assert desk.plant.writes == []
    assert "Command key" in reason


@pytest.mark.parametrize("delay", [-1, 61, "soon", True])
def test_an_option_that_cannot_work_is_named(settings: Settings, delay: float | str):
    agents = {"actuator": AgentSettings(options={"delay_s": delay})}

    with pytest.raises(SettingsError, match=r"agents\.actuator\.options\.delay_s"):
        ActuatorAgent(settings.model_copy(update={"agents": agents}), CLOCK)

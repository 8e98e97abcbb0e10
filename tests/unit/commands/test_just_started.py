"""Commands while the app has just started and does not know yet what the plant shows."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from app.clock import ManualClock
from app.core.command import CommandState
from app.core.errors import ConflictError
from app.core.reading import Quality
from app.settings import Settings
from tests.unit.commands.rig import BOB, FREE, LOCKED, SPEED, UNIT, Rig, offline

S = CommandState
SETTLE_S = 20.0
AWAY = "The broker is away, and with it the actuators"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
async def rig(settings: Settings, clock: ManualClock) -> AsyncGenerator[Rig]:
    """Return a gateway that has not heard its interlock."""
    async with offline(settings, clock, SETTLE_S) as made:
        made.plant.show(LOCKED, 0.0, Quality.BAD)
        yield made


async def test_a_command_waits_until_its_interlock_is_heard(rig: Rig):
    command = await rig.ask(SPEED, 900)
    assert command.state is S.REQUESTED
    assert command.reason == f"The app has just started and has not heard {LOCKED} yet"
    await rig.gateway.step()
    assert await rig.gateway.get(command.id) == command

    rig.plant.show(LOCKED, 0.0)
    await rig.gateway.step()
    command = await rig.gateway.get(command.id)
    assert (command.state, command.reason) == (S.AWAITING_APPROVAL, "")


async def test_an_interlock_that_is_heard_and_does_not_hold_rejects_it(rig: Rig):
    command = await rig.ask(SPEED, 900)
    rig.plant.show(LOCKED, 1.0)
    await rig.gateway.step()

    assert (await rig.gateway.get(command.id)).state is S.REJECTED


async def test_what_is_silent_for_longer_rejects_it(rig: Rig, clock: ManualClock):
    command = await rig.ask(SPEED, 900)
    await clock.advance(SETTLE_S)
    await rig.gateway.step()
    command = await rig.gateway.get(command.id)

    assert command.state is S.REJECTED
    assert "local" in command.reason


async def test_an_approval_is_not_spent_on_what_cannot_be_checked(rig: Rig):
    rig.plant.show(LOCKED, 0.0)
    command = await rig.ask(SPEED, 900)
    assert command.state is S.AWAITING_APPROVAL
    rig.plant.show(LOCKED, 0.0, Quality.BAD)

    with pytest.raises(ConflictError, match=f"has not heard {LOCKED} yet"):
        await rig.gateway.approve(command.id, BOB)
    assert await rig.gateway.get(command.id) == command

    rig.plant.show(LOCKED, 0.0)
    assert (await rig.gateway.approve(command.id, BOB)).approved_by == "bob"


async def test_a_command_that_needs_no_other_tag_waits_for_nothing(rig: Rig):
    command = await rig.ask(FREE, 1)

    assert (command.state, command.reason) == (S.REQUESTED, AWAY)


async def test_a_tag_that_is_none_is_refused_at_once(rig: Rig):
    assert (await rig.ask(f"{UNIT}/nothing", 1)).state is S.REJECTED


async def test_a_command_of_an_earlier_life_waits_for_its_tag(
    settings: Settings, clock: ManualClock
):
    async with offline(settings, clock) as first:
        command = await first.ask(FREE, 1)
    await clock.advance(1)
    async with offline(settings, clock, SETTLE_S) as second:
        units, second.tags = second.tags, type(second.tags)(clock, 1000)
        second.gateway._sender._tags = second.tags  # pyright: ignore[reportPrivateUsage]  no unit has said its name yet
        await second.gateway.step()
        assert (await second.gateway.get(command.id)).state is S.REQUESTED

        second.gateway._sender._tags = units  # pyright: ignore[reportPrivateUsage]
        await second.gateway.step()
        assert (await second.gateway.get(command.id)).reason == AWAY

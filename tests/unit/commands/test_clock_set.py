"""The clock of the computer is set while commands are under way: each ends in its time."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from typing_extensions import override

from app.clock import ManualClock, SystemClock
from app.core.command import Command, CommandState
from app.core.reading import Quality
from app.settings import Settings
from tests.unit.commands.rig import (
    FREE,
    LOCKED,
    SPEED,
    TWO,
    VALVE,
    Rig,
    acting,
    hasty,
    offline,
    online,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
S = CommandState


class TurnedClock(SystemClock):
    """The machine's clock, which somebody sets."""

    def __init__(self) -> None:
        self.set_by = timedelta(0)
        self.on_s = 0.0

    @override
    def now(self) -> datetime:
        return super().now() + self.set_by + timedelta(seconds=self.on_s)

    @override
    def monotonic(self) -> float:
        return super().monotonic() + self.on_s


class SetClock(ManualClock):
    """A clock that stands still, and that somebody sets."""

    def __init__(self) -> None:
        super().__init__(NOW)
        self.set_by = timedelta(0)

    @override
    def now(self) -> datetime:
        return super().now() + self.set_by


async def expires(rig: Rig, clock: SetClock, command_id: str, within_s: float) -> None:
    await rig.gateway.step()
    await clock.advance(within_s)
    await rig.gateway.step()
    assert (await rig.gateway.get(command_id)).state is S.EXPIRED


@pytest.mark.parametrize(("tag", "valid_s"), [(FREE, 60.0), (TWO, 600.0)])
async def test_what_waits_waits_no_hour_longer(settings: Settings, tag: str, valid_s: float):
    clock = SetClock()
    async with offline(settings, clock) as rig:
        command = await rig.ask(tag, 900.0)
        clock.set_by = -HOUR

        await expires(rig, clock, command.id, valid_s)


async def test_the_time_after_a_start_lasts_no_hour_longer(settings: Settings):
    clock = SetClock()
    async with offline(settings, clock, settle_s=20.0) as rig:
        rig.plant.show(LOCKED, 0.0, Quality.BAD)
        clock.set_by = -HOUR
        command = await rig.ask(SPEED, 900.0)
        assert command.state is S.REQUESTED

        await clock.advance(20)
        await rig.gateway.step()

        assert (await rig.gateway.get(command.id)).state is S.REJECTED


async def test_what_was_done_before_is_verified_after(connected_settings: Settings):
    clock = TurnedClock()
    async with online(connected_settings, clock=clock) as rig, acting(rig):
        rig.plant.is_obedient = False
        command = await rig.settled(await rig.ask(), S.ACKNOWLEDGED)
        clock.set_by = -HOUR
        rig.plant.is_obedient = True
        rig.plant.source_clock = SystemClock()  # that of another computer

        await rig.settled(command, S.VERIFIED)


async def test_what_the_plant_does_not_show_is_unknown_in_its_time(connected_settings: Settings):
    clock = TurnedClock()
    async with online(connected_settings, clock=clock, verify_s=0.5) as rig, acting(rig):
        rig.plant.is_obedient = False
        command = await rig.settled(await rig.ask(), S.ACKNOWLEDGED)
        clock.set_by = -HOUR

        await rig.settled(command, S.UNKNOWN)


async def test_what_was_sent_and_never_came_is_asked_for_in_its_time(connected_settings: Settings):
    clock = TurnedClock()
    clock.set_by = -2 * HOUR  # when the journal of the actuator began
    async with online(hasty(connected_settings), clock=clock) as rig, acting(rig):
        clock.set_by = timedelta(0)
        now = clock.now()
        asked = Command("lost", FREE, 1.0, "ann", "ui", now, now, S.REQUESTED, now)
        sent = msgspec.structs.replace(
            asked, state=S.DISPATCHED, actuator="actuator/1", sent_at=now, changed_at=now
        )
        clock.set_by = -HOUR
        rows = rig.gateway._rows  # pyright: ignore[reportPrivateUsage]  what a crash leaves
        rows._store.insert(sent)  # pyright: ignore[reportPrivateUsage]

        ended = await rig.settled(sent, S.EXPIRED)

    assert ended.reason == "The actuator never began it"
    assert rig.plant.writes == []


@pytest.mark.parametrize("set_by", [-HOUR, HOUR])
async def test_the_time_between_two_commands_is_as_long_as_ever(
    connected_settings: Settings, set_by: timedelta
):
    clock = TurnedClock()
    async with online(connected_settings, clock=clock) as rig, acting(rig):
        await rig.settled(await rig.ask(VALVE, 60.0), S.VERIFIED)
        clock.set_by = set_by
        rig.plant.source_clock = SystemClock()

        early = await rig.ask(VALVE, 70.0)
        clock.on_s += 10
        late = await rig.settled(await rig.ask(VALVE, 80.0), S.VERIFIED)

    assert early.state is S.REJECTED
    assert "10 s must lie between two commands" in early.reason
    assert late.after == 80.0

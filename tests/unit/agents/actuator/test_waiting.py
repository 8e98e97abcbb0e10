"""Orders that wait for the plant, and what a crash or a spoilt journal leaves of them."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from agents.actuator.journal import read_journal
from app.clock import SystemClock
from app.core.agent import AgentState
from app.core.command import AckState
from app.settings import Settings
from tests.processes import eventually
from tests.unit.agents.actuator.desk import (
    Desk,
    OneTag,
    left_started,
    state_of,
    working,
)


async def journalled(desk: Desk, name: str = "c1") -> list[AckState]:
    file = desk.agent.settings.data.dir / "checkpoints" / "actuator" / "1.journal.sqlite"
    lines = await asyncio.to_thread(read_journal, file)
    return [line.state for line in lines if line.id == name]


async def test_while_nobody_can_be_asked_an_order_waits_and_is_not_begun(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
        begun, state = await journalled(desk), (await state_of(desk, "c1")).state
        plant.away = ""
        ack = await desk.answer()
        ended = await journalled(desk)

    assert (begun, state) == ([], AckState.STARTED)
    assert (ack.state, plant.writes) == (AckState.DONE, [900.0])
    assert ended == [AckState.STARTED, AckState.DONE]


async def test_an_order_that_waits_is_refused_at_its_end_in_plain_words(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = 'No live agent offers "write_tag"'
    async with working(connected_settings, plant) as desk:
        order = desk.order(valid_s=1.0)
        await desk.send(order)
        ack = await desk.answer()
        lines = await journalled(desk)

    assert (ack.state, ack.reason) == (AckState.REFUSED, 'No live agent offers "write_tag"')
    assert ack.at >= order.expires_at
    assert (plant.writes, lines) == ([], [AckState.REFUSED])


class SetBack(SystemClock):
    """A clock that somebody sets back."""

    set_by = timedelta(0)

    @override
    def now(self) -> datetime:
        return super().now() + self.set_by


async def test_an_order_that_waits_ends_in_its_time_though_the_clock_is_set_back(
    connected_settings: Settings,
):
    plant, clock = OneTag(), SetBack()
    plant.away = "nobody"
    async with working(connected_settings, plant, clock=clock) as desk:
        await desk.send(desk.order(valid_s=1.0))
        await eventually(lambda: plant.looks >= 1)
        clock.set_by = -timedelta(hours=1)
        ack = await desk.answer()

    assert (ack.state, ack.reason) == (AckState.REFUSED, "nobody")
    assert plant.writes == []


async def test_an_order_sent_again_while_it_waits_is_done_once(connected_settings: Settings):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        order = desk.order()
        await desk.send(order)
        await desk.send(order)
        await desk.send(desk.order(value=500.0))
        await eventually(lambda: desk.agent.bus.dead_letters.total == 1)
        plant.away = ""
        await desk.answer()
        await desk.proof()

    assert plant.writes == [900.0, 1.0]


async def test_an_order_that_waited_when_the_actuator_stopped_was_never_begun(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
    async with working(connected_settings) as again:
        state = (await state_of(again, "c1")).state

    assert (state, plant.writes, again.plant.writes) == (AckState.ABSENT, [], [])


async def test_an_order_behind_one_that_waits_expires_with_it(connected_settings: Settings):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order(valid_s=1.5))
        await desk.send(desk.order("c2", valid_s=1.4))
        second = await desk.answer(2)

    assert (second.id, second.state) == ("c2", AckState.REFUSED)
    assert "another one to the tag" in second.reason


@pytest.mark.parametrize(("held", "state"), [(900.0, AckState.DONE), (0.0, AckState.UNKNOWN)])
async def test_what_a_crash_left_open_is_read_back_and_never_done_again(
    connected_settings: Settings, held: float, state: AckState
):
    await left_started(connected_settings)
    plant = OneTag()
    plant.value = held
    async with working(connected_settings, plant) as desk:
        await eventually(lambda: desk.agent.beat().progress >= 1)
        ack = await state_of(desk, "c1")

    assert ack.state is state
    assert "estart" in ack.reason or "stopped" in ack.reason
    assert plant.writes == []


def rename_lines(settings: Settings, old: str, new: str) -> None:
    """Keep the journal from being written, or let it be again; triggers go with the table."""
    file = settings.data.dir / "checkpoints" / "actuator" / "1.journal.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


def is_degraded(desk: Desk) -> bool:
    return desk.agent.communication.status.state is AgentState.DEGRADED


async def test_a_journal_that_can_be_written_again_is_no_trouble_any_more(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.away = "nobody"
    async with working(connected_settings, plant) as desk:
        await desk.send(desk.order())
        await eventually(lambda: plant.looks >= 1)
        rename_lines(connected_settings, "lines", "away")
        plant.away = ""
        await eventually(lambda: is_degraded(desk))
        rename_lines(connected_settings, "away", "lines")
        await desk.send(desk.order("c2", 500.0))
        ack = await desk.answer()
        await eventually(lambda: not is_degraded(desk))

    assert (ack.id, ack.state, plant.writes) == ("c2", AckState.DONE, [500.0])


async def test_what_a_crash_left_open_is_concluded_once_the_journal_can_be_written(
    connected_settings: Settings,
):
    plant = OneTag()
    plant.is_readable = False
    await left_started(connected_settings)
    async with working(connected_settings, plant) as desk:
        await eventually(lambda: plant.reads >= 1)
        rename_lines(connected_settings, "lines", "away")
        plant.value, plant.is_readable = 900.0, True
        await eventually(lambda: is_degraded(desk))
        rename_lines(connected_settings, "away", "lines")
        ack = await desk.answer()

    assert (ack.id, ack.state, plant.writes) == ("c1", AckState.DONE, [])

"""The alarm page: what the server does with what the table asks for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from nicegui import ui
from nicegui.testing import User

from app.clock import ManualClock
from app.core.alarm import AlarmState, Finding, Priority
from app.core.errors import ConflictError, InputError, NotFoundError
from app.plant import Plant
from app.settings import Settings
from pages import alarm_kpi, alarms
from pages.alarms import Request, carry_out
from pages.frame import ACTOR

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
async def plant(settings: Settings, user: User) -> AsyncIterator[Plant]:
    """A plant with open alarms only, and both pages over it."""
    settings.data.dir.mkdir(parents=True)
    plant = Plant(settings, ManualClock(NOW))
    await asyncio.to_thread(plant.journal.open)
    await plant.alarms.start()
    alarms.create(plant)
    alarm_kpi.create(plant)
    yield plant
    await plant.alarms.stop()
    await asyncio.to_thread(plant.journal.close)


async def raise_alarms(plant: Plant, count: int) -> list[str]:
    """Raise alarms and return their ids."""
    findings = [
        Finding(
            agent="vibration",
            condition=f"c{index}",
            equipment="site/area/line/P-102",
            found_at=NOW,
            priority=Priority.HIGH,
            message=f"Trouble number {index} <b>now</b>",
        )
        for index in range(count)
    ]
    await plant.alarms.handle(findings)
    return [alarm.id for alarm in plant.alarms.alarms()]


async def test_the_table_knows_what_is_allowed_in_each_state(plant: Plant, user: User) -> None:
    await user.open("/alarms")
    with user:
        html = next(e.content for e in user.find(ui.html).elements if "mw-alarm" in e.content)
    assert "&quot;shelved&quot;: [&quot;unshelve&quot;, &quot;suppress&quot;" in html
    assert 'shelve="480"' in html


async def test_several_alarms_are_acknowledged_at_once(plant: Plant, user: User) -> None:
    ids = await raise_alarms(plant, 3)
    done, refusals = await carry_out(plant, Request("acknowledge", ids, "seen"), ACTOR)
    assert [alarm.state for alarm in done] == [AlarmState.ACK] * 3
    assert refusals == []
    assert plant.journal.entries(limit=1)[0].source == "ui"


async def test_one_refusal_does_not_stop_the_others(plant: Plant, user: User) -> None:
    ids = await raise_alarms(plant, 2)
    await plant.acknowledge(ids[0], ACTOR)
    done, refusals = await carry_out(plant, Request("acknowledge", [ids[0], "gone", ids[1]]), ACTOR)
    assert [alarm.id for alarm in done] == [ids[1]]
    assert [type(each) for each in refusals] == [ConflictError, NotFoundError]


@pytest.mark.parametrize(("minutes", "note"), [(None, "x"), (0, "x"), (481, "x"), (10, " ")])
async def test_shelving_without_time_or_reason_is_refused(
    plant: Plant, user: User, minutes: float | None, note: str
) -> None:
    ids = await raise_alarms(plant, 1)
    done, (refusal,) = await carry_out(plant, Request("shelve", ids, note, minutes), ACTOR)
    assert done == []
    assert isinstance(refusal, InputError)


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        (["shelve"], AlarmState.SHELVED),
        (["shelve", "unshelve"], AlarmState.UNACK),
        (["suppress"], AlarmState.SUPPRESSED_BY_DESIGN),
        (["suppress", "unsuppress"], AlarmState.UNACK),
        (["out_of_service"], AlarmState.OUT_OF_SERVICE),
        (["out_of_service", "return_to_service"], AlarmState.UNACK),
    ],
)
async def test_every_action_of_the_table_is_carried_out(
    plant: Plant, user: User, asked: list[str], state: AlarmState
) -> None:
    ids = await raise_alarms(plant, 1)
    for do in asked:
        _, refusals = await carry_out(plant, Request(do, ids, "why", 10), ACTOR)
        assert refusals == []
    assert plant.alarms.get(ids[0]).state is state


async def test_key_figures_of_a_quiet_plant_say_what_would_be_here(
    plant: Plant, user: User
) -> None:
    await user.open("/alarms/kpi")
    await user.should_see("No alarm came in the last 24 h")


async def test_key_figures_stand_beside_their_goals(plant: Plant, user: User) -> None:
    await raise_alarms(plant, 12)
    await plant.clock.advance(60)  # pyright: ignore[reportAttributeAccessIssue]  it is the manual clock
    await user.open("/alarms/kpi?span=1h")
    await user.should_see("Average rate")
    await user.should_see("goal missed")
    await user.should_see("These 10 make 83 % of 12 alarms")


async def test_text_of_an_agent_is_text(plant: Plant, user: User) -> None:
    await raise_alarms(plant, 1)
    await plant.clock.advance(60)  # pyright: ignore[reportAttributeAccessIssue]  it is the manual clock
    await user.open("/alarms/kpi?span=1h")
    with user:
        html = "".join(element.content for element in user.find(ui.html).elements)
    assert "<b>now</b>" not in html
    assert "&lt;b&gt;now&lt;/b&gt;" in html

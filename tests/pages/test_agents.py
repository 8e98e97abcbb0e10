"""The agents page as a person uses it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from nicegui import ui
from nicegui.testing import User

from app.clock import SystemClock
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat
from app.core.agent_row import AgentRow
from app.plant import Plant
from app.settings import AgentSettings, Settings
from pages import agents
from tests.processes import eventually

pytestmark = pytest.mark.usefixtures("no_blocking")

NOW = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
async def plant(settings: Settings, user: User) -> AsyncIterator[Plant]:
    """A plant with one agent of its own that is off, and the page over it."""
    ours = settings.model_copy(update={"agents": {"vibration": AgentSettings()}})
    ours.data.dir.mkdir(parents=True)
    plant = await asyncio.to_thread(Plant, ours, SystemClock())
    await asyncio.to_thread(plant.audit.open)
    await plant.supervisor.start([])
    agents.create(plant)
    yield plant
    await plant.supervisor.stop()
    await asyncio.to_thread(plant.audit.close)


def announce(plant: Plant, state: AgentState = AgentState.RUNNING, reason: str = "") -> None:
    """Let an instance on another computer be heard."""
    spec = AgentSpec(name="energy", purpose="Watches the power of each area")
    plant.registry.birth(
        AgentStatus(spec, "7", state, NOW, 1, "edge-box", reason=reason, model_version="2.1.0")
    )
    plant.registry.beat("energy", "7", Beat(NOW, progress=4711, load=3, note="14 meters"))


def state_of(plant: Plant) -> AgentState:
    (row,) = [row for row in plant.agents() if row.name == "vibration"]
    return row.state


def is_state(plant: Plant, *states: AgentState) -> Callable[[], bool]:
    return lambda: state_of(plant) in states


async def test_an_agent_that_is_off_can_only_be_started(plant: Plant, user: User):
    await user.open("/agents")
    await user.should_see("Vibration agent")
    await user.should_see("stopped")
    await user.should_see(kind=ui.button, content="Start")
    await user.should_not_see(kind=ui.button, content="Restart")
    await user.should_not_see(kind=ui.button, content="Stop")


async def test_start_then_stop_after_a_question(plant: Plant, user: User):
    await user.open("/agents")
    user.find("Start").click()
    await eventually(is_state(plant, AgentState.STARTING, AgentState.RUNNING))
    await user.should_see(kind=ui.button, content="Restart")
    user.find(kind=ui.button, content="Stop").click()
    await user.should_see("Stop the vibration agent?")
    await user.should_see("Until someone starts it again")
    user.find(marker="go-on").click()
    await eventually(is_state(plant, AgentState.STOPPED))
    await user.should_see("stopped")


async def test_a_person_who_thinks_again_stops_nothing(plant: Plant, user: User):
    await user.open("/agents")
    user.find("Start").click()
    await eventually(is_state(plant, AgentState.STARTING, AgentState.RUNNING))
    await user.should_see(kind=ui.button, content="Restart")
    user.find(kind=ui.button, content="Stop").click()
    await user.should_see("Stop the vibration agent?")
    user.find("Back").click()
    await user.should_not_see("Stop the vibration agent?")
    assert state_of(plant) is not AgentState.STOPPED


async def test_who_started_it_is_on_record(plant: Plant, user: User):
    await user.open("/agents")
    user.find("Start").click()
    await eventually(is_state(plant, AgentState.STARTING, AgentState.RUNNING))
    (row,) = await asyncio.to_thread(plant.audit_rows, 10)
    assert (row.actor, row.action, row.target) == ("operator", "start agent", "vibration")


async def test_a_refusal_is_a_sentence_and_no_traceback(plant: Plant, user: User):
    await user.open("/agents")
    await plant.supervisor.start_agent("vibration")  # somebody else was quicker
    user.find("Start").click()
    await user.should_see("Vibration agent is starting already")


async def test_an_agent_elsewhere_is_shown_and_left_alone(plant: Plant, user: User):
    announce(plant)
    await user.open("/agents")
    await user.should_see("Watches the power of each area")
    await user.should_see("4711")
    await user.should_see("14 meters")
    await user.should_see("2.1.0")
    await user.should_see("run on edge-box")


async def test_an_agent_that_appears_later_gets_a_row(plant: Plant, user: User):
    await user.open("/agents")
    await user.should_not_see("energy")
    announce(plant)
    await user.should_see("Watches the power of each area")


async def test_why_an_agent_is_not_well_is_said(plant: Plant, user: User):
    announce(plant, AgentState.DEGRADED, "Meter of area 2 is silent")
    await user.open("/agents")
    await user.should_see("degraded")
    await user.should_see("Meter of area 2 is silent")


async def test_what_an_agent_says_cannot_become_markup(plant: Plant, user: User):
    announce(plant, AgentState.DEGRADED, "<script>alert(1)</script>")
    await user.open("/agents")
    await user.should_see("&lt;script&gt;alert(1)&lt;/script&gt;")
    await user.should_not_see("<script>alert(1)</script>")


async def test_the_log_opens_and_shuts(plant: Plant, user: User):
    await user.open("/agents")
    user.find("Log").click()
    await user.should_see("It has not written anything yet")
    user.find("Log").click()
    await user.should_not_see("It has not written anything yet")


async def test_no_agent_at_all_says_how_to_get_one(settings: Settings, user: User):
    agents.create(await asyncio.to_thread(Plant, settings, SystemClock()))
    await user.open("/agents")
    await user.should_see("No agent is known")
    await user.should_see("[agents.vibration]")


def test_the_summary_counts_what_runs():
    rows = [
        AgentRow("a", "1", "", AgentState.RUNNING, NOW, cpu_percent=1.4, memory_bytes=50_000_000),
        AgentRow("b", "1", "", AgentState.FAILED, NOW),
    ]
    assert "1 of 2 run, together 1 % of a core and 50 MB" in agents.summary_words(rows)


@pytest.mark.parametrize("state", list(AgentState))
async def test_every_state_has_a_shape_and_a_word(plant: Plant, user: User, state: AgentState):
    announce(plant, state)
    await user.open("/agents")
    await user.should_see("mw-dot")
    await user.should_see("mw-pill")

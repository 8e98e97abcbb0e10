"""The action plan, orders and notifications as a person uses them, over real agents."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from nicegui import ui
from nicegui.testing import User

from agents.backlog.agent import BacklogAgent
from agents.base.agent import BaseAgent
from agents.notifier.agent import NotifierAgent
from agents.planner.agent import PlannerAgent
from app.core import topics
from app.core.actor import Actor
from app.core.alarm import Priority
from app.core.plan import PlanItem
from app.core.shift import ShiftSummary
from app.plant import Plant
from app.settings import Settings
from app.settings_notify import NotifySettings
from pages import work
from tests.agents_at_work import at_work, plan_of, plant_with
from tests.mqtt_peer import peer
from tests.pages.work_pages import emit
from tests.processes import eventually
from tests.simulated_plant import PUMP

ANNA = Actor("anna", "ui")
NICEGUI_WAITS_S = 3.0
"""Then NiceGUI answers with an error in place of the page."""
GIVEN: dict[str, str | int] = {
    "equipment": PUMP,
    "condition": "bearing_outer_race",
    "message": "Bearing wear",
    "agent": "vibration",
    "priority": 2,
}

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@asynccontextmanager
async def pages_of(settings: Settings, *agents: type[BaseAgent]) -> AsyncGenerator[Plant]:
    async with plant_with(settings, *agents) as plant:
        work.create(plant)
        yield plant


@pytest.fixture
async def plant(connected_settings: Settings, user: User) -> AsyncIterator[Plant]:
    """The pages over a plant whose agents do not run."""
    async with pages_of(connected_settings) as made:
        yield made


def item(plant: Plant, workflow: str = "industrial_troubleshooting") -> PlanItem:
    return PlanItem(
        rank=1,
        priority=Priority.HIGH,
        title="Cooling pump P-101: bearing wear",
        cause="a1",
        alarms=("a1",),
        equipment=(PUMP,),
        affected=(),
        since=plant.clock.now() - timedelta(minutes=3),
        reason="High; 1 alarm on 1 unit; first at 2026-11-18 12:00:00 UTC",
        proposed_workflow=workflow,
        proposed_input=GIVEN if workflow else {},
        actions=("Listen to the bearing.",),
    )


async def forget_plan(settings: Settings) -> None:
    """Take the retained plan off the broker, which later tests share and would hear it from."""
    with peer(urlsplit(settings.broker.url).port or 0, "forgetting") as gone:
        await gone.connected()
        await gone.publish(topics.PLAN, b"", retain=True)


# The action plan


async def test_without_a_planner_the_plan_says_how_to_get_one(plant: Plant, user: User):
    await user.open("/plan")
    await user.should_see("The planner does not run, so nothing is planned")
    await user.should_see("There is no plan")
    await user.should_see("Agents page")


async def test_a_plan_whose_planner_is_gone_is_not_shown_as_fresh(plant: Plant, user: User):
    plant.plans.plan = plan_of(plant, item(plant))
    await user.open("/plan")
    await user.should_see("may be out of date")
    await user.should_see("mw-old")


async def test_an_empty_plan_says_what_would_stand_here(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, PlannerAgent) as plant:
        await eventually(lambda: plant.plan().is_current)
        await user.open("/plan")
        await user.should_see("Nothing to do now")
        await user.should_not_see("does not run")
    await forget_plan(connected_settings)


async def test_a_cause_shows_what_to_do_and_why_it_ranks_there(plant: Plant, user: User):
    plant.plans.plan = plan_of(plant, item(plant), hidden=2, flood=True)
    await user.open("/plan")
    await user.should_see("Cooling pump P-101: bearing wear")
    await user.should_see("Listen to the bearing.")
    await user.should_see("High; 1 alarm on 1 unit")
    await user.should_see("2 alarms are shelved")
    await user.should_see("More alarms came at once")
    await user.should_see(f"/units/{PUMP}")
    await user.should_not_see("first at 2026")


async def test_an_alarm_that_is_over_is_no_link(plant: Plant, user: User):
    plant.plans.plan = plan_of(plant, item(plant))
    await user.open("/plan")
    await user.should_see("an alarm that is over")
    await user.should_not_see("/alarms#a1")


@pytest.mark.parametrize(
    ("workflow", "words"),
    [("", "No workflow is made for this"), ("gone", "The workflow “gone” is missing or broken")],
)
async def test_without_a_workflow_there_is_nothing_to_start(
    plant: Plant, user: User, workflow: str, words: str
):
    plant.plans.plan = plan_of(plant, item(plant, workflow))
    await user.open("/plan")
    await user.should_see(words)
    await user.should_not_see("Start: ")


async def test_the_run_form_is_filled_in_from_the_plan(plant: Plant, user: User):
    plant.plans.plan = plan_of(plant, item(plant))
    await user.open("/plan")
    await user.should_see("Start: Troubleshoot a machine")
    emit(user, "mw_act", {"do": "start", "id": "a1"})
    await user.should_see(marker="input equipment")
    (unit,) = user.find(kind=ui.select, marker="input equipment").elements
    (condition,) = user.find(kind=ui.input, marker="input condition").elements
    assert (unit.value, condition.value) == (PUMP, "bearing_outer_race")


async def test_an_open_run_of_the_unit_is_a_link_and_no_second_start(plant: Plant, user: User):
    await eventually(lambda: bool(plant.workflows.catalogue()))
    run = await plant.start_workflow("industrial_troubleshooting", GIVEN, ANNA)
    plant.plans.plan = plan_of(plant, item(plant))
    await user.open("/plan")
    await user.should_see(f"/runs/{run.id}")
    await user.should_see("Open the run")
    await user.should_not_see("Start: ")


async def test_a_cause_that_left_the_plan_is_not_started(plant: Plant, user: User):
    plant.plans.plan = plan_of(plant)
    await user.open("/plan")
    emit(user, "mw_act", {"do": "start", "id": "a1"})
    await user.should_see("This cause is no longer in the plan")


@pytest.mark.parametrize("path", ["/plan", "/orders", "/notifications"])
@pytest.mark.parametrize("args", [None, [], {}, {"do": "start"}, {"do": "close", "id": 7}])
async def test_what_a_page_would_not_send_is_let_go(
    plant: Plant, user: User, path: str, args: object
):
    await user.open(path)
    emit(user, "mw_act", args)
    await user.should_not_see(marker="go-on")


# Orders


async def test_without_the_backlog_agent_nothing_is_lost(plant: Plant, user: User):
    await user.open("/orders")
    await user.should_see("Nothing is lost")
    await user.should_see("Start it on the")
    await user.should_not_see("No order is open")


async def test_an_empty_backlog_says_where_orders_come_from(
    connected_settings: Settings, user: User
):
    async with pages_of(connected_settings, BacklogAgent):
        await user.open("/orders")
        await user.should_see("No order is open")
        await user.should_see("None was heard since the app started")


async def fill_in_order(user: User) -> None:
    """Open the form of a new order and fill it in; it is not sent."""
    user.find(marker="new order").click()
    await user.should_see(marker="unit")
    (unit,) = user.find(kind=ui.select, marker="unit").elements
    with user:
        unit.value = PUMP
    user.find(marker="title").type("Change the bearing")


async def close_order(user: User, note: str) -> None:
    """Close the first order with a note, as a person does."""
    emit(user, "mw_act", {"do": "close", "id": "MO-1"})
    await user.should_see("Close MO-1?")
    user.find(marker="reason").type(note)
    user.find(marker="go-on").click()


async def test_an_order_is_made_by_hand_and_closed_with_a_note(
    connected_settings: Settings, user: User
):
    async with pages_of(connected_settings, BacklogAgent) as plant:
        await user.open("/orders")
        await fill_in_order(user)
        user.find(marker="go-on").click()
        await user.should_see("MO-1")
        await close_order(user, "Bearing changed")
        await user.should_see("Bearing changed")
        await user.should_see("No order is open")
        rows = plant.audit_rows(2)
    assert [(row.action, row.actor) for row in rows] == [
        ("close order", "operator"),
        ("create order", "operator"),
    ]


async def test_a_double_click_makes_one_order(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, BacklogAgent) as plant:
        await user.open("/orders")
        await fill_in_order(user)
        user.find(marker="go-on").click()
        user.find(marker="go-on").click()
        await user.should_see("MO-1")
        assert [each.id for each in await plant.upkeep.orders()] == ["MO-1"]


async def test_orders_stand_in_the_page_as_it_is_sent(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, BacklogAgent) as plant:
        await plant.upkeep.create_order(PUMP, "Change the bearing", ANNA)
        answer = await user.http_client.get("/orders")
    assert "Change the bearing" in answer.text
    assert "Loading…" not in answer.text.partition("mw-first-note")[0]


async def test_a_page_does_not_wait_for_an_agent_that_is_away(plant: Plant, user: User):
    began = plant.clock.now()
    answer = await user.http_client.get("/orders")
    assert "Orders" in answer.text
    assert (plant.clock.now() - began).total_seconds() < NICEGUI_WAITS_S


async def test_an_order_without_unit_or_title_is_not_made(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, BacklogAgent) as plant:
        await user.open("/orders")
        user.find(marker="new order").click()
        await user.should_see(marker="title")
        user.find(marker="go-on").click()
        (unit,) = user.find(kind=ui.select, marker="unit").elements
        await eventually(lambda: unit.error == "Choose the unit")
        assert await plant.upkeep.orders() == ()


async def test_an_order_that_another_closed_is_a_sentence(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, BacklogAgent) as plant:
        await plant.upkeep.create_order(PUMP, "Change the bearing", ANNA)
        await user.open("/orders")
        await user.should_see("MO-1")
        await plant.upkeep.close_order("MO-1", "Done by anna", ANNA)
        await close_order(user, "Again")
        await user.should_see("Order MO-1 is closed already")


async def test_the_last_list_stays_and_is_marked_when_the_agent_stops(plant: Plant, user: User):
    async with at_work(plant, BacklogAgent):
        await plant.upkeep.create_order(PUMP, "Change the bearing", ANNA)
        await user.open("/orders")
        await user.should_see("MO-1")
    await user.should_see("Nothing is lost")
    await user.should_see("mw-old")
    await user.should_see("MO-1")


async def test_a_shift_summary_that_is_heard_stands_below(plant: Plant, user: User):
    now = plant.clock.now()
    summary = ShiftSummary(
        now - timedelta(hours=8), now, 3, 2, 5, 4, (0, 1, 2, 1), {PUMP: 3}, now, "Only since ten"
    )
    await user.open("/orders")
    await plant.durable_bus.publish_confirmed(topics.SHIFT_SUMMARY, summary)
    await user.should_see("Only since ten")


# Notifications


def with_route(settings: Settings, **more: object) -> Settings:
    route = {"name": "shift", "url": "json://127.0.0.1:9/hook", "attempts": 1, "timeout_s": 1}
    notify = NotifySettings.model_validate({"routes": [{**route, **more}]})
    return settings.model_copy(update={"notify": notify})


async def test_without_a_route_it_says_how_to_add_one(connected_settings: Settings, user: User):
    async with pages_of(connected_settings, NotifierAgent):
        await user.open("/notifications")
        await user.should_see("No route is configured: nobody is told")
        await user.should_see("docs/notify.md")
        await user.should_see("Nothing was sent or held back yet")


async def test_without_the_notifier_nobody_is_told_and_nothing_can_be_tested(
    connected_settings: Settings, user: User
):
    async with pages_of(with_route(connected_settings)):
        await user.open("/notifications")
        await user.should_see("The notifier does not answer")
        await user.should_see("Agent &quot;notifier&quot; is ")  # stopped, or never heard
        await user.should_see("Start it on the")
        await user.should_see("Routes of the settings")
        await user.should_see("not known")
        await user.should_see("disabled")


async def test_a_route_shows_its_hours_and_not_its_address(
    connected_settings: Settings, user: User
):
    settings = with_route(connected_settings, quiet_hours="22:00-06:00")
    async with pages_of(settings, NotifierAgent):
        await user.open("/notifications")
        await user.should_see("22:00-06:00, but for critical")
        await user.should_see("ready")
        await user.should_not_see("127.0.0.1:9")


async def test_a_test_that_does_not_arrive_is_told_and_on_record(
    connected_settings: Settings, user: User
):
    async with pages_of(with_route(connected_settings), NotifierAgent) as plant:
        await user.open("/notifications")
        await user.should_see("ready")
        emit(user, "mw_act", {"do": "test", "id": "shift"})
        await user.should_see("Send a test by “shift”?")
        user.find(marker="go-on").click()
        await user.should_see("Test of the route shift")
        await user.should_see("does not deliver")
        (row,) = plant.audit_rows(1)
    assert (row.action, row.target, row.actor) == ("send test", "shift", "operator")


async def test_a_test_that_is_called_off_sends_nothing(connected_settings: Settings, user: User):
    async with pages_of(with_route(connected_settings), NotifierAgent) as plant:
        await user.open("/notifications")
        emit(user, "mw_act", {"do": "test", "id": "shift"})
        await user.should_see("Send a test by “shift”?")
        user.find("Back").click()
        await user.should_not_see(marker="go-on")
        assert await plant.upkeep.deliveries() == ()

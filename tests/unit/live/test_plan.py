"""What is shown of the planner's plan, and when it is said to be old."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.bus.client import Bus
from app.core import topics
from app.core.alarm import Priority
from app.core.plan import ActionPlan, PlanItem
from app.core.shift import ShiftSummary
from app.live.plan import PlanBoard
from app.live.shifts import KEPT
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually
from tests.simulated_plant import bare_plant

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
UNIT = "r/utilities/cooling/pump-101"
ITEM = PlanItem(1, Priority.HIGH, "Hot", "a1", ("a1",), (UNIT,), (), NOW, "High; 1 alarm")
PLAN = ActionPlan(NOW, "", (ITEM,), 0, False, "Made by rules")
SHIFT = ShiftSummary(NOW - timedelta(hours=8), NOW, 1, 2, 3, 4, (0, 1, 2, 1), {}, NOW, "")


@pytest.fixture
async def plant(connected_settings: Settings) -> AsyncGenerator[Plant]:
    async with bare_plant(connected_settings) as made:
        await made.bus.wait_connected(10)
        yield made


@pytest.fixture
async def peer(connected_settings: Settings, plant: Plant) -> AsyncGenerator[Bus]:
    bus = Bus(connected_settings, "peer", plant.clock)
    await bus.start()
    await bus.wait_connected(10)
    yield bus
    await bus.stop()


def board(plan: ActionPlan | None) -> PlanBoard:
    made = PlanBoard()
    made.plan = plan
    return made


def test_without_a_planner_it_says_how_to_start_it():
    view = board(None).view(is_planner_live=False, now=NOW)

    assert (view.plan, view.is_current, view.age_s) == (None, False, None)
    assert (view.problem, view.remedy) == (
        "The planner does not run, so nothing is planned",
        "Start it on the Agents page",
    )


def test_a_planner_that_has_said_nothing_is_waited_for():
    view = board(None).view(is_planner_live=True, now=NOW)

    assert (view.is_current, view.problem) == (False, "The planner has made no plan yet")


def test_the_last_plan_of_a_planner_that_is_gone_is_not_current():
    view = board(PLAN).view(is_planner_live=False, now=NOW + timedelta(minutes=5))

    assert (view.plan, view.is_current, view.age_s) == (PLAN, False, 300)
    assert "may be out of date" in view.problem


def test_a_plan_stays_current_while_its_planner_lives():
    view = board(PLAN).view(is_planner_live=True, now=NOW + timedelta(hours=5))

    assert (view.is_current, view.age_s, view.problem) == (True, 5 * 3600, "")


def test_a_plan_of_a_clock_that_runs_ahead_is_of_now():
    assert board(PLAN).view(is_planner_live=True, now=NOW - timedelta(hours=1)).age_s == 0


async def test_the_last_plan_on_the_bus_is_kept(plant: Plant, peer: Bus):
    later = msgspec.structs.replace(PLAN, items=())
    await peer.publish_confirmed(topics.PLAN, PLAN)
    await eventually(lambda: plant.plans.plan == PLAN)
    await peer.publish_confirmed(topics.PLAN, later)
    await eventually(lambda: plant.plans.plan == later)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"no json",
        msgspec.json.encode(PLAN).replace(b"12:00:00Z", b"12:00:00"),
        msgspec.json.encode(PLAN).replace(b'"priority":2', b'"priority":7'),
    ],
)
async def test_what_is_no_plan_is_refused_and_the_last_one_stays(
    payload: bytes, plant: Plant, peer: Bus
):
    await peer.publish_confirmed(topics.PLAN, PLAN)
    await eventually(lambda: plant.plans.plan == PLAN)
    peer.publish(topics.PLAN, payload, qos=1)
    await eventually(lambda: plant.dead_letters.total == 1)
    assert plant.plans.plan == PLAN


async def test_a_summary_made_again_takes_the_place_of_the_first(plant: Plant, peer: Bus):
    again = msgspec.structs.replace(SHIFT, orders_open=9)
    await peer.publish_confirmed(topics.SHIFT_SUMMARY, SHIFT)
    await peer.publish_confirmed(topics.SHIFT_SUMMARY, again)
    await eventually(lambda: plant.shifts.latest == (again,))


async def test_of_many_summaries_the_latest_shifts_are_kept(plant: Plant, peer: Bus):
    ends = [NOW + timedelta(hours=8 * number) for number in range(KEPT + 2)]
    for end in ends:
        peer.publish(topics.SHIFT_SUMMARY, msgspec.structs.replace(SHIFT, end=end), qos=1)
    await eventually(lambda: [each.end for each in plant.shifts.latest] == ends[: -KEPT - 1 : -1])


async def test_what_is_no_summary_is_refused(plant: Plant, peer: Bus):
    peer.publish(topics.SHIFT_SUMMARY, b"{}", qos=1)
    await eventually(lambda: plant.dead_letters.total == 1)
    assert plant.shifts.latest == ()

from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planner.rules import MOST_ITEMS, MOST_LISTED, Flood, bounded, make_plan
from app.bus.codec import encode
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.alarm_machine import HIDDEN_STATES
from app.core.plan import ActionPlan, PlanItem
from tests.unit.agents.planner.situations import (
    ANY_ALARM,
    FLOOD,
    NOW,
    O501,
    P101,
    P102,
    P201,
    alarm,
    finding,
    situation,
)

HOUR = 3600.0
OTHER = "r/machining/milling/spindle-401"


def plan(*alarms: Alarm, findings: tuple[Finding, ...] = (), flood: Flood = FLOOD) -> ActionPlan:
    return make_plan(situation(*alarms, findings=findings), flood)


def first(*alarms: Alarm, findings: tuple[Finding, ...] = ()) -> PlanItem:
    return plan(*alarms, findings=findings).items[0]


def order(*alarms: Alarm) -> list[str]:
    return [item.cause for item in plan(*alarms).items]


def test_nothing_open_is_an_empty_plan_that_says_how_it_is_made():
    made = plan()

    assert (made.items, made.hidden, made.flood, made.model) == ((), 0, False, "")
    assert "no language model" in made.note


def test_the_worse_priority_comes_first():
    low, critical = (
        alarm("low", P101, priority=Priority.LOW),
        alarm("critical", O501, HOUR, priority=Priority.CRITICAL),
    )

    assert order(low, critical) == ["critical", "low"]


def test_what_returned_comes_after_what_is_present():
    gone = alarm("gone", P101, priority=Priority.CRITICAL, state=AlarmState.RTN_UNACK, active=False)

    assert order(gone, alarm("here", O501, priority=Priority.LOW)) == ["here", "gone"]


def test_what_is_acknowledged_comes_after_what_is_not():
    known = alarm("known", P101, state=AlarmState.ACK)

    assert order(known, alarm("new", O501)) == ["new", "known"]


def test_what_reaches_more_units_comes_first():
    assert order(alarm("alone", O501), alarm("reaching", P101, 1)) == ["reaching", "alone"]


def test_the_older_of_equals_comes_first():
    assert order(alarm("new", OTHER, 60), alarm("old", O501)) == ["old", "new"]


def test_in_a_flood_the_cause_of_most_alarms_comes_first():
    reaching = alarm("reaching", P101, HOUR)
    many = [alarm(f"many-{each}", O501, HOUR, condition=f"c{each}") for each in range(3)]

    calm, flood = plan(reaching, *many), plan(reaching, *many, flood=Flood(4, 600))

    assert (calm.flood, calm.items[0].cause) == (False, "reaching")
    assert (flood.flood, flood.items[0].cause) == (True, "many-0")


@pytest.mark.parametrize("state", sorted(HIDDEN_STATES))
def test_what_is_hidden_is_counted_and_not_ranked(state: AlarmState):
    made = plan(alarm("hidden", state=state), alarm("open", O501))

    assert (made.hidden, [item.cause for item in made.items]) == (1, ["open"])


def test_an_item_names_units_and_what_else_stands_on_the_line():
    item = first(alarm("a", f"{P101}/flow"))

    assert item.equipment == (P101,)
    assert item.affected == (P102,)  # and no energy meter


def test_a_title_names_the_unit_once():
    assert first(alarm("a", message="Flow is low")).title == "Pump-101: Flow is low"
    assert first(alarm("a", message="Pump-101 is hot")).title == "Pump-101 is hot"


def test_a_title_of_a_part_of_the_app_is_plain():
    item = first(alarm("a", "system/app/host/Backlog_agent", message="Backlog agent: no disk"))

    assert item.title == "Backlog agent: no disk"


def test_a_title_counts_what_follows():
    assert first(alarm("a", message="Hot"), alarm("b", seconds=5)).title == (
        "Pump-101: Hot (1 more alarm)"
    )


def test_a_reason_says_why_it_ranks_there_in_plant_time():
    item = first(alarm("a"), alarm("b", seconds=5, state=AlarmState.ACK))

    assert item.reason == (
        "High; 2 alarms on 1 unit; 1 not acknowledged; 1 further unit on the same line; "
        "first at 2026-11-18 13:00:00"
    )


def test_an_alarm_that_claims_the_end_of_the_calendar_spoils_no_plan():
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    item = first(msgspec.structs.replace(alarm("a"), raised_at=end))

    assert item.reason.endswith("first at 9999-12-31 23:59:59")


def test_actions_are_the_first_sentences_without_repetition():
    item = first(
        alarm("a", response="Check the strainer. Then the level."),
        alarm("b", seconds=1, response="Check the strainer. At once."),
        alarm("c", seconds=2, response="Stop it within 1.5 minutes"),
        alarm("d", seconds=3),
    )

    assert item.actions == ("Check the strainer.", "Stop it within 1.5 minutes")


@pytest.mark.parametrize("agent", ["vibration", "maintenance"])
def test_a_finding_on_a_machine_proposes_troubleshooting(agent: str):
    item = first(alarm("a", agent=agent, condition="imbalance", message="Shakes"))

    assert item.proposed_workflow == "industrial_troubleshooting"
    assert item.proposed_input == {
        "equipment": P101,
        "condition": "imbalance",
        "message": "Shakes",
        "agent": agent,
        "priority": 2,
    }


def test_a_proposal_is_as_urgent_as_the_worst_of_its_alarms():
    item = first(
        alarm("a", agent="vibration", condition="imbalance", priority=Priority.LOW),
        alarm("b", seconds=5, priority=Priority.CRITICAL),
    )

    assert item.proposed_input["priority"] == 1


def test_a_finding_beside_a_limit_proposes_troubleshooting_too():
    stated = finding(P101, "imbalance", "vibration")

    assert first(alarm("a"), findings=(stated,)).proposed_workflow == "industrial_troubleshooting"


def test_a_finding_on_another_unit_proposes_nothing():
    stated = finding(P201, "imbalance", "vibration")

    assert first(alarm("a"), findings=(stated,)).proposed_workflow == ""


def test_a_bad_sensor_proposes_its_triage():
    item = first(alarm("a", f"{P101}/flow", condition="bad_quality"))

    assert item.proposed_workflow == "sensor_fault_triage"
    assert item.proposed_input == {"tag": f"{P101}/flow", "condition": "bad_quality"}


def test_many_lost_sensors_propose_no_triage_of_one():
    lost = [
        alarm(f"{each}", f"{path}/flow", each, condition="bad_quality")
        for each, path in enumerate((P101, O501, OTHER))
    ]

    item = first(*lost)

    assert item.proposed_workflow == ""
    assert item.title == "No usable values from 3 units: one common cause is likely"


def test_a_plain_limit_proposes_nothing():
    assert first(alarm("a")).proposed_workflow == ""


@given(st.lists(ANY_ALARM, max_size=20, unique_by=lambda each: each.id))
def test_every_open_alarm_stands_in_exactly_one_item(alarms: list[Alarm]):
    listed = [each for item in plan(*alarms).items for each in item.alarms]

    assert sorted(listed) == sorted(each.id for each in alarms)


@given(st.lists(ANY_ALARM, max_size=12, unique_by=lambda each: each.id), st.integers())
def test_the_plan_does_not_depend_on_the_order_of_arrival(alarms: list[Alarm], seed: int):
    shuffled = Random(seed).sample(alarms, len(alarms))  # noqa: S311  no secret

    assert plan(*shuffled) == plan(*alarms)


@given(st.lists(ANY_ALARM, max_size=20, unique_by=lambda each: each.id))
def test_ranks_count_from_one_and_priorities_of_what_is_present_never_rise(alarms: list[Alarm]):
    items = plan(*alarms).items
    present = {each.id for each in alarms if each.active}
    shown = [item for item in items if present.intersection(item.alarms)]

    assert [item.rank for item in items] == list(range(1, len(items) + 1))
    assert all(one.priority <= other.priority for one, other in pairwise(shown))


def test_a_plan_fits_into_a_message_however_many_alarms_there_are():
    alarms = [
        alarm(f"{number:05}-{'x' * 50}", f"r/area/line/unit-{number // 2}/tag-{number}", number * 3)
        for number in range(10_000)
    ]

    made = bounded(plan(*alarms))

    assert len(encode(made)) < 262_144
    assert len(made.items) <= MOST_ITEMS
    assert max(len(item.alarms) for item in made.items) <= MOST_LISTED
    assert "left out" in made.note
    assert made.made_at > NOW

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planner.grouping import (
    AREA_WINDOW,
    LINE_WINDOW,
    LOSS_WINDOW,
    UNIT_WINDOW,
    groups,
    is_loss,
)
from app.core.alarm import Alarm
from tests.unit.agents.planner.situations import (
    ANY_ALARM,
    O501,
    P101,
    P102,
    P201,
    TAP,
    UNITS,
    alarm,
)


def ids(alarms: list[Alarm]) -> list[list[str]]:
    return [[each.id for each in group] for group in groups(alarms, UNITS)]


def test_no_alarm_is_no_group():
    assert groups([], UNITS) == []


def test_the_first_out_leads_whatever_comes_in_first():
    assert ids([alarm("late", seconds=60), alarm("first")]) == [["first", "late"]]


@pytest.mark.parametrize(
    ("equipment", "window"),
    [(P101, UNIT_WINDOW), (f"{P101}/flow", UNIT_WINDOW), (P102, LINE_WINDOW)],
)
def test_alarms_of_a_unit_or_line_belong_together_within_the_window(
    equipment: str, window: timedelta
):
    within, after = window.total_seconds(), window.total_seconds() + 1

    assert len(ids([alarm("a"), alarm("b", equipment, within)])) == 1
    assert len(ids([alarm("a"), alarm("b", equipment, after)])) == 2


def test_two_units_of_an_area_at_once_may_be_chance():
    assert len(ids([alarm("a"), alarm("b", P201)])) == 2


def test_three_units_of_an_area_at_once_have_one_cause():
    within = AREA_WINDOW.total_seconds()

    assert ids([alarm("a"), alarm("b", P201, 1), alarm("c", P102, within)]) == [["a", "b", "c"]]


def test_units_of_different_areas_do_not_belong_together():
    assert len(ids([alarm("a"), alarm("b", O501), alarm("c", "r/machining/milling/s1")])) == 3


@pytest.mark.parametrize("place", ["system/app/host", "external/alerts/http"])
def test_parts_of_the_app_and_alerts_of_others_are_no_line(place: str):
    assert len(ids([alarm("a", f"{place}/Historian"), alarm("b", f"{place}/Bus")])) == 2


def test_values_lost_from_three_units_anywhere_have_one_cause():
    lost = [
        alarm("a", P101, condition="no_values"),
        alarm("b", f"{O501}/zone_1", 5, condition="bad_quality"),
        alarm("c", P201, LOSS_WINDOW.total_seconds(), condition="no_values"),
    ]

    assert ids(lost) == [["a", "b", "c"]]
    assert is_loss(lost, UNITS)


def test_values_lost_from_two_units_are_two_causes():
    lost = [alarm("a", P101, condition="no_values"), alarm("b", O501, condition="no_values")]

    assert len(ids(lost)) == 2
    assert not is_loss(lost, UNITS)


def test_the_network_joins_the_units_that_it_cut_off():
    lost = [
        alarm("tap", TAP),
        alarm("a", P101, 10, condition="no_values"),
        alarm("b", O501, 20, condition="no_values"),
    ]

    assert ids(lost) == [["tap", "a", "b"]]


def test_silence_of_the_whole_plant_takes_every_lost_value():
    lost = [
        alarm("a", f"{P101}/flow", condition="bad_quality"),
        alarm("all", "system/app/host/Telemetry", 30, condition="no_values"),
    ]

    assert ids(lost) == [["a", "all"]]


def test_a_long_flood_does_not_grow_into_one_cause():
    alarms = [alarm(f"{each:03}", f"r/a/l/u{each // 2}", each * 60) for each in range(60)]

    assert len(ids(alarms)) > 5


@given(st.lists(ANY_ALARM, max_size=25, unique_by=lambda each: each.id))
def test_every_alarm_is_in_exactly_one_group(alarms: list[Alarm]):
    assert sorted(each for group in ids(alarms) for each in group) == sorted(
        each.id for each in alarms
    )


@given(st.lists(ANY_ALARM, max_size=15, unique_by=lambda each: each.id), st.integers())
def test_the_order_of_arrival_changes_nothing(alarms: list[Alarm], seed: int):
    shuffled = Random(seed).sample(alarms, len(alarms))  # noqa: S311  no secret

    assert ids(shuffled) == ids(alarms)

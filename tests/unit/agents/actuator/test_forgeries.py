"""Refused orders become one alarm a unit, which cannot be used to flood anybody."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.actuator.forgeries import CONDITION, QUIET, UNITS, Forgeries
from app.core.alarm import Finding, Priority

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PUMP = "riverside/utilities/cooling/pump-101"


@pytest.fixture
def forgeries() -> Forgeries:
    return Forgeries("actuator")


def stated(forgeries: Forgeries, after: timedelta = timedelta()) -> list[Finding]:
    return list(forgeries.findings(NOW + after))


def test_without_a_refused_order_nothing_is_stated(forgeries: Forgeries):
    assert stated(forgeries) == []


def test_a_refused_order_is_a_latching_finding_with_the_reason(forgeries: Forgeries):
    forgeries.take(PUMP, "no right signature", NOW)

    (found,) = stated(forgeries)

    assert (found.equipment, found.condition, found.priority) == (PUMP, CONDITION, Priority.HIGH)
    assert found.message == "An order that the app did not send refused: no right signature"
    assert found.latching


def test_a_thousand_of_them_are_one_finding_that_counts(forgeries: Forgeries):
    for _ in range(1000):
        forgeries.take(PUMP, "no right signature", NOW)

    (found,) = stated(forgeries)

    assert found.message.startswith("1000 orders ")


def test_made_up_units_cannot_fill_the_list(forgeries: Forgeries):
    for number in range(1000):
        forgeries.take(f"a/b/c/unit-{number}", "no right signature", NOW)

    assert len(stated(forgeries)) == UNITS


@pytest.mark.parametrize("unit", ["a/b/c/x:y", "a/b/c/", "a/b c/d/e", "a/b/c/<b>"])
def test_a_path_that_no_unit_can_have_is_left_out(unit: str, forgeries: Forgeries):
    forgeries.take(unit, "no right signature", NOW)

    assert stated(forgeries) == []


def test_it_ends_once_when_none_came_for_a_while(forgeries: Forgeries):
    forgeries.take(PUMP, "no right signature", NOW)

    before = stated(forgeries, QUIET - timedelta(seconds=1))
    after = stated(forgeries, QUIET)

    assert [each.priority for each in before] == [Priority.HIGH]
    assert [(each.priority, each.latching) for each in after] == [(None, True)]
    assert stated(forgeries, QUIET) == []


def test_a_further_one_puts_the_end_off(forgeries: Forgeries):
    forgeries.take(PUMP, "no right signature", NOW)
    forgeries.take(PUMP, "no right signature", NOW + QUIET / 2)

    assert [each.priority for each in stated(forgeries, QUIET)] == [Priority.HIGH]


def test_what_a_former_life_stated_ends_in_time(forgeries: Forgeries):
    key = f"actuator:{PUMP}:{CONDITION}"
    forgeries.recall(
        {key: 2, "actuator:a/b/c/d:other": 2, f"actuator:a/b/c/e:{CONDITION}": None}, NOW
    )

    found = stated(forgeries, QUIET)

    assert [(each.equipment, each.priority) for each in found] == [(PUMP, None)]

"""Trouble of our own components becomes findings, once and after a delay."""

from datetime import UTC, datetime, timedelta

from app.alarms.system import ON_DELAY, ComponentWatch
from app.core.alarm import Priority
from app.core.health import ComponentStatus, Health

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = BEGAN + ON_DELAY


def status(state: Health, reason: str = "") -> ComponentStatus:
    return ComponentStatus("Broker", state, BEGAN, reason, "look at it")


def test_a_component_that_is_well_ends_an_alarm_of_an_earlier_run_once():
    watch = ComponentWatch()
    (absent,) = watch.changes([status(Health.OK)], LATER)
    assert absent.priority is None
    assert list(watch.changes([status(Health.OK)], LATER)) == []


def test_a_failed_component_is_stated_at_once_with_reason_and_remedy():
    found = next(ComponentWatch().changes([status(Health.FAILED, "port busy")], BEGAN))
    assert found.priority is Priority.HIGH
    assert found.message == "Broker: port busy"
    assert found.response == "look at it"


def test_a_short_degradation_is_not_stated():
    early = BEGAN + timedelta(seconds=1)
    assert list(ComponentWatch().changes([status(Health.DEGRADED, "slow")], early)) == []


def test_a_lasting_degradation_is_stated_once():
    watch = ComponentWatch()
    first = list(watch.changes([status(Health.DEGRADED, "slow")], LATER))
    again = list(watch.changes([status(Health.DEGRADED, "slow")], LATER))
    assert [len(first), len(again)] == [1, 0]


def test_a_recovered_component_states_that_the_trouble_is_gone():
    watch = ComponentWatch()
    list(watch.changes([status(Health.FAILED, "port busy")], LATER))
    found = next(watch.changes([status(Health.OK)], LATER))
    assert found.priority is None


def test_a_component_that_starts_again_keeps_its_trouble():
    watch = ComponentWatch()
    list(watch.changes([status(Health.FAILED, "port busy")], LATER))
    assert list(watch.changes([status(Health.STARTING)], LATER)) == []


def test_a_changed_reason_is_stated_for_the_same_alarm():
    watch = ComponentWatch()
    first = next(watch.changes([status(Health.FAILED, "port busy")], LATER))
    second = next(watch.changes([status(Health.FAILED, "disk full")], LATER))
    assert first.key == second.key
    assert second.message == "Broker: disk full"

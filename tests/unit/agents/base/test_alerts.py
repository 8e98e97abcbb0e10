import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agents.base.alerts import RESTATE_S, Alerts, clean, seed_finding
from app.core.alarm import Finding, Priority

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def finding(priority: Priority | None, unit: str = "s/a/l/u", condition: str = "hot") -> Finding:
    return Finding("agent", condition, unit, NOW, priority)


def stated(alerts: Alerts, *priorities: Priority | None) -> list[Priority | None]:
    """Return what is stated of one condition, decided once a second."""
    said: list[Priority | None] = []
    for second, priority in enumerate(priorities):
        now = NOW + timedelta(seconds=second)
        said += [f.priority for f in alerts.worth_stating([finding(priority)], now)]
    return said


def test_a_condition_is_stated_when_it_comes_and_when_it_goes():
    said = stated(Alerts(1, 1, {}), None, None, Priority.HIGH, Priority.HIGH, None, None)

    assert said == [None, Priority.HIGH, None]


def test_a_change_of_priority_is_news():
    said = stated(Alerts(1, 1, {}), Priority.LOW, Priority.CRITICAL, Priority.LOW)

    assert said == [Priority.LOW, Priority.CRITICAL, Priority.LOW]


def test_a_condition_is_raised_only_after_some_decisions_in_a_row():
    hot = Priority.HIGH

    assert stated(Alerts(3, 1, {}), None, hot, hot, None, hot, hot, hot) == [None, hot]


def test_a_condition_ends_only_after_some_decisions_in_a_row():
    hot = Priority.HIGH

    assert stated(Alerts(1, 2, {}), hot, None, hot, None, None) == [hot, None]


def test_a_standing_condition_is_stated_again_after_a_minute():
    alerts = Alerts(1, 1, {})
    alerts.worth_stating([finding(Priority.HIGH)], NOW)

    later = NOW + timedelta(seconds=RESTATE_S)
    assert not alerts.worth_stating([finding(Priority.HIGH)], later - timedelta(seconds=1))
    assert alerts.worth_stating([finding(Priority.HIGH)], later)


def test_units_and_conditions_do_not_mix():
    alerts = Alerts(1, 1, {})
    alerts.worth_stating([finding(Priority.HIGH)], NOW)

    others = [finding(Priority.HIGH, unit="s/a/l/v"), finding(Priority.HIGH, condition="cold")]
    assert alerts.worth_stating(others, NOW) == others


def test_what_was_stated_survives_a_restart():
    first = Alerts(3, 3, {})
    first.worth_stating([finding(Priority.HIGH)] * 3, NOW)

    second = Alerts(3, 3, first.stated())

    assert first.stated() == {"agent:s/a/l/u:hot": Priority.HIGH}
    assert second.stated() == first.stated()
    assert stated(second, None, None, None) == [None]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_figure_that_json_cannot_carry_is_left_out(bad: float):
    dirty = Finding("a", "c", "u", NOW, probability=bad, value=bad, evidence={"x": bad, "y": 1.0})

    assert clean(dirty) == Finding("a", "c", "u", NOW, evidence={"y": 1.0})


def test_the_seeds_shape_has_all_their_fields():
    seed = seed_finding(msgspec.structs.replace(finding(Priority.HIGH), message="Hot"), "pm_agent")

    fields = msgspec.to_builtins(seed)
    assert fields["agent_id"] == "pm_agent"
    assert (fields["machine_id"], fields["prediction"]) == ("s/a/l/u", "hot")
    assert (fields["level"], fields["message"], fields["probability"]) == ("high", "Hot", None)


def test_an_absent_condition_is_normal_in_the_seeds_shape():
    seed = seed_finding(finding(None), "pm_agent")

    assert (seed.prediction, seed.level) == ("normal", "normal")

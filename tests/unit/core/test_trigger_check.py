"""Cron lines are judged before they may start anything."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.trigger_check import check_trigger
from app.core.trigger_rules import last_time
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow

DEMO = Workflow("demo", (Step("one", ActionKind.WAIT),))


def told(line: str) -> list[str]:
    trigger = Trigger(TriggerKind.SCHEDULE, cron=line)
    return [each.message for each in check_trigger(DEMO, trigger, "triggers[0]") if each.is_error]


@pytest.mark.parametrize(
    "line", ["0 0 31 2 *", "30 2 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 fri#1", "* * 31 feb *"]
)
def test_a_time_that_never_comes_is_refused_by_its_line(line: str):
    (message,) = told(line)

    assert f'"{line}" never comes' in message


@pytest.mark.parametrize(
    "line", ["R R * * *", "r(1-5) * * * *", "H H * * *", "h(0-5)/2 * * * *", "0 6 R * *"]
)
def test_a_time_of_chance_is_refused(line: str):
    (message,) = told(line)

    assert "names no fixed time" in message


@pytest.mark.parametrize("line", ["99 * * * *", "* * * *", "0 0 0 * *", "a b c d e", "*/0 * * * *"])
def test_what_is_no_cron_line_is_refused(line: str):
    (message,) = told(line)

    assert "is no cron line" in message


@pytest.mark.parametrize(
    "line",
    [
        "0 0 29 2 *",
        "0 0 29 2 sat#5",
        "0 0 31 2 mon",
        "0 0 L * *",
        "0 6 * MAR,apr THU,fri",
        "30 2 29 3 *",
    ],
)
def test_a_time_that_comes_however_seldom_is_allowed_and_can_be_looked_up(line: str):
    now, zone = datetime(2026, 11, 22, 10, 0, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    trigger = Trigger(TriggerKind.SCHEDULE, cron=line)

    assert told(line) == []
    assert last_time(trigger, now, zone) is None

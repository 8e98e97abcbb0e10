"""Limits that count only while their unit runs."""

from datetime import UTC, datetime, timedelta

import pytest

from app.alarms.limits import STARTING, LimitWatcher
from app.core.equipment import Equipment, Limits, Tag, TagKind, check_equipment
from app.core.errors import TopicError
from app.core.reading import Quality, Reading, Reason

START = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = "site/area/line/P-102"
FLOW = Tag(path=f"{UNIT}/flow", limits=Limits(low=20.0), limits_while="running")
RUNNING = Tag(path=f"{UNIT}/running", kind=TagKind.BINARY)


def reading(
    tag: Tag, value: float | None, second: float, quality: Quality = Quality.GOOD
) -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(tag.path, value, quality, at, at, Reason.NONE)


class Plant:
    """A watcher and the conditions that stand in it."""

    def __init__(self) -> None:
        self._watcher = LimitWatcher()
        self.standing: set[str] = set()

    def see(
        self, tag: Tag, value: float | None, second: float, quality: Quality = Quality.GOOD
    ) -> None:
        for finding in self._watcher.apply(tag, reading(tag, value, second, quality)):
            self.standing.discard(finding.condition)
            self.standing |= {finding.condition} if finding.priority else set()


@pytest.fixture
def plant() -> Plant:
    """A pump that runs and has flow."""
    made = Plant()
    made.see(FLOW, 60, 0)
    made.see(RUNNING, 1, 0)
    return made


def test_a_pump_that_stands_has_no_low_flow(plant: Plant) -> None:
    plant.see(RUNNING, 0, 1)
    plant.see(FLOW, 0, 1)
    assert plant.standing == set()


def test_a_pump_that_runs_without_flow_has(plant: Plant) -> None:
    plant.see(FLOW, 0, 1)
    assert plant.standing == {"low"}


def test_an_alarm_ends_when_the_pump_is_stopped(plant: Plant) -> None:
    plant.see(FLOW, 0, 1)
    plant.see(RUNNING, 0, 2)
    plant.see(FLOW, 0, 2)
    assert plant.standing == set()


def test_a_pump_that_starts_has_time_to_reach_its_duty(plant: Plant) -> None:
    plant.see(RUNNING, 0, 1)
    plant.see(RUNNING, 1, 2)
    plant.see(FLOW, 5, 3)
    assert plant.standing == set()


def test_a_pump_that_was_started_and_gives_no_flow_is_told(plant: Plant) -> None:
    plant.see(RUNNING, 0, 1)
    plant.see(RUNNING, 1, 2)
    plant.see(FLOW, 5, 2 + STARTING.total_seconds())
    assert plant.standing == {"low"}


def test_limits_count_while_nobody_knows_whether_it_stands(plant: Plant) -> None:
    plant.see(RUNNING, None, 1, Quality.BAD)
    plant.see(FLOW, 0, 1)
    assert plant.standing == {"low"}


def test_a_condition_must_be_a_tag_of_the_unit() -> None:
    with pytest.raises(TopicError, match=r'limits_while of tag ".*flow": "running" is no tag'):
        check_equipment(Equipment(UNIT, "Pump", tags=(FLOW,)))

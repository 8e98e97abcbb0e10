"""The tag table: declaration, order, limits and ageing by clock."""

from datetime import UTC, datetime, timedelta

import pytest

from app.clock import ManualClock
from app.core.equipment import Equipment, Tag
from app.core.errors import InputError, NotFoundError, TopicError
from app.core.reading import Quality, Reading, Reason
from app.live.tags import UNDECLARED_STALE_AFTER_S, TagTable

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
FLOW = f"{UNIT}/flow"
PRESSURE = f"{UNIT}/pressure"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def table(clock: ManualClock) -> TagTable:
    return TagTable(clock, max_tags=4)


def pump(*tags: str, stale_after_s: float = 5.0) -> Equipment:
    return Equipment(
        path=UNIT,
        name="Cooling pump P-101",
        tags=tuple(Tag(path=tag, stale_after_s=stale_after_s) for tag in tags),
    )


def reading(
    tag: str = FLOW,
    value: float | None = 50.0,
    *,
    at: datetime = START,
    received: datetime | None = None,
    quality: Quality = Quality.GOOD,
    reason: Reason = Reason.NONE,
) -> Reading:
    return Reading(tag, value, quality, at, received or at, reason)


def quality_of(table: TagTable, tag: str = FLOW) -> tuple[Quality, Reason]:
    held = table.value(tag)
    assert held
    return held.quality, held.reason


def test_a_declared_tag_has_no_value_until_one_arrives(table: TagTable):
    table.declare(pump(FLOW))
    assert table.value(FLOW) is None


def test_a_reading_is_held_and_told(table: TagTable):
    told: list[str] = []
    table.on_change(told.extend)
    table.declare(pump(FLOW))
    assert table.apply([reading()]) == [FLOW]
    assert told == [FLOW]
    held = table.value(FLOW)
    assert held
    assert held.value == 50.0


def test_each_path_is_told_once_a_batch(table: TagTable):
    table.declare(pump(FLOW))
    assert table.apply([reading(), reading(value=51.0)]) == [FLOW]
    held = table.value(FLOW)
    assert held
    assert held.value == 51.0


def test_an_unknown_tag_is_an_error_that_names_it(table: TagTable):
    with pytest.raises(NotFoundError, match="pump-101/flow"):
        table.tag(FLOW)


def test_an_unknown_unit_is_nothing(table: TagTable):
    assert table.unit(UNIT) is None


def test_an_undeclared_tag_is_made_with_an_unknown_range(table: TagTable):
    table.apply([reading()])
    tag = table.tag(FLOW)
    assert (tag.low, tag.high) == (0.0, 0.0)
    assert tag.stale_after_s == UNDECLARED_STALE_AFTER_S
    unit = table.unit(UNIT)
    assert unit
    assert unit.name == "pump-101"
    assert [each.path for each in unit.tags] == [FLOW]


def test_undeclared_tags_join_those_that_were_declared(table: TagTable):
    table.declare(pump(FLOW))
    table.apply([reading(PRESSURE)])
    unit = table.unit(UNIT)
    assert unit
    assert [each.path for each in unit.tags] == [FLOW, PRESSURE]


def test_a_declaration_takes_over_an_undeclared_tag_with_its_value(table: TagTable):
    table.apply([reading()])
    table.declare(pump(FLOW))
    unit = table.unit(UNIT)
    assert unit
    assert len(unit.tags) == 1
    assert table.tag(FLOW).stale_after_s == 5.0
    assert table.value(FLOW)


def test_a_tag_that_its_source_no_longer_declares_is_forgotten(table: TagTable):
    table.declare(pump(FLOW, PRESSURE))
    table.declare(pump(FLOW))
    assert table.paths() == [FLOW]


def test_readings_beyond_the_limit_are_refused_and_counted(table: TagTable):
    readings = [reading(f"{UNIT}/t{number}") for number in range(6)]
    assert len(table.apply(readings)) == 4
    assert table.refused == 2
    assert len(table) == 4


def test_a_unit_beyond_the_limit_is_refused_whole(table: TagTable):
    with pytest.raises(InputError, match="4 tags are the limit"):
        table.declare(pump(*(f"{UNIT}/t{number}" for number in range(5))))
    assert len(table) == 0


def test_a_tag_of_another_unit_is_refused(table: TagTable):
    with pytest.raises(TopicError, match="does not belong"):
        table.declare(pump("riverside/utilities/cooling/pump-102/flow"))


@pytest.mark.parametrize("path", ["", "flow", "a/b/c/d", "a/b/c/d/e/f", "a/b/c/d/f l", "a//c/d/e"])
def test_a_malformed_path_is_counted_and_changes_nothing(table: TagTable, path: str):
    assert table.apply([reading(path)]) == []
    assert table.refused == 1
    assert table.equipment() == []


async def test_a_value_past_its_age_becomes_uncertain(table: TagTable, clock: ManualClock):
    table.declare(pump(FLOW))
    table.apply([reading()])
    await clock.advance(5.1)
    assert table.sweep() == [FLOW]
    assert quality_of(table) == (Quality.UNCERTAIN, Reason.STALE)


async def test_a_value_within_its_age_stays_good(table: TagTable, clock: ManualClock):
    table.declare(pump(FLOW))
    table.apply([reading()])
    await clock.advance(4.9)
    assert table.sweep() == []
    assert quality_of(table) == (Quality.GOOD, Reason.NONE)


async def test_a_stale_value_is_told_once(table: TagTable, clock: ManualClock):
    table.declare(pump(FLOW))
    table.apply([reading()])
    await clock.advance(6)
    table.sweep()
    assert table.sweep() == []


async def test_a_new_reading_makes_a_stale_tag_good_again(table: TagTable, clock: ManualClock):
    table.declare(pump(FLOW))
    table.apply([reading()])
    await clock.advance(6)
    table.sweep()
    table.apply([reading(at=clock.now())])
    assert quality_of(table) == (Quality.GOOD, Reason.NONE)


async def test_bad_quality_keeps_its_reason_when_it_ages(table: TagTable, clock: ManualClock):
    table.declare(pump(FLOW))
    table.apply([reading(value=None, quality=Quality.BAD, reason=Reason.SENSOR_FAULT)])
    await clock.advance(60)
    table.sweep()
    assert quality_of(table) == (Quality.BAD, Reason.SENSOR_FAULT)


def test_a_value_that_was_received_long_ago_never_looks_fresh(table: TagTable):
    table.declare(pump(FLOW))
    table.apply([reading(at=START - timedelta(minutes=3))])
    assert quality_of(table) == (Quality.UNCERTAIN, Reason.STALE)


def test_a_late_reading_does_not_replace_a_newer_one(table: TagTable):
    table.declare(pump(FLOW))
    table.apply([reading(value=2.0)])
    changed = table.apply([reading(value=1.0, at=START - timedelta(seconds=1), received=START)])
    assert changed == []
    held = table.value(FLOW)
    assert held
    assert held.value == 2.0


async def test_a_source_whose_clock_was_set_back_is_heard_once_its_value_is_stale(
    table: TagTable, clock: ManualClock
):
    table.declare(pump(FLOW))
    table.apply([reading(value=1.0)])
    await clock.advance(6)
    table.apply([reading(value=2.0, at=START - timedelta(hours=1), received=clock.now())])
    held = table.value(FLOW)
    assert held
    assert held.value == 2.0


def test_paths_are_sorted_and_filtered(table: TagTable):
    table.declare(pump(PRESSURE, FLOW))
    assert table.paths(UNIT) == [FLOW, PRESSURE]
    assert table.paths("elsewhere") == []


def test_a_clock_that_ran_ahead_does_not_hold_back_later_readings(table: TagTable):
    table.declare(pump(FLOW))
    table.apply([reading(value=1.0, at=START + timedelta(hours=1), received=START)])
    table.apply([reading(value=2.0)])
    held = table.value(FLOW)
    assert held
    assert held.value == 2.0


def test_a_forgotten_unit_makes_room_and_is_told(table: TagTable):
    told: list[str] = []
    table.declare(pump(FLOW, PRESSURE))
    table.apply([reading(f"{UNIT}/{number}") for number in range(3)])
    assert table.status
    table.on_declare(told.extend)
    table.forget(UNIT)
    assert (table.unit(UNIT), len(table), table.status) == (None, 0, None)
    assert set(told) >= {FLOW, PRESSURE}
    table.forget(UNIT)


async def test_a_unit_sends_while_one_of_its_values_is_fresh(table: TagTable, clock: ManualClock):
    assert not table.is_sending(UNIT)
    table.declare(pump(FLOW, PRESSURE))
    assert not table.is_sending(UNIT)
    table.apply([reading()])
    assert table.is_sending(UNIT)
    await clock.advance(6)
    assert not table.is_sending(UNIT)

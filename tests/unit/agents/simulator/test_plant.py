"""The plant as a whole: declared well, repeatable, healthy, fast."""

import math
import time
from datetime import UTC, datetime

import pytest

from agents.simulator.plant import PlantModel
from app.core.equipment import EquipmentKind, Tag, TagKind, check_equipment
from app.core.errors import InputError
from app.core.reading import Quality

KINDS = {
    EquipmentKind.MOTOR_PUMP,
    EquipmentKind.COMPRESSOR,
    EquipmentKind.CNC_SPINDLE,
    EquipmentKind.OVEN,
    EquipmentKind.CONVEYOR,
}
PUMP = "riverside/utilities/cooling/pump-101"


def violations(start: datetime, hours: float, dt_s: float) -> set[str]:
    """Return what a healthy plant did beyond a limit or with a quality that is not good."""
    model = PlantModel(1, start)
    tags = {tag.path: tag for unit in model.equipment() for tag in unit.tags}
    edges = {path: _edges(tag) for path, tag in tags.items()}
    found: set[str] = set()
    for _ in range(int(hours * 3600 / dt_s)):
        for path, value, quality, _ in model.step(dt_s):
            low, high = edges[path]
            if quality is not Quality.GOOD or value is None or not low <= value <= high:
                found.add(f"{path} {value} {quality}")
    return found


def _edges(tag: Tag) -> tuple[float, float]:
    low, high = tag.limits.low, tag.limits.high
    return (-math.inf if low is None else low, math.inf if high is None else high)


def test_the_plant_has_eight_machines_of_five_kinds_and_more(plant: PlantModel) -> None:
    machines = [unit for unit in plant.equipment() if unit.kind in KINDS]
    assert len(machines) >= 8
    assert {unit.kind for unit in machines} == KINDS
    others = {unit.kind for unit in plant.equipment()} - KINDS
    assert others == {
        EquipmentKind.ENERGY_METER,
        EquipmentKind.NETWORK,
        EquipmentKind.SCHEDULE,
        EquipmentKind.HVAC,
    }


def test_the_plant_has_about_300_tags(plant: PlantModel) -> None:
    assert 250 <= sum(len(unit.tags) for unit in plant.equipment()) <= 310


def test_every_declaration_is_sound(plant: PlantModel) -> None:
    for unit in plant.equipment():
        check_equipment(unit)
        assert unit.name
        assert unit.nameplate
        assert len({tag.path for tag in unit.tags}) == len(unit.tags)


def test_every_tag_is_described_with_ordered_range_band_and_limits(plant: PlantModel) -> None:
    for tag in (tag for unit in plant.equipment() for tag in unit.tags):
        assert tag.description
        assert tag.unit
        edges = [tag.limits.low_low, tag.limits.low, tag.normal_low, tag.normal_high]
        edges += [tag.limits.high, tag.limits.high_high]
        known = [edge for edge in edges if edge is not None]
        assert known == sorted(known), tag.path
        assert all(tag.low <= edge <= tag.high for edge in known), tag.path


def test_tags_that_stand_for_words_name_them(plant: PlantModel) -> None:
    words = {TagKind.BINARY, TagKind.STATE}
    tags = [tag for unit in plant.equipment() for tag in unit.tags if tag.kind in words]
    assert tags
    assert all(len(tag.states) == tag.high + 1 for tag in tags)


def test_rotating_units_name_their_bearing(plant: PlantModel) -> None:
    rotating = KINDS - {EquipmentKind.OVEN}
    assert {u.nameplate["bearing"] for u in plant.equipment() if u.kind in rotating} == {"6205"}


def test_a_step_reports_every_tag_once_in_the_declared_order(plant: PlantModel) -> None:
    declared = [tag.path for unit in plant.equipment() for tag in unit.tags]
    assert [sample[0] for sample in plant.step()] == declared


def test_the_same_seed_gives_the_same_numbers_bit_for_bit(morning: datetime) -> None:
    first, second = PlantModel(5, morning), PlantModel(5, morning)
    for model in (first, second):
        model.start_scenario(PUMP, "bearing_outer_race", 0.8)
        model.start_scenario(PUMP, "sensor_stuck", 0.4)
    assert [first.step() for _ in range(200)] == [second.step() for _ in range(200)]
    assert first.capture(PUMP).tobytes() == second.capture(PUMP).tobytes()


def test_another_seed_gives_another_plant(morning: datetime) -> None:
    assert PlantModel(5, morning).step() != PlantModel(6, morning).step()


def test_a_capture_does_not_disturb_the_readings(morning: datetime) -> None:
    first, second = PlantModel(5, morning), PlantModel(5, morning)
    first.capture(PUMP)
    assert [first.step() for _ in range(20)] == [second.step() for _ in range(20)]


@pytest.mark.parametrize("dt_s", [0.0, -1.0, 5.01, 3600.0, math.nan, math.inf])
def test_a_step_too_wide_or_backwards_is_refused(plant: PlantModel, dt_s: float) -> None:
    with pytest.raises(InputError, match="dt_s"):
        plant.step(dt_s)


def test_counters_never_fall(plant: PlantModel) -> None:
    counters = {
        tag.path for unit in plant.equipment() for tag in unit.tags if tag.kind is TagKind.COUNTER
    }
    last = dict.fromkeys(counters, 0.0)
    for _ in range(600):
        for path, value, _, _ in plant.step():
            if path in counters:
                assert value is not None
                assert value >= last[path]
                last[path] = value


def test_a_healthy_hour_over_a_change_of_shift_raises_no_limit() -> None:
    assert violations(datetime(2026, 11, 18, 12, 30, tzinfo=UTC), 1, 1.0) == set()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_healthy_day_raises_no_limit() -> None:
    assert violations(datetime(2026, 11, 20, 4, 0, tzinfo=UTC), 24, 1.0) == set()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "start", [datetime(2026, 7, 17, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)]
)
def test_a_healthy_weekend_in_summer_and_winter_raises_no_limit(start: datetime) -> None:
    assert violations(start, 72, 5.0) == set()


def test_the_plant_runs_far_faster_than_real_time(plant: PlantModel) -> None:
    # 4000 times real time on an idle core of the reference machine; a loaded one is given 8x.
    began = time.process_time()
    for _ in range(500):
        plant.step()
    assert 500 / (time.process_time() - began) > 500

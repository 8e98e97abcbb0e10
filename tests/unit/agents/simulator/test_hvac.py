"""The air of the hall follows the weather, the people in it, and what is commanded."""

import math
from datetime import UTC, datetime

import pytest

from agents.simulator.hvac import relative_humidity, saturation
from agents.simulator.plant import PlantModel

HALL = "riverside/building/hall/hvac-801"
SUMMER = datetime(2026, 7, 17, 10, 0, tzinfo=UTC)
WINTER = datetime(2026, 1, 14, 3, 0, tzinfo=UTC)


def hours(model: PlantModel, count: float) -> dict[str, float]:
    for _ in range(int(count * 720)):
        model.step(5.0)
    return model.true_values(HALL)


@pytest.mark.parametrize("start", [SUMMER, WINTER])
def test_the_hall_keeps_its_set_point_by_itself(start: datetime) -> None:
    model = PlantModel(1, start)
    assert hours(model, 1)["room_temperature"] == pytest.approx(21, abs=0.5)


@pytest.mark.parametrize(("start", "stage"), [(SUMMER, 2.0), (WINTER, 1.0)])
def test_it_cools_in_summer_and_heats_in_winter(start: datetime, stage: float) -> None:
    assert hours(PlantModel(1, start), 1)["stage"] == stage


@pytest.mark.parametrize(("start", "wanted"), [(SUMMER, 19), (SUMMER, 24), (WINTER, 23)])
def test_the_hall_follows_a_new_set_point_within_two_hours(start: datetime, wanted: float) -> None:
    model = PlantModel(1, start)
    model.write(f"{HALL}/temperature_setpoint", wanted)
    assert hours(model, 2)["room_temperature"] == pytest.approx(wanted, abs=0.6)


def test_off_stops_fan_and_power_and_the_hall_drifts_to_the_weather() -> None:
    model = PlantModel(1, WINTER)
    before = model.true_values(HALL)
    model.write(f"{HALL}/mode", 0)
    after = hours(model, 2)
    assert (after["fan_feedback"], after["power"], after["stage"]) == (0, 0, 0)
    assert after["room_temperature"] < before["room_temperature"] - 3
    assert after["co2"] > before["co2"] + 80


@pytest.mark.parametrize(("mode", "start"), [(1, SUMMER), (2, WINTER)])
def test_heating_never_cools_and_cooling_never_heats(mode: int, start: datetime) -> None:
    model = PlantModel(1, start)
    model.write(f"{HALL}/mode", mode)
    assert hours(model, 1)["valve_position"] == 0


def test_a_slower_fan_takes_less_power_and_leaves_more_carbon_dioxide() -> None:
    full, slow = PlantModel(1, SUMMER), PlantModel(1, SUMMER)
    full.write(f"{HALL}/fan_speed", 100)
    slow.write(f"{HALL}/fan_speed", 30)
    fast, still = hours(full, 1), hours(slow, 1)
    assert still["power"] < fast["power"]
    assert still["co2"] > fast["co2"] + 50


def test_the_fan_reaches_its_speed_within_the_time_of_its_rule() -> None:
    model = PlantModel(1, SUMMER)
    model.write(f"{HALL}/fan_speed", 20)
    for _ in range(45):
        model.step()
    assert model.true_values(HALL)["fan_feedback"] == pytest.approx(20, abs=0.5)


def test_people_are_there_by_shift() -> None:
    busy = hours(PlantModel(1, datetime(2026, 11, 18, 8, tzinfo=UTC)), 1.5)
    calm = hours(PlantModel(1, datetime(2026, 11, 22, 1, tzinfo=UTC)), 1.5)
    assert busy["co2"] > calm["co2"] + 50


def test_no_meter_counts_the_hall(plant: PlantModel) -> None:
    assert not [
        unit for unit in plant.equipment() if "building" in unit.path and "meter" in unit.path
    ]


@pytest.mark.parametrize("celsius", [-30.0, 0.0, 21.0, 45.0])
def test_moisture_is_positive_and_humidity_at_most_100(celsius: float) -> None:
    assert math.isfinite(saturation(celsius))
    assert saturation(celsius) > 0
    assert relative_humidity(1000, celsius) == 100
    assert relative_humidity(saturation(celsius) / 2, celsius) == pytest.approx(50)


def test_saturation_agrees_with_the_steam_tables() -> None:
    assert saturation(20) == pytest.approx(14.7, abs=0.15)

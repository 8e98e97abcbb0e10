"""The machines obey their physics."""

from collections.abc import Callable
from datetime import datetime

import pytest

from agents.simulator.bearing import SKF_6205
from agents.simulator.calendar import Shift
from agents.simulator.compressor import CompressorDesign
from agents.simulator.drive import DriveDesign
from agents.simulator.dynamics import Noise, Surroundings
from agents.simulator.faults import HEALTHY
from agents.simulator.meter import Meter
from agents.simulator.motor import Motor, MotorDesign
from agents.simulator.oven import Oven, OvenDesign
from agents.simulator.plant import PlantModel
from agents.simulator.pump import PumpDesign, starvation
from agents.simulator.spindle import wear_factor
from agents.simulator.vibration import Rotor

DRIVE = DriveDesign(MotorDesign(7.5, 1460), Rotor(SKF_6205, 1460 / 60), 15.2)
PUMP = PumpDesign(DRIVE, flow=62, head=24, static_head=0.0)
DAY = Shift("early", 1.0, False, False, False, True)
AREAS = {
    "utilities": (
        "cooling/pump-101",
        "cooling/pump-102",
        "boiler/pump-201",
        "air/compressor-301",
        "air/compressor-302",
    ),
    "machining": ("milling/spindle-401", "milling/spindle-402"),
    "heat": ("ovens/oven-501", "ovens/oven-502"),
    "packaging": ("belts/conveyor-601", "belts/conveyor-602"),
}


def around(air: float = 22.0, thermal_dt_s: float = 1.0) -> Surroundings:
    return Surroundings(1.0, thermal_dt_s, DAY, air)


def test_flow_follows_speed_where_the_plant_has_no_static_head() -> None:
    assert PUMP.duty_flow(0.8, 0.85) == pytest.approx(0.8 * PUMP.duty_flow(1.0, 0.85))


def test_head_follows_the_square_of_speed() -> None:
    assert PUMP.head_at(0.5 * 62, 0.5) == pytest.approx(0.25 * PUMP.head_at(62, 1.0))


def test_rated_flow_gives_rated_head() -> None:
    assert PUMP.head_at(62, 1.0) == pytest.approx(24)
    assert PUMP.duty_flow(1.0, 0.85) == pytest.approx(62)


def test_throttling_lowers_the_flow() -> None:
    assert PUMP.duty_flow(1.0, 0.5) < PUMP.duty_flow(1.0, 0.85)


def test_a_pump_too_slow_for_its_static_head_delivers_nothing() -> None:
    high = PumpDesign(DRIVE, flow=62, head=24, static_head=20.0)
    assert high.duty_flow(0.5, 0.85) == 0.0


def test_efficiency_is_best_at_the_rated_point() -> None:
    assert PUMP.efficiency_at(62, 1.0) > PUMP.efficiency_at(40, 1.0)
    assert PUMP.efficiency_at(62, 1.0) > PUMP.efficiency_at(80, 1.0)


def test_water_boils_at_100_degrees_and_one_atmosphere() -> None:
    assert PumpDesign(DRIVE, 1, 1, 0, water=100.0).vapour_bar() == pytest.approx(1.013, rel=0.005)


def test_hot_water_leaves_less_npsh() -> None:
    hot = PumpDesign(DRIVE, flow=62, head=24, static_head=0.0, water=80.0)
    assert hot.npsh_margin(62, 1.4) < PUMP.npsh_margin(62, 1.4)


def test_a_small_npsh_margin_means_cavitation() -> None:
    assert starvation(10.0) < 1e-6
    assert starvation(-0.5) > 0.9
    assert starvation(1e9) == pytest.approx(0.0)


def test_compression_to_a_higher_pressure_needs_more_power() -> None:
    compressor = CompressorDesign(DRIVE, 6.4, 3.0)
    assert compressor.stage_power_kw(7.4) > compressor.stage_power_kw(6.6)
    assert compressor.stage_power_kw(7.0, 60.0) > compressor.stage_power_kw(7.0)


def test_a_worn_tool_needs_more_torque() -> None:
    assert wear_factor(0) == 1.0
    assert wear_factor(300) > wear_factor(150) > 1.1


@pytest.mark.parametrize(("torque", "hotter"), [(20.0, 30.0), (40.0, 49.0)])
def test_more_load_makes_a_motor_hotter(torque: float, hotter: float) -> None:
    cool, hot = Motor(DRIVE.motor), Motor(DRIVE.motor)
    cool.step(torque, 1460, around(thermal_dt_s=1e6))
    hot.step(hotter, 1460, around(thermal_dt_s=1e6))
    assert hot.winding > cool.winding + 3
    assert hot.power_kw > cool.power_kw
    assert hot.current > cool.current


def test_a_motor_at_rated_load_heats_by_its_rated_rise() -> None:
    motor = Motor(DRIVE.motor)
    motor.step(DRIVE.motor.torque, 1460, around(22.0, 1e6))
    assert motor.winding == pytest.approx(22 + 62, abs=0.5)
    assert motor.power_kw == pytest.approx(7.5 / 0.926, rel=0.01)


def test_a_stopped_motor_draws_nothing_and_cools_to_the_hall() -> None:
    motor = Motor(DRIVE.motor)
    motor.step(DRIVE.motor.torque, 1460, around(22.0, 1e6))
    motor.step(0.0, 0.0, around(18.0, 1e6))
    assert (motor.power_kw, motor.current) == (0.0, 0.0)
    assert motor.winding == pytest.approx(18.0)


def test_an_oven_at_rest_uses_what_it_loses() -> None:
    design = OvenDesign(zone_kw=18, set_points=(185.0,))
    oven = Oven(design, Noise(1, "oven"))
    night = Surroundings(1.0, 1.0, Shift("night", 0.0, True, False, False, False), 22.0)
    power = 0.0
    for _ in range(3000):
        power = oven.step(night, HEALTHY)["power"]
    lost_kw = 3 * design.loss_w_k * (185 - 22) / 1000
    assert power - design.fan_kw == pytest.approx(lost_kw, rel=0.03)


@pytest.mark.parametrize("area", list(AREAS))
def test_a_meter_shows_the_sum_of_its_units(plant: PlantModel, area: str) -> None:
    meter = f"riverside/{area}/energy/meter-{area}"
    before = plant.true_values(meter)["energy"]
    energy = 0.0
    for _ in range(120):
        plant.step()
        powers = [plant.true_values(f"riverside/{area}/{unit}")["power"] for unit in AREAS[area]]
        assert plant.true_values(meter)["power"] == pytest.approx(sum(powers))
        energy += sum(powers) / 3600
    assert plant.true_values(meter)["energy"] - before == pytest.approx(energy)


def test_a_meter_with_nothing_behind_it_shows_power_factor_one() -> None:
    values = Meter([], 10.0, Noise(1, "m")).step(around(), HEALTHY)
    assert (values["power"], values["power_factor"]) == (0.0, 1.0)


def test_apparent_power_is_never_below_active_power(plant: PlantModel) -> None:
    plant.step()
    for area in AREAS:
        values = plant.true_values(f"riverside/{area}/energy/meter-{area}")
        assert values["apparent_power"] >= values["power"]


def test_a_busy_shift_asks_more_of_the_pumps_than_a_weekend_night(
    morning: datetime, means: Callable[[PlantModel, str, int], dict[str, float]]
) -> None:
    pump = "riverside/utilities/cooling/pump-101"
    busy = means(PlantModel(1, morning), pump, 600)
    calm = means(PlantModel(1, morning.replace(day=22, hour=1)), pump, 600)
    assert busy["flow"] > 1.1 * calm["flow"]
    assert busy["power"] > 1.2 * calm["power"]


def test_the_receiver_swings_between_load_and_unload(plant: PlantModel) -> None:
    states: set[float] = set()
    pressures: list[float] = []
    for _ in range(900):
        plant.step()
        values = plant.true_values("riverside/utilities/air/compressor-301")
        states.add(values["state"])
        pressures.append(values["receiver_pressure"])
    assert {1.0, 2.0} <= states
    assert 6.4 < min(pressures) < max(pressures) < 7.6


def test_belts_and_spindles_rest_in_the_break(morning: datetime) -> None:
    model = PlantModel(1, morning.replace(hour=9, minute=15))
    for _ in range(60):
        model.step()
    assert model.true_values("riverside/packaging/belts/conveyor-601")["speed"] == 0.0
    assert model.true_values("riverside/machining/milling/spindle-401")["torque"] == 0.0
    assert model.true_values("riverside/utilities/cooling/pump-101")["speed"] > 1000

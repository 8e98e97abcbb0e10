"""The demo plant obeys its set tags, and refuses what an engineer would not allow."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from agents.simulator.plant import PlantModel
from app.core.command_check import bounds
from app.core.equipment import EquipmentKind, Tag
from app.core.errors import InputError
from app.core.reading import Quality
from app.core.write_rule import PEOPLE, CommandSource, Confirm

PUMP = "riverside/utilities/cooling/pump-101"
FEED = "riverside/utilities/boiler/pump-201"
COMPRESSOR = "riverside/utilities/air/compressor-301"
SPINDLE = "riverside/machining/milling/spindle-401"
OVEN = "riverside/heat/ovens/oven-501"
BELT = "riverside/packaging/belts/conveyor-601"
HALL = "riverside/building/hall/hvac-801"
DRIVES = [PUMP, FEED, COMPRESSOR, SPINDLE, BELT]
RUN_DOWN_S = 30
Means = Callable[[PlantModel, str, int], dict[str, float]]


def run(model: PlantModel, seconds: int) -> None:
    for _ in range(seconds):
        model.step()


def edges(tag: Tag) -> tuple[float, float]:
    found = bounds(tag, tag.write) if tag.write else None
    assert found
    return found


def set_tags(model: PlantModel) -> dict[str, Tag]:
    return {tag.path: tag for unit in model.equipment() for tag in unit.tags if tag.write}


@pytest.mark.parametrize(
    ("tag", "value", "said"),
    [
        (f"{PUMP}/speed_limit", math.nan, "value: nan is not between 65 and 105 %"),
        (f"{PUMP}/speed_limit", math.inf, "value: inf is not between 65 and 105 %"),
        (f"{PUMP}/speed_limit", -math.inf, "value: -inf is not between"),
        (f"{PUMP}/speed_limit", 64.9, "value: 64.9 is not between 65 and 105 %"),
        (f"{PUMP}/speed_limit", 106, "value: 106 is not between 65 and 105 %"),
        (f"{FEED}/speed_limit", 70, "value: 70 is not between 75 and 105 %"),
        (f"{PUMP}/valve_limit", 0, "value: 0 is not between 40 and 100 %"),
        (f"{PUMP}/run_command", 0.5, "choose one of 0 (stop), 1 (run)"),
        (f"{PUMP}/run_command", 2, "value: 2 is not between 0 and 1"),
        (f"{HALL}/mode", 1.5, "choose one of 0 (off), 1 (heat), 2 (cool), 3 (auto)"),
        (f"{OVEN}/set_point", 211, "value: 211 is not between 175 and 210 °C"),
        (f"{OVEN}/set_point", 0, "value: 0 is not between"),
        (f"{PUMP}/flow", 10, "choose one of speed_limit, valve_limit, run_command"),
        (f"{PUMP}/running", 0, "tag: "),
        (f"{PUMP}/speed", 0, "is no set tag of its unit"),
        (f"{PUMP}/", 1, "is no set tag of its unit"),
        (PUMP, 1, "is no tag of the demo plant"),
        ("speed_limit", 80, "is no tag of the demo plant"),
        ("", 80, "is no tag of the demo plant"),
        (f"{PUMP}x/speed_limit", 80, "is no tag of the demo plant"),
        ("riverside/heat/energy/meter-heat/power", 1, "none, it has no set tags"),
        ("riverside/heat/plan/schedule-heat/energy", 1, "is no tag of the demo plant"),
        (PUMP + "/" + "x" * 5000, 1, "is no set tag"),
    ],
)
def test_what_may_not_be_written_is_refused_and_changes_nothing(
    plant: PlantModel, tag: str, value: float, said: str
) -> None:
    before = plant.true_values(PUMP)
    with pytest.raises(InputError) as caught:
        plant.write(tag, value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300
    assert plant.commanded() == {}
    assert plant.true_values(PUMP) == before


@pytest.mark.parametrize("tag", [f"{PUMP}/flow", f"{PUMP}/nothing", "nothing", ""])
def test_what_is_no_set_tag_has_no_commanded_value(plant: PlantModel, tag: str) -> None:
    with pytest.raises(InputError, match="tag: "):
        plant.read(tag)


def test_what_is_written_is_read_back_and_reported(plant: PlantModel) -> None:
    assert plant.read(f"{PUMP}/speed_limit") == 105
    assert plant.write(f"{PUMP}/speed_limit", 80) == 80
    assert plant.read(f"{PUMP}/speed_limit") == 80
    samples = {sample[0]: sample for sample in plant.step()}
    assert samples[f"{PUMP}/speed_limit"][1:3] == (80, Quality.GOOD)
    assert plant.read("riverside/utilities/cooling/pump-102/speed_limit") == 105


@pytest.mark.parametrize("unit", DRIVES)
def test_a_stopped_machine_comes_to_rest_within_seconds(plant: PlantModel, unit: str) -> None:
    plant.write(f"{unit}/run_command", 0)
    run(plant, RUN_DOWN_S)
    values = plant.true_values(unit)
    assert (values["speed"], values["torque"], values["power"]) == (0, 0, 0)
    assert values["vibration_velocity"] < 0.05
    assert values["vibration_acceleration"] < 0.05
    assert values.get("running", 0) == values.get("drive_on", 0) == 0
    assert values.get("state", 0) in {0, 2}  # what jams a belt still does when it stands


@pytest.mark.parametrize(
    ("unit", "tag"),
    [(PUMP, "flow"), (COMPRESSOR, "air_flow"), (SPINDLE, "feed_rate"), (BELT, "throughput")],
)
def test_a_stopped_machine_moves_nothing(plant: PlantModel, unit: str, tag: str) -> None:
    plant.write(f"{unit}/run_command", 0)
    run(plant, RUN_DOWN_S)
    assert plant.true_values(unit)[tag] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("unit", DRIVES)
def test_a_stopped_machine_cools(plant: PlantModel, unit: str) -> None:
    before = plant.true_values(unit)
    plant.write(f"{unit}/run_command", 0)
    run(plant, 600)
    after = plant.true_values(unit)
    for tag in ("winding_temperature", "bearing_temperature"):
        assert after["ambient_temperature"] - 0.1 < after[tag] < before[tag]


@pytest.mark.parametrize("unit", [PUMP, FEED, BELT])
def test_a_restarted_machine_works_as_before(plant: PlantModel, unit: str) -> None:
    before = plant.true_values(unit)["speed"]
    plant.write(f"{unit}/run_command", 0)
    run(plant, RUN_DOWN_S)
    plant.write(f"{unit}/run_command", 1)
    run(plant, 60)
    assert plant.true_values(unit)["speed"] == pytest.approx(before, rel=0.03)
    assert plant.commanded() == {}


def test_a_restarted_compressor_fills_its_receiver_again(plant: PlantModel) -> None:
    plant.write(f"{COMPRESSOR}/run_command", 0)
    run(plant, 300)
    low = plant.true_values(COMPRESSOR)["receiver_pressure"]
    plant.write(f"{COMPRESSOR}/run_command", 1)
    run(plant, 900)
    assert low < 5.8
    assert plant.true_values(COMPRESSOR)["receiver_pressure"] > 6.5


def test_a_stopped_spindle_takes_its_program_up_where_it_was(plant: PlantModel) -> None:
    plant.write(f"{SPINDLE}/run_command", 0)
    run(plant, RUN_DOWN_S)
    parts = plant.true_values(SPINDLE)["parts"]
    run(plant, 1200)
    assert plant.true_values(SPINDLE)["parts"] == parts
    plant.write(f"{SPINDLE}/run_command", 1)
    run(plant, 900)
    assert plant.true_values(SPINDLE)["parts"] > parts


@pytest.mark.parametrize(("unit", "limit"), [(PUMP, 80), (FEED, 80), (BELT, 60), (SPINDLE, 50)])
def test_no_machine_turns_faster_than_its_limit(plant: PlantModel, unit: str, limit: float) -> None:
    rated = {each.path: each.nameplate for each in plant.equipment()}[unit]["rated_speed_rpm"]
    plant.write(f"{unit}/speed_limit", limit)
    run(plant, 40)
    speeds: list[float] = []
    for _ in range(200):
        plant.step()
        speeds.append(plant.true_values(unit)["speed"])
    assert max(speeds) == pytest.approx(limit / 100 * float(rated), rel=0.005)


@pytest.mark.parametrize(
    ("unit", "tags"),
    [
        (PUMP, ("flow", "discharge_pressure", "power", "vibration_velocity", "torque")),
        (FEED, ("flow", "discharge_pressure", "power", "vibration_velocity", "torque")),
        (COMPRESSOR, ("speed", "vibration_velocity")),  # it gives what is drawn, loaded longer
        (SPINDLE, ("feed_rate", "power", "vibration_velocity")),
        (BELT, ("belt_speed", "throughput", "power", "vibration_velocity")),
    ],
)
def test_what_a_machine_does_follows_its_speed_limit(
    morning: datetime, means: Means, unit: str, tags: tuple[str, ...]
) -> None:
    free, capped = PlantModel(1, morning), PlantModel(1, morning)
    capped.write(f"{unit}/speed_limit", 75 if unit != SPINDLE else 45)
    run(free, 30)
    run(capped, 30)
    usual, seen = means(free, unit, 600), means(capped, unit, 600)
    assert {tag: seen[tag] / usual[tag] < 0.95 for tag in tags} == dict.fromkeys(tags, True)


def test_a_slower_compressor_delivers_less_while_it_is_loaded(plant: PlantModel) -> None:
    plant.write(f"{COMPRESSOR}/speed_limit", 60)
    flows: list[float] = []
    for _ in range(600):
        plant.step()
        flows.append(plant.true_values(COMPRESSOR)["air_flow"])
    assert max(flows) == pytest.approx(0.6 * 6.4, rel=0.05)


def test_a_pump_gives_less_through_a_closing_valve(plant: PlantModel) -> None:
    before = plant.true_values(PUMP)
    plant.write(f"{PUMP}/valve_limit", 50)
    run(plant, 30)
    after = plant.true_values(PUMP)
    assert after["valve_position"] == 50
    assert after["flow"] < 0.8 * before["flow"]
    assert after["discharge_pressure"] > before["discharge_pressure"]
    assert after["npsh_margin"] > before["npsh_margin"]


def test_a_slower_program_takes_longer(morning: datetime) -> None:
    free, capped = PlantModel(1, morning), PlantModel(1, morning)
    capped.write(f"{SPINDLE}/speed_limit", 40)
    first = free.true_values(SPINDLE)["parts"]
    run(free, 2400)
    run(capped, 2400)
    made = free.true_values(SPINDLE)["parts"] - first
    assert 0 < capped.true_values(SPINDLE)["parts"] - first < made


def test_an_oven_goes_to_its_new_set_point_slowly(plant: PlantModel) -> None:
    plant.write(f"{OVEN}/set_point", 190)
    run(plant, 60)
    assert 187 < plant.true_values(OVEN)["set_point"] < 189
    run(plant, 60)
    assert plant.true_values(OVEN)["set_point"] == pytest.approx(190)
    run(plant, 1800)
    assert plant.true_values(OVEN)["zone2_temperature"] == pytest.approx(190, abs=3)


def test_the_next_recipe_of_an_oven_ends_what_was_commanded(plant: PlantModel) -> None:
    plant.write(f"{OVEN}/set_point", 191)
    deadline = plant.now + timedelta(days=3)
    while plant.commanded():
        plant.step(5.0)
        assert plant.now < deadline
    assert plant.read(f"{OVEN}/set_point") in {185, 195, 205}


@pytest.mark.parametrize("unit", [*DRIVES, OVEN, HALL])
def test_every_extreme_command_keeps_every_value_finite(plant: PlantModel, unit: str) -> None:
    tags = [tag for path, tag in set_tags(plant).items() if path.startswith(f"{unit}/")]
    assert tags
    for at in range(400):
        for tag in tags:
            plant.write(tag.path, edges(tag)[at // 20 % 2])
        plant.step(5.0)
        assert all(map(math.isfinite, plant.true_values(unit).values()))
        assert plant.true_values(unit).get("power", 0) >= 0


@pytest.mark.parametrize("unit", DRIVES)
def test_a_waveform_of_a_standing_machine_is_quiet(plant: PlantModel, unit: str) -> None:
    plant.write(f"{unit}/run_command", 0)
    run(plant, RUN_DOWN_S)
    assert plant.speed_rpm(unit) == 0
    assert abs(plant.capture(unit, 1024)).max() < 0.2


@pytest.mark.parametrize("scenario", ["imbalance", "bearing_outer_race", "overheating"])
def test_a_fault_of_a_standing_machine_does_not_show(plant: PlantModel, scenario: str) -> None:
    plant.start_scenario(PUMP, scenario, 1.0)
    plant.write(f"{PUMP}/run_command", 0)
    run(plant, RUN_DOWN_S)
    assert plant.true_values(PUMP)["vibration_velocity"] < 0.05


def test_a_unit_whose_sensors_are_cut_off_still_obeys(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_dropout", 1.0)
    assert plant.write(f"{PUMP}/run_command", 0) == 0
    run(plant, RUN_DOWN_S)
    assert plant.true_values(PUMP)["speed"] == 0


def test_what_was_commanded_is_taken_up_at_rest(plant: PlantModel, morning: datetime) -> None:
    plant.write(f"{PUMP}/run_command", 0)
    plant.write(f"{HALL}/temperature_setpoint", 24)
    later = PlantModel(1, morning)
    assert later.take_up(plant.commanded()) == []
    assert later.commanded() == plant.commanded()
    later.step()
    assert later.true_values(PUMP)["speed"] == 0
    assert later.true_values(HALL)["room_temperature"] == pytest.approx(24, abs=0.5)


def test_what_is_taken_up_makes_no_goods(morning: datetime) -> None:
    later = PlantModel(1, morning)
    later.take_up({f"{PUMP}/speed_limit": 80})
    later.step()
    tallies = later.tallies().values()
    assert max(tally.production for tally in tallies) < 5
    assert max(tally.energy for tally in tallies) < 0.1


def test_what_no_longer_fits_is_named_and_left_out(morning: datetime) -> None:
    later = PlantModel(1, morning)
    problems = later.take_up(
        {f"{PUMP}/speed_limit": 999.0, f"{PUMP}/gone": 1.0, f"{FEED}/speed_limit": 80.0}
    )
    assert [problem.split(":")[0] for problem in problems] == [
        f"{PUMP}/speed_limit",
        f"{PUMP}/gone",
    ]
    assert later.commanded() == {f"{FEED}/speed_limit": 80.0}


def test_what_stops_a_drive_has_no_interlock_and_shows_on_a_measured_tag(plant: PlantModel) -> None:
    rules = {path: tag.write for path, tag in set_tags(plant).items() if "run_command" in path}
    assert len(rules) == 9
    assert {rule.interlocks for rule in rules.values() if rule} == {()}
    assert {rule.verify_tag for rule in rules.values() if rule} == {"running", "drive_on"}


def test_two_persons_stop_the_feed_pump_and_one_any_other(plant: PlantModel) -> None:
    rules = {path: tag.write for path, tag in set_tags(plant).items() if "run_command" in path}
    two = {path for path, rule in rules.items() if rule and rule.confirm is Confirm.TWO_PERSONS}
    assert two == {f"{FEED}/run_command"}
    assert {rule.confirm for rule in rules.values() if rule} == {
        Confirm.SELF,
        Confirm.TWO_PERSONS,
    }


def test_only_the_comfort_of_a_hall_may_be_set_by_message(plant: PlantModel) -> None:
    rules = {path: tag.write for path, tag in set_tags(plant).items()}
    by_message = {path for path, rule in rules.items() if rule and set(rule.sources) > set(PEOPLE)}
    assert {path.rpartition("/")[0] for path in by_message} == {HALL}
    assert all(
        CommandSource.MQTT not in rule.sources
        for path, rule in rules.items()
        if rule and path not in by_message
    )


def test_every_kind_of_machine_can_be_commanded(plant: PlantModel) -> None:
    units = {path.rpartition("/")[0] for path in set_tags(plant)}
    kinds = {unit.kind for unit in plant.equipment() if unit.path in units}
    assert kinds == {
        EquipmentKind.MOTOR_PUMP,
        EquipmentKind.COMPRESSOR,
        EquipmentKind.CNC_SPINDLE,
        EquipmentKind.OVEN,
        EquipmentKind.CONVEYOR,
        EquipmentKind.HVAC,
    }


@pytest.mark.parametrize("path", [f"{FEED}/valve_limit", f"{HALL}/fan_speed"])
def test_an_echo_stays_within_the_tolerance_of_its_rule(plant: PlantModel, path: str) -> None:
    plant.write(path, 77.7777)
    run(plant, 30)
    tag = set_tags(plant)[path]
    assert tag.write
    shown = {sample[0]: sample[1] for sample in plant.step()}
    value = shown[f"{tag.equipment}/{tag.write.verify_tag or tag.name}"]
    assert value == pytest.approx(77.7777, abs=tag.write.tolerance)

"""Broken sensors: what the control system receives."""

import pytest

from agents.simulator.plant import PlantModel
from agents.simulator.sensors import Sample
from app.core.errors import InputError
from app.core.reading import Quality, Reason

PUMP = "riverside/utilities/cooling/pump-101"
FLOW = PUMP + "/flow"
ECHOES = {"speed_limit", "valve_limit", "run_command"}
SPINDLE = "riverside/machining/milling/spindle-401"


def flows(model: PlantModel, seconds: int, tag: str = FLOW) -> list[Sample]:
    return [sample for _ in range(seconds) for sample in model.step() if sample[0] == tag]


def measured(samples: list[Sample]) -> list[Sample]:
    """Leave out what the controllers only echo."""
    return [sample for sample in samples if sample[0].rpartition("/")[2] not in ECHOES]


def test_a_stuck_sensor_repeats_its_last_value_as_good(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_stuck", 1.0, "flow")
    seen = flows(plant, 60)
    assert len({value for _, value, _, _ in seen}) == 1
    assert {(quality, reason) for _, _, quality, reason in seen} == {(Quality.GOOD, Reason.NONE)}


def test_a_loose_stuck_sensor_moves_now_and_then(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_stuck", 0.2, "flow")
    assert 2 < len({value for _, value, _, _ in flows(plant, 300)}) < 60


def test_a_stuck_sensor_moves_again_when_stopped(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_stuck", 1.0, "flow")
    flows(plant, 10)
    plant.stop_scenario(PUMP)
    assert len({value for _, value, _, _ in flows(plant, 10)}) > 5


def test_a_sensor_stuck_a_second_time_holds_the_newer_value(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_stuck", 1.0, "flow")
    first = flows(plant, 3)[-1][1]
    plant.stop_scenario(PUMP)
    flows(plant, 200)
    plant.start_scenario(PUMP, "sensor_stuck", 1.0, "flow")
    assert flows(plant, 3)[-1][1] != first


def test_a_biased_sensor_reads_too_high_and_the_process_does_not_care(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_bias", 1.0, "flow")
    seen = flows(plant, 300)[-1][1]
    true = plant.true_values(PUMP)["flow"]
    assert seen == pytest.approx(true + 0.15 * 62 * 1.4, rel=0.03)


def test_a_weak_dropout_reports_the_lost_connection(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_dropout", 0.4)
    seen = [sample for sample in measured(plant.step()) if sample[0].startswith(PUMP)]
    assert len(seen) > 10
    assert {sample[1:] for sample in seen} == {(None, Quality.BAD, Reason.COMM_LOST)}


def test_a_strong_dropout_is_silence(plant: PlantModel) -> None:
    before = len(plant.step())
    plant.start_scenario(PUMP, "sensor_dropout", 0.5)
    after = plant.step()
    assert not [sample for sample in measured(after) if sample[0].startswith(PUMP)]
    assert len(after) == before - 18


def test_a_dropout_leaves_the_echo_of_set_tags_good(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_dropout", 1.0)
    seen = [sample for sample in plant.step() if sample[0].startswith(PUMP)]
    assert {sample[0].rpartition("/")[2] for sample in seen} == ECHOES
    assert {sample[2] for sample in seen} == {Quality.GOOD}


@pytest.mark.parametrize("scenario", ["sensor_stuck", "sensor_bias", "sensor_dropout"])
def test_a_set_tag_has_no_sensor_to_break(plant: PlantModel, scenario: str) -> None:
    with pytest.raises(InputError, match="is no sensor of"):
        plant.start_scenario(PUMP, scenario, 0.5, "speed_limit")


def test_a_dropout_of_one_tag_leaves_its_neighbours(plant: PlantModel) -> None:
    before = len(plant.step())
    plant.start_scenario(PUMP, "sensor_dropout", 1.0, "flow")
    assert len(plant.step()) == before - 1


def test_dropout_and_stuck_together_are_no_contradiction(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "sensor_stuck", 1.0, "flow")
    plant.start_scenario(PUMP, "sensor_dropout", 0.3, "flow")
    assert flows(plant, 1)[0][1:] == (None, Quality.BAD, Reason.COMM_LOST)


def test_a_value_beyond_the_range_is_cut_and_uncertain(plant: PlantModel) -> None:
    tag = SPINDLE + "/tool_wear"
    plant.start_scenario(SPINDLE, "sensor_bias", 1.0, "tool_wear")
    declared = next(one for unit in plant.equipment() for one in unit.tags if one.path == tag)
    assert all((sample[1] or 0) <= declared.high for sample in flows(plant, 60, tag))


def test_values_carry_one_digit_more_than_the_screen_shows(plant: PlantModel) -> None:
    (sample,) = flows(plant, 1)
    assert sample[1] == round(sample[1] or 0.0, 2)

"""Starting and stopping: what is refused, and what the truth says."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from agents.simulator.plant import PlantModel
from app.core.errors import InputError, NotFoundError
from app.core.truth import Truth

PUMP = "riverside/utilities/cooling/pump-101"
OVEN = "riverside/heat/ovens/oven-501"
TAP = "riverside/control/network/tap-701"
METER = "riverside/heat/energy/meter-heat"


@pytest.mark.parametrize("unit", ["", "pump-101", PUMP + "/", "riverside/x/y/z", "\0", "x" * 9999])
def test_an_unknown_unit_is_refused_with_the_choices(plant: PlantModel, unit: str) -> None:
    with pytest.raises(InputError, match=r"equipment: .*choose one of riverside/"):
        plant.start_scenario(unit, "imbalance", 0.5)
    with pytest.raises(InputError, match="equipment"):
        plant.stop_scenario(unit)


@pytest.mark.parametrize("scenario", ["", "fire", "Imbalance", "imbalance ", "x" * 9999])
def test_an_unknown_scenario_is_refused_with_the_choices(plant: PlantModel, scenario: str) -> None:
    with pytest.raises(InputError, match=r"scenario: .* is unknown; choose one of bearing_outer"):
        plant.start_scenario(PUMP, scenario, 0.5)


@pytest.mark.parametrize(
    ("unit", "scenario"),
    [
        (PUMP, "tool_wear"),
        (PUMP, "heating_element_loss"),
        (PUMP, "network_scan"),
        (OVEN, "cavitation"),
        (OVEN, "imbalance"),
        (TAP, "overheating"),
        (METER, "network_scan"),
    ],
)
def test_a_scenario_of_another_kind_is_refused(plant: PlantModel, unit: str, scenario: str) -> None:
    with pytest.raises(InputError, match=r"scenario: .* does not apply to .*sensor_stuck"):
        plant.start_scenario(unit, scenario, 0.5)
    assert plant.truth() == []


@pytest.mark.parametrize("severity", [0.0, -0.1, 1.0001, math.nan, math.inf, -math.inf])
def test_a_severity_out_of_bounds_is_refused(plant: PlantModel, severity: float) -> None:
    with pytest.raises(InputError, match="severity"):
        plant.start_scenario(PUMP, "imbalance", severity)


def test_only_sensor_scenarios_take_a_tag(plant: PlantModel) -> None:
    with pytest.raises(InputError, match="tag: only sensor scenarios"):
        plant.start_scenario(PUMP, "imbalance", 0.5, "flow")


@pytest.mark.parametrize("tag", ["nothing", OVEN + "/door", "x/flow", "flow/"])
def test_an_unknown_tag_is_refused_with_the_choices(plant: PlantModel, tag: str) -> None:
    with pytest.raises(InputError, match=r"tag: .*choose one of running, flow"):
        plant.start_scenario(PUMP, "sensor_stuck", 0.5, tag)


@pytest.mark.parametrize("tag", ["flow", PUMP + "/flow"])
def test_a_tag_is_named_by_itself_or_by_its_path(plant: PlantModel, tag: str) -> None:
    assert plant.start_scenario(PUMP, "sensor_stuck", 0.5, tag).tag == PUMP + "/flow"


def test_what_does_not_run_cannot_be_stopped(plant: PlantModel) -> None:
    with pytest.raises(NotFoundError, match='"imbalance" is not running'):
        plant.stop_scenario(PUMP, "imbalance")
    with pytest.raises(NotFoundError, match="No scenario is running"):
        plant.stop_scenario(PUMP)


def test_stopping_names_the_scenario_rightly(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "imbalance", 0.5)
    with pytest.raises(InputError, match="tool_wear"):
        plant.stop_scenario(PUMP, "tool_wear")
    with pytest.raises(NotFoundError):
        plant.stop_scenario(PUMP, "misalignment")
    assert [truth.scenario for truth in plant.truth()] == ["imbalance"]


def test_the_truth_tells_what_runs(plant: PlantModel, morning: datetime) -> None:
    told = plant.start_scenario(PUMP, "imbalance", 0.5)
    assert told == Truth(PUMP, "imbalance", 0.5, morning, True, "", {"imbalance": 0.5})
    assert plant.truth() == [told]


def test_two_scenarios_run_on_one_unit(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "imbalance", 0.5)
    told = plant.start_scenario(PUMP, "sensor_bias", 0.2)
    assert told.running == {"imbalance": 0.5, "sensor_bias": 0.2}
    assert [truth.active for truth in plant.stop_scenario(PUMP)] == [False, False]
    assert plant.truth() == []


def test_the_truth_of_a_stop_names_what_still_runs(plant: PlantModel) -> None:
    plant.start_scenario(PUMP, "imbalance", 0.5)
    plant.start_scenario(PUMP, "cavitation", 0.9)
    (told,) = plant.stop_scenario(PUMP, "imbalance")
    assert (told.active, told.running) == (False, {"cavitation": 0.9})


def test_starting_again_changes_the_severity_and_keeps_the_age(plant: PlantModel) -> None:
    first = plant.start_scenario(PUMP, "imbalance", 0.5)
    plant.step()
    again = plant.start_scenario(PUMP, "imbalance", 0.9)
    assert (again.started_at, again.severity) == (first.started_at, 0.9)
    assert len(plant.truth()) == 1


def test_a_restored_scenario_goes_on_where_it_was(morning: datetime) -> None:
    first = PlantModel(1, morning)
    first.start_scenario(PUMP, "bearing_outer_race", 1.0)
    first.skip_to(morning + timedelta(seconds=500))
    first.step()
    second = PlantModel(1, morning + timedelta(seconds=500))
    second.restore(first.truth())
    second.step()
    assert second.truth() == first.truth()
    name = "vibration_acceleration"
    restored = second.true_values(PUMP)[name]
    assert restored == pytest.approx(first.true_values(PUMP)[name], rel=0.15)


def test_a_truth_of_another_plant_is_not_restored(plant: PlantModel) -> None:
    alien = Truth("other/a/b/c", "imbalance", 0.5, datetime(2026, 1, 1, tzinfo=UTC), True)
    with pytest.raises(InputError, match="equipment"):
        plant.restore([alien])

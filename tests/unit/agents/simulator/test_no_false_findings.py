"""A machine that was told to stop or to slow down is not taken for a broken one."""

import pytest

from agents.base.model import MODELS, load_model
from agents.maintenance.averages import Averages, average, is_judgeable
from agents.maintenance.classes import modes_of
from agents.maintenance.features import rated_figures
from agents.maintenance.forest import Forest
from agents.maintenance.physics import PHYSICS
from agents.maintenance.watch import Belief, watch
from agents.simulator.plant import PlantModel

STEP_S = 5.0
BEFORE_S, AFTER_S = 900, 2400


@pytest.fixture(scope="module")
def forest() -> Forest:
    return Forest(load_model(MODELS / "maintenance"))


def believed(plant: PlantModel, forest: Forest, path: str, tag: str, value: float) -> set[str]:
    """Return every failure mode the shipped model believes in before and after a command."""
    unit = next(each for each in plant.equipment() if each.path == path)
    physics, rated = PHYSICS[unit.kind], rated_figures(unit.kind, unit.nameplate)
    assert rated
    thresholds = {mode: forest.thresholds[mode] for mode in modes_of(unit.kind)}
    means, beliefs, found = Averages(), dict[str, Belief](), set[str]()
    for second in range(0, BEFORE_S + AFTER_S, int(STEP_S)):
        if second == BEFORE_S:
            plant.write(f"{path}/{tag}", value)
        seen = {sample[0]: sample[1] or 0.0 for sample in plant.step(STEP_S)}
        values = {name: seen[f"{path}/{name}"] for name in physics.tags}
        means = average(means, physics.signals(values, rated), STEP_S)
        if is_judgeable(means):
            probabilities = forest.predict(unit.kind, physics.features(means))
            beliefs = watch(beliefs, probabilities, thresholds, STEP_S)
            found |= {mode for mode, belief in beliefs.items() if belief.is_active}
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unit", "tag", "value"),
    [
        ("utilities/cooling/pump-101", "run_command", 0),
        ("utilities/cooling/pump-101", "speed_limit", 65),
        ("utilities/cooling/pump-101", "valve_limit", 50),
        ("utilities/boiler/pump-201", "run_command", 0),
        ("utilities/boiler/pump-201", "speed_limit", 75),
        ("utilities/air/compressor-301", "run_command", 0),
        ("utilities/air/compressor-301", "speed_limit", 70),
        ("machining/milling/spindle-401", "run_command", 0),
        ("machining/milling/spindle-401", "speed_limit", 50),
        ("packaging/belts/conveyor-601", "run_command", 0),
        ("packaging/belts/conveyor-601", "speed_limit", 50),
        ("heat/ovens/oven-501", "set_point", 195),
    ],
)
def test_a_commanded_machine_is_not_taken_for_a_broken_one(
    plant: PlantModel, forest: Forest, unit: str, tag: str, value: float
) -> None:
    assert believed(plant, forest, f"riverside/{unit}", tag, value) == set()

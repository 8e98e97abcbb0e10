"""Each scenario changes what it should, on its own unit and nowhere else."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from agents.simulator.faults import SPECS, growth, specs_for
from agents.simulator.plant import PlantModel
from app.core.equipment import EquipmentKind

PUMP = "riverside/utilities/cooling/pump-101"
COMPRESSOR = "riverside/utilities/air/compressor-301"
SPINDLE = "riverside/machining/milling/spindle-401"
OVEN = "riverside/heat/ovens/oven-501"
BELT = "riverside/packaging/belts/conveyor-601"
TAP = "riverside/control/network/tap-701"
MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
Means = Callable[[PlantModel, str, int], dict[str, float]]

# Unit, scenario, tag that must move, factor it must at least reach (below 1: must fall to).
EFFECTS = [
    (PUMP, "bearing_outer_race", "vibration_kurtosis", 1.8),
    (PUMP, "bearing_outer_race", "vibration_acceleration", 1.8),
    (PUMP, "bearing_inner_race", "vibration_kurtosis", 1.8),
    (PUMP, "bearing_inner_race", "vibration_crest", 1.3),
    (PUMP, "imbalance", "vibration_velocity", 3.0),
    (PUMP, "misalignment", "vibration_velocity", 2.0),
    (PUMP, "cavitation", "suction_pressure", 0.6),
    (PUMP, "cavitation", "discharge_pressure", 0.85),
    (PUMP, "cavitation", "flow", 0.95),
    (PUMP, "cavitation", "vibration_acceleration", 1.8),
    (PUMP, "overheating", "winding_temperature", 1.15),
    (COMPRESSOR, "bearing_outer_race", "vibration_acceleration", 1.3),
    (COMPRESSOR, "bearing_inner_race", "vibration_crest", 1.15),
    (COMPRESSOR, "imbalance", "vibration_velocity", 3.0),
    (COMPRESSOR, "misalignment", "vibration_velocity", 2.0),
    (COMPRESSOR, "overheating", "discharge_temperature", 1.2),
    (COMPRESSOR, "overheating", "oil_temperature", 1.2),
    (SPINDLE, "bearing_outer_race", "vibration_acceleration", 1.2),
    (SPINDLE, "bearing_inner_race", "vibration_kurtosis", 1.1),
    (SPINDLE, "imbalance", "vibration_velocity", 2.0),
    (SPINDLE, "misalignment", "vibration_velocity", 1.6),
    (SPINDLE, "tool_wear", "tool_wear", 1.5),
    (SPINDLE, "tool_wear", "torque", 1.05),
    (SPINDLE, "tool_wear", "cutting_force", 1.05),
    (SPINDLE, "overheating", "winding_temperature", 1.15),
    (OVEN, "overheating", "zone2_temperature", 1.05),
    (OVEN, "overheating", "zone2_duty", 0.2),
    (OVEN, "heating_element_loss", "zone2_temperature", 0.97),
    (OVEN, "heating_element_loss", "zone2_current", 0.8),
    (OVEN, "heating_element_loss", "zone2_duty", 1.8),
    (BELT, "bearing_outer_race", "vibration_kurtosis", 1.8),
    (BELT, "bearing_inner_race", "vibration_kurtosis", 1.8),
    (BELT, "imbalance", "vibration_velocity", 3.0),
    (BELT, "misalignment", "belt_slip", 2.0),
    (BELT, "overheating", "winding_temperature", 1.15),
    (TAP, "network_scan", "new_connections", 8.0),
    (TAP, "network_scan", "distinct_peers", 1.8),
    (TAP, "network_scan", "distinct_ports", 8.0),
]


@pytest.fixture(scope="module")
def healthy_means(means: Means) -> Callable[[str], dict[str, float]]:
    """Return a function that gives the means of a unit of the healthy plant."""
    known: dict[str, dict[str, float]] = {}

    def look(unit: str) -> dict[str, float]:
        if unit not in known:
            known[unit] = means(PlantModel(1, MORNING), unit, 400)
        return known[unit]

    return look


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda e: f"{e[1]}-{e[0].split('/')[-1]}-{e[2]}")
def test_a_scenario_moves_its_features(
    means: Means,
    healthy_means: Callable[[str], dict[str, float]],
    effect: tuple[str, str, str, float],
) -> None:
    unit, scenario, tag, factor = effect
    broken = PlantModel(1, MORNING)
    broken.start_scenario(unit, scenario, 1.0)
    moved = means(broken, unit, 400)[tag] / healthy_means(unit)[tag]
    assert (moved >= factor) if factor > 1 else (moved <= factor)


@pytest.mark.parametrize(("unit", "scenario"), sorted({(e[0], e[1]) for e in EFFECTS}))
def test_a_scenario_leaves_other_units_alone(morning: datetime, unit: str, scenario: str) -> None:
    healthy, broken = PlantModel(1, morning), PlantModel(1, morning)
    broken.start_scenario(unit, scenario, 1.0)
    mine = (unit, unit.split("/")[1] + "/energy")
    for _ in range(29):
        healthy.step()
        broken.step()
    expected, got = healthy.step(), broken.step()
    others = [sample for sample in got if mine[0] not in sample[0] and mine[1] not in sample[0]]
    assert others == [s for s in expected if mine[0] not in s[0] and mine[1] not in s[0]]
    assert len(others) > 150


@pytest.mark.parametrize("scenario", ["imbalance", "misalignment", "bearing_outer_race"])
def test_more_severity_is_worse(morning: datetime, means: Means, scenario: str) -> None:
    seen: list[float] = []
    for severity in (0.2, 0.6, 1.0):
        model = PlantModel(1, morning)
        model.start_scenario(PUMP, scenario, severity)
        seen.append(means(model, PUMP, 60)["vibration_acceleration"])
    assert seen[0] < seen[1] < seen[2]


def test_a_stopped_scenario_leaves_nothing_behind(morning: datetime, means: Means) -> None:
    healthy, mended = PlantModel(1, morning), PlantModel(1, morning)
    mended.start_scenario(PUMP, "imbalance", 1.0)
    means(mended, PUMP, 60)
    means(healthy, PUMP, 60)
    mended.stop_scenario(PUMP, "imbalance")
    after = means(mended, PUMP, 60)["vibration_velocity"]
    assert after == pytest.approx(means(healthy, PUMP, 60)["vibration_velocity"], rel=1e-6)


def test_a_worn_tool_is_changed_when_the_scenario_stops(morning: datetime) -> None:
    model = PlantModel(1, morning)
    model.start_scenario(SPINDLE, "tool_wear", 1.0)
    for _ in range(1300):
        model.step()
    assert model.true_values(SPINDLE)["tool_wear"] > 300
    model.stop_scenario(SPINDLE)
    model.step()
    assert model.true_values(SPINDLE)["tool_wear"] < 261


def test_load_and_speed_change_vibration_without_a_fault(morning: datetime, means: Means) -> None:
    busy = means(PlantModel(1, morning), PUMP, 300)
    calm = means(PlantModel(1, morning.replace(day=22, hour=1)), PUMP, 300)
    assert busy["vibration_velocity"] > 1.05 * calm["vibration_velocity"]


def test_a_change_of_product_changes_torque_without_a_fault(morning: datetime) -> None:
    model = PlantModel(1, morning)
    torque: dict[float, list[float]] = {}
    for _ in range(4000):
        model.step(5.0)
        values = model.true_values(SPINDLE)
        if values["state"] == 1.0:
            torque.setdefault(values["product"], []).append(values["torque"])
    levels = [sum(some) / len(some) for some in torque.values()]
    assert len(levels) >= 2
    assert max(levels) > 1.15 * min(levels)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.name))
def test_growth_never_falls_and_ends_at_one(spec: object) -> None:
    one = next(s for s in SPECS if s is spec)
    course = [growth(one, age, "key") for age in range(0, 1400, 5)]
    assert course == sorted(course)
    assert 0 < course[0] <= course[-1] == 1.0


def test_wear_has_plateaus_that_differ_from_start_to_start() -> None:
    spec = SPECS[0]
    courses = [[growth(spec, age, key) for age in range(0, 900, 10)] for key in "abcdefgh"]
    assert len({tuple(course) for course in courses}) == 8
    assert any(a == b for course in courses for a, b in pairwise(course))


@pytest.mark.parametrize(
    "kind", sorted(set(EquipmentKind) - {EquipmentKind.OTHER, EquipmentKind.SCHEDULE})
)
def test_every_kind_of_unit_has_scenarios(kind: EquipmentKind) -> None:
    assert len(specs_for(kind)) >= 3

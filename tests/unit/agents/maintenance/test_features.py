"""Features of one row of process values, and the naming of what is wrong with it."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from agents.maintenance.bounds import BOUNDS
from agents.maintenance.features import KINDS, NAMES, applicable, needed, row_features, vector
from agents.maintenance.physics import PHYSICS
from agents.simulator.plant import PlantModel
from app.core.equipment import EquipmentKind
from app.core.errors import FieldsError

PLATE = {
    "rated_power_kw": "7.5",
    "rated_speed_rpm": "1460",
    "rated_flow_m3_h": "62",
    "rated_head_m": "24",
}
PUMP: dict[str, object] = {
    "kind": "motor_pump",
    "speed": 1460.0,
    "torque": 49.05,
    "power": 8.1,
    "winding_temperature": 84.0,
    "bearing_temperature": 50.0,
    "ambient_temperature": 22.0,
    "flow": 62.0,
    "suction_pressure": 1.33,
    "discharge_pressure": 3.68,
    "npsh_margin": 10.0,
    "vibration_acceleration": 0.8,
}


def test_physics_of_a_pump_at_its_rated_point() -> None:
    kind, features = row_features(PUMP, PLATE)
    assert kind == EquipmentKind.MOTOR_PUMP
    assert features["drive_load"] == pytest.approx(1.0, rel=0.01)
    assert features["winding_rise_per_loss"] == pytest.approx(62.0, rel=0.02)
    assert features["pump_head_coefficient"] == pytest.approx(1.0, rel=0.02)
    hydraulic_kw = 2.35e5 * 62 / 3600 / 1000
    assert features["pump_efficiency"] == pytest.approx(hydraulic_kw / 7.5, rel=0.02)


def test_load_and_weather_cancel_in_the_rise_per_loss() -> None:
    cold = {**PUMP, "ambient_temperature": 2.0, "winding_temperature": 64.0}
    _, features = row_features(cold, PLATE)
    assert features["winding_rise_per_loss"] == pytest.approx(62.0, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"torque": None}, {"torque": "missing"}),
        ({"torque": ""}, {"torque": "missing"}),
        ({"torque": "strong"}, {"torque": '"strong" is no finite number'}),
        ({"torque": math.nan}, {"torque": '"nan" is no finite number'}),
        ({"torque": math.inf}, {"torque": '"inf" is no finite number'}),
        ({"torque": [1]}, {"torque": '"[1]" is no finite number'}),
        ({"colour": 1.0}, {"colour": "unknown for motor_pump"}),
        ({"rated_power_kw": 0}, {"rated_power_kw": "0 is not between 0.001 and 100000 kW"}),
        (
            {"rated_power_kw": 1e-300},
            {"rated_power_kw": "1e-300 is not between 0.001 and 100000 kW"},
        ),
        ({"speed": 1e308}, {"speed": "1e+308 is not between 0 and 200000 rpm"}),
        ({"speed": 10**400}, {"speed": f'"1{"0" * 39}" is no finite number'}),
        ({"speed": -100}, {"speed": "-100 is not between 0 and 200000 rpm"}),
        ({"speed": True}, {"speed": '"True" is no finite number'}),
        ({"speed": False}, {"speed": '"False" is no finite number'}),
        (
            {"winding_temperature": -300},
            {"winding_temperature": "-300 is not between -90 and 500 °C"},
        ),
        ({"kind": "toaster"}, None),
        ({"kind": None}, None),
        (
            {"flow": None, "speed": "x"},
            {"speed": '"x" is no finite number', "flow": "missing"},
        ),
    ],
)
def test_each_wrong_value_is_named(
    changes: dict[str, object], details: dict[str, str] | None
) -> None:
    with pytest.raises(FieldsError) as caught:
        row_features({**PUMP, **changes}, PLATE)
    assert caught.value.details == details or (details is None and "kind" in caught.value.details)


@pytest.mark.parametrize("kind", KINDS)
def test_each_value_of_a_kind_has_bounds(kind: EquipmentKind) -> None:
    assert {*PHYSICS[kind].tags, *PHYSICS[kind].nameplate} <= set(BOUNDS)


def test_the_bounds_hold_every_range_of_the_simulated_plant_in_its_units() -> None:
    plant = PlantModel(1, datetime(2025, 1, 1, tzinfo=UTC))
    tags = [
        (tag, BOUNDS[name])
        for unit in plant.equipment()
        if unit.kind in PHYSICS
        for tag in unit.tags
        if (name := tag.path.rpartition("/")[2]) in PHYSICS[unit.kind].tags
    ]
    assert len(tags) > 100
    assert [tag.path for tag, bound in tags if tag.unit != bound.unit] == []
    assert [tag.path for tag, (low, high, _) in tags if not low <= tag.low < tag.high <= high] == []


def test_without_a_nameplate_the_rated_figures_are_named() -> None:
    with pytest.raises(FieldsError) as caught:
        row_features(PUMP)
    assert caught.value.details == dict.fromkeys(PLATE, "missing")


@pytest.mark.parametrize("kind", KINDS)
def test_a_standing_unit_gives_finite_features(kind: EquipmentKind) -> None:
    row: dict[str, object] = dict.fromkeys(needed(kind), 0.0)
    plate = dict.fromkeys(PHYSICS[kind].nameplate, 1.0)
    _, features = row_features({**row, **plate, "kind": kind.value})
    assert all(math.isfinite(value) for value in features.values())
    assert list(features) == list(PHYSICS[kind].names)


def test_a_kind_fills_its_own_places_only() -> None:
    row = vector(EquipmentKind.OVEN, {"oven_door": 1.0})
    assert row.dtype == np.float32
    assert {NAMES[place] for place in np.flatnonzero(row)} == {"kind", "oven_door"}
    assert all(NAMES[place].startswith("oven_") for place in applicable(EquipmentKind.OVEN))

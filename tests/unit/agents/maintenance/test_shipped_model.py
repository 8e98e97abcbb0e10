"""The artefact in models/maintenance: it is what its card says, and does what it shall."""

import hashlib
import shutil
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
import pytest

from agents.base.model import MODELS, load_model
from agents.maintenance.agent import MaintenanceAgent
from agents.maintenance.classes import CLASSES, MODES
from agents.maintenance.features import card_features, row_features
from agents.maintenance.forest import Forest
from agents.maintenance.score import main as score
from agents.simulator.plant import PlantModel
from app.clock import ManualClock
from app.core.equipment import EquipmentKind
from app.core.errors import FieldsError, InputError, ModelError
from app.settings import DataSettings, Settings
from tests.contract.rig import MORNING, Rig
from tests.unit.agents.maintenance.test_features import PLATE, PUMP

FOLDER = MODELS / "maintenance"


def _forest() -> Forest:
    return Forest(load_model(FOLDER))


def test_the_card_matches_the_artefact() -> None:
    card = load_model(FOLDER).card
    payload = (FOLDER / card.path).read_bytes()
    assert card.sha256 == hashlib.sha256(payload).hexdigest()
    assert card.bytes == len(payload) <= 5_000_000
    assert card.features == card_features()
    assert card.classes == CLASSES


def test_the_card_carries_the_figures_of_its_test_runs() -> None:
    metrics = load_model(FOLDER).card.metrics
    assert metrics["macro_f1"] > 0.9
    assert metrics["false_alarms_per_unit_day"] < 0.2
    assert all(metrics[f"pr_auc.{name}"] > 0.9 for name in CLASSES)


def test_a_rated_pump_is_well() -> None:
    kind, features = row_features(PUMP, PLATE)
    forest = _forest()
    probabilities = forest.predict(kind, features)
    assert sum(probabilities.values()) == pytest.approx(1.0, abs=1e-4)
    assert all(probabilities[mode] < forest.thresholds[mode] for mode in MODES)


def test_a_hot_winding_explains_itself() -> None:
    kind, features = row_features({**PUMP, "winding_temperature": 150.0}, PLATE)
    shares = _forest().contributions(kind, features, "overheating", {})
    assert next(iter(shares)) == "winding_rise_per_loss"


def test_a_unit_far_from_all_that_was_trained_on_is_refused() -> None:
    kind, features = row_features({**PUMP, "speed": 14_600.0}, PLATE)
    with pytest.raises(FieldsError, match="outside of what the model was trained on") as caught:
        _forest().check(kind, features)
    assert "drive_speed" in caught.value.details


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"winding_temperature": 180.0},
        {"npsh_margin": -2.0, "vibration_acceleration": 7.0},
        {"flow": 40.0, "torque": 35.0},
    ],
)
def test_a_running_unit_is_judged_also_when_it_fails(changes: dict[str, object]) -> None:
    kind, features = row_features({**PUMP, **changes}, PLATE)
    _forest().check(kind, features)


def test_a_model_for_other_features_is_refused(tmp_path: Path) -> None:
    model = load_model(FOLDER)
    model.card = msgspec.structs.replace(model.card, features=model.card.features[1:])
    with pytest.raises(ModelError, match="other features"):
        Forest(model)


def test_a_card_without_thresholds_is_refused() -> None:
    model = load_model(FOLDER)
    model.card = msgspec.structs.replace(model.card, metrics={})
    with pytest.raises(ModelError, match=r"threshold\.overheating"):
        Forest(model)


def test_an_artefact_that_differs_from_its_card_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "maintenance"
    shutil.copytree(FOLDER, folder)
    with (folder / "maintenance.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="sha256 differs") as caught:
        load_model(folder)
    assert "millwright train maintenance" in caught.value.hint


async def _agent(home: Path, *, loaded: bool = True) -> MaintenanceAgent:
    agent = MaintenanceAgent(Settings(data=DataSettings(dir=home)), ManualClock(MORNING))
    if loaded:
        await agent.prepare()
    return agent


async def test_a_prediction_task_answers_with_a_finding(tmp_path: Path) -> None:
    agent = await _agent(tmp_path)
    hot: dict[str, object] = {**PUMP, **PLATE, "winding_temperature": 150.0}
    output = await agent.handle_task("predict_failure", hot)
    assert output["condition"] == "overheating"
    assert output["priority"] in {1, 2, 3, 4}
    assert "winding_rise_per_loss" in cast("dict[str, float]", output["evidence"])


async def test_a_well_row_is_answered_as_normal(tmp_path: Path) -> None:
    output = await (await _agent(tmp_path)).handle_task("predict_failure", {**PUMP, **PLATE})
    assert output["condition"] == "normal"
    assert "priority" not in output


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, {"kind"}),
        ({**PUMP, **PLATE, "vibration_acceleration": 900.0}, {"pump_noise"}),
        ({**PUMP, **PLATE, "torque": "x"}, {"torque"}),
        ({**PUMP, "equipment": "a/b/c/nowhere"}, {"equipment"}),
    ],
)
async def test_a_wrong_task_is_answered_with_the_names(
    tmp_path: Path, given: dict[str, object], named: set[str]
) -> None:
    agent = await _agent(tmp_path)
    with pytest.raises(FieldsError) as caught:
        await agent.handle_task("predict_failure", given)
    assert set(caught.value.details) == named


async def test_without_a_model_there_is_no_prediction(tmp_path: Path) -> None:
    agent = await _agent(tmp_path, loaded=False)
    with pytest.raises(ModelError, match="not loaded"):
        await agent.handle_task("predict_failure", {**PUMP, **PLATE})


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_healthy_plant_has_no_finding(tmp_path: Path) -> None:
    rig = Rig("maintenance", tmp_path, PlantModel(7, MORNING))
    await rig.start()
    await rig.run(3600)
    assert [finding for finding in rig.findings if finding.priority is not None] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("unit", "scenario"),
    [
        ("riverside/utilities/cooling/pump-101", "overheating"),
        ("riverside/utilities/boiler/pump-201", "cavitation"),
        ("riverside/machining/milling/spindle-401", "tool_wear"),
        ("riverside/heat/ovens/oven-501", "heating_element_loss"),
        ("riverside/packaging/belts/conveyor-601", "sensor_bias"),
    ],
)
async def test_each_failure_mode_is_found(tmp_path: Path, unit: str, scenario: str) -> None:
    plant = PlantModel(7, MORNING)
    rig = Rig("maintenance", tmp_path, plant, unit)
    await rig.start()
    await rig.run(360)
    plant.start_scenario(unit, scenario, 1.0)
    await rig.run(2400)
    raised = {finding.condition for finding in rig.findings if finding.priority is not None}
    assert raised == {scenario}


def test_scoring_a_file_gives_a_line_a_row(tmp_path: Path) -> None:
    data, out = tmp_path / "rows.csv", tmp_path / "out.jsonl"
    row = {**PUMP, **PLATE, "remark": "any"}
    hot = {**row, "winding_temperature": 150.0}
    wrong = {**row, "torque": "x"}
    lines = [
        ",".join(row),
        *(",".join(str(each) for each in r.values()) for r in (row, hot, wrong)),
    ]
    data.write_text("\n".join(lines), encoding="utf-8")
    assert score(["--data", str(data), "--out", str(out)]) == 0
    scored = [msgspec.json.decode(line) for line in out.read_bytes().splitlines()]
    assert [line.get("prediction") for line in scored] == ["normal", "overheating", None]
    assert scored[2]["details"] == {"torque": '"x" is no finite number'}


@pytest.mark.parametrize("payload", [b"\xff\xfe\x00broken", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, payload: bytes | None) -> None:
    data = tmp_path / "rows.csv"
    if payload is not None:
        data.write_bytes(payload)
    with pytest.raises(InputError, match=r"rows\.csv"):
        score(["--data", str(data)])


def test_every_kind_has_usual_figures_to_compare_with() -> None:
    forest = _forest()
    kind = EquipmentKind.OVEN
    features = {feature.name: 1.0 for feature in card_features() if feature.name != "kind"}
    oven = {name: value for name, value in features.items() if name.startswith("oven_")}
    shares = forest.contributions(kind, oven, "heating_element_loss", {})
    assert set(shares) == set(oven)
    assert np.isfinite(list(shares.values())).all()

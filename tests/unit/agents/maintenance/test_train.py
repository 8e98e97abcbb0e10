"""Training: reproducible, split by plant, and the same in ONNX as in scikit-learn."""

from pathlib import Path

import numpy as np
import pytest

from agents.base.model import load_model
from agents.maintenance import train as training
from agents.maintenance.ai4i import evaluate_ai4i
from agents.maintenance.classes import CLASSES
from agents.maintenance.export import export_forest, write_folder
from agents.maintenance.features import NAMES
from agents.maintenance.simulated import Rows
from app.core.errors import InputError
from tests.contract.rig import MORNING

pytest.importorskip("skl2onnx", reason="training needs the extra: uv run --extra train pytest")


def _rows(seed: int, classes: int = len(CLASSES)) -> Rows:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, 600).astype(np.int8)
    features = random.normal(0, 1, (600, len(NAMES))).astype(np.float32)
    features[:, 1] += 3 * labels
    blank = np.zeros(600)
    return Rows(
        features, labels, blank.astype(np.int16), blank, blank.astype(np.int16), blank > 0, {}
    )


def test_plants_are_never_shared_between_the_parts() -> None:
    split = training.split_runs(1, 40)
    used = [seed for part in split for seed, _ in part]
    others = [seed for part in training.split_runs(2, 40) for seed, _ in part]
    assert len(used + others) == len({*used, *others})


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (export_forest(training.fit([_rows(1)], 3), len(NAMES)) for _ in range(2))
    assert first == second


def test_another_seed_gives_another_forest() -> None:
    first, second = (export_forest(training.fit([_rows(1)], s), len(NAMES)) for s in (3, 4))
    assert first != second


def test_onnx_predicts_what_scikit_learn_predicts(tmp_path: Path) -> None:
    forest, unseen = training.fit([_rows(1)], 3), _rows(2)
    payload = export_forest(forest, len(NAMES))
    write_folder(tmp_path, payload, {"x": 1.0}, data='a "quoted" text', command="c", at=MORNING)
    served = load_model(tmp_path).rows(unseen.features.tolist())
    expected = forest.predict_proba(unseen.features)
    assert np.array([list(row.values()) for row in served]) == pytest.approx(expected, abs=1e-5)


def test_runs_that_do_not_show_every_class_are_refused() -> None:
    with pytest.raises(InputError, match="sensor_bias never shows"):
        training.fit([_rows(1, classes=5)], 3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "cannot be read"),
        ("a,b\n1,2\n", "no Type"),
        (
            "Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],Torque [Nm],"
            "Tool wear [min],Machine failure\nX,1,2,3,4,5,0\n",
            "row that is wrong",
        ),
    ],
)
def test_a_file_that_is_not_ai4i_is_refused(tmp_path: Path, text: str | None, named: str) -> None:
    path = tmp_path / "data.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=named):
        evaluate_ai4i(path)

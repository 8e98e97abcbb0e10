"""The AI4I 2020 protocol: how the method does on public data, which the shipped model never sees.

Random forest on physics features, five stratified folds, threshold 0.5, no resampling. The columns
TWF to RNF are parts of the label and never inputs. Data: UCI 601 (Matzka 2020), CC BY 4.0.
"""

import csv
import gzip
import importlib
import io
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.errors import InputError

Array = npt.NDArray[np.float64]
_FOLDS = 5
_COLUMNS = (
    "Type", "Air temperature [K]", "Process temperature [K]", "Rotational speed [rpm]",
    "Torque [Nm]", "Tool wear [min]", "Machine failure",
)  # fmt: skip
# Overstrain limits by product variant, min.N.m (data set description, Matzka 2020).
_OVERSTRAIN = {"L": 11_000.0, "M": 12_000.0, "H": 13_000.0}


def evaluate_ai4i(path: Path) -> dict[str, object]:
    """Return F1, precision, recall and PR-AUC of failures over the pooled test folds.

    Raises:
        InputError: The file cannot be read, or has not the columns of AI4I 2020.
    """
    features, labels = _read(path)
    ensemble: Any = importlib.import_module("sklearn.ensemble")  # a training dependency only
    selection: Any = importlib.import_module("sklearn.model_selection")
    measures: Any = importlib.import_module("sklearn.metrics")
    scores = np.zeros(len(labels))
    folds = selection.StratifiedKFold(_FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(features, labels):
        forest = ensemble.RandomForestClassifier(300, random_state=0, n_jobs=2)
        forest.fit(features[train], labels[train])
        scores[test] = forest.predict_proba(features[test])[:, 1]
    stated = scores >= 0.5
    return {
        "protocol": "ai4i",
        "rows": len(labels),
        "failures": int(labels.sum()),
        "folds": _FOLDS,
        "f1": round(float(measures.f1_score(labels, stated)), 4),
        "precision": round(float(measures.precision_score(labels, stated)), 4),
        "recall": round(float(measures.recall_score(labels, stated)), 4),
        "pr_auc": round(float(measures.average_precision_score(labels, scores)), 4),
        "plain_limits_f1": round(float(measures.f1_score(labels, _plain(features))), 4),
    }


def _read(path: Path) -> tuple[Array, npt.NDArray[np.int_]]:
    rows = _rows(path)
    try:
        features = np.array([_physics(row) for row in rows])
        labels = np.array([int(row["Machine failure"]) for row in rows])
    except (KeyError, TypeError, ValueError) as error:  # a short row has None in its last columns
        raise InputError(f'Data file "{path.name}" has a row that is wrong: {error}') from error
    if not np.isfinite(features).all():
        raise InputError(f'Data file "{path.name}" has a row that is wrong: no finite number')
    if len(rows) < 10 * _FOLDS or labels.sum() < _FOLDS:
        raise InputError(f'Data file "{path.name}" has too few rows or failures for five folds')
    return features, labels


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text))
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        rows = list(reader)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f'Data file "{path.name}" cannot be read: {error}') from error
    if missing:
        raise InputError(f'Data file "{path.name}" is not AI4I 2020: no {", ".join(missing)}')
    return rows


def _physics(row: dict[str, str]) -> list[float]:
    air, process = float(row[_COLUMNS[1]]), float(row[_COLUMNS[2]])
    speed, torque, wear = (float(row[name]) for name in _COLUMNS[3:6])
    power_w = torque * speed * math.pi / 30
    return [
        air, process, process - air, speed, torque, wear, power_w, wear * torque,
        wear * torque / _OVERSTRAIN[row["Type"]], float("LMH".index(row["Type"])),
    ]  # fmt: skip


def _plain(features: Array) -> npt.NDArray[np.bool_]:
    """Return what fixed limits on single columns say: outer 1 % of torque, speed and wear."""
    columns = features[:, [3, 4, 5]]
    low, high = np.percentile(columns, [0.5, 99.5], axis=0)
    beyond: npt.NDArray[np.bool_] = ((columns < low) | (columns > high)).any(axis=1)
    return beyond

"""`millwright train maintenance`: from simulated plants to the shipped model, reproducibly.

Runs are split, not rows: each run is a plant of its own with its own seed, season and faults.
Thresholds are chosen on validation runs; the figures on the card come from test runs that neither
the trees nor the thresholds have seen. scikit-learn is imported here and nowhere else.
"""

import hashlib
import importlib
import multiprocessing
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from agents.base.model import MODELS, load_model
from agents.maintenance.classes import CLASSES, MODES
from agents.maintenance.export import export_forest, write_folder
from agents.maintenance.features import KINDS, NAMES, applicable
from agents.maintenance.forest import LEAST, MOST, THRESHOLD, USUAL
from agents.maintenance.measure import forest_events, limit_events, row_metrics
from agents.maintenance.simulated import HIDDEN, STEP_S, Rows, simulate
from app.command_parser import command_parser, positive_number, whole_number
from app.core.errors import InputError
from app.extras import TRAIN, need_extra

Array = npt.NDArray[np.float64]
RUNS, HOURS = 40, 8.0
_TREES, _DEPTH, _LEAF = 80, 14, 8  # more trees or depth change the validation F1 by < .002
_GRID = np.round(np.arange(0.3, 0.96, 0.05), 2)
_COST_OF_FALSE_ALARM = 5  # in detected episodes: operators stop believing


class Split(NamedTuple):
    """Seeds of the runs; every second validation and test run is without any fault."""

    train: list[tuple[int, bool]]
    validation: list[tuple[int, bool]]
    test: list[tuple[int, bool]]


def split_runs(seed: int, runs: int) -> Split:
    """Return which plants are for what."""
    base = seed * 10_000
    third = max(runs // 3, 2)
    return Split(
        [(base + each, False) for each in range(runs)],
        [(base + 3000 + each, each % 2 == 1) for each in range(third)],
        [(base + 6000 + each, each % 2 == 1) for each in range(2 * third)],
    )


def collect(runs: Sequence[tuple[int, bool]], hours: float, step_s: float = STEP_S) -> list[Rows]:
    """Simulate runs on two processes; the order, and so the result, is that of `runs`."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        jobs = [
            pool.submit(simulate, seed, hours, healthy=healthy, step_s=step_s)
            for seed, healthy in runs
        ]
        return [job.result() for job in jobs]


def fit(rows: Sequence[Rows], seed: int) -> Any:  # noqa: ANN401  scikit-learn has no stubs
    """Return a fitted forest; rare classes weigh more by the square root of their rarity.

    Raises:
        InputError: The runs do not show every class; more or longer ones are needed.
    """
    ensemble: Any = importlib.import_module("sklearn.ensemble")  # a training dependency only
    features = np.concatenate([each.features for each in rows])
    labels = np.concatenate([each.labels for each in rows])
    shown = labels != HIDDEN
    features, labels = features[shown], labels[shown]
    counts = np.bincount(labels, minlength=len(CLASSES))
    if not counts.all():
        absent = ", ".join(name for name, count in zip(CLASSES, counts, strict=True) if not count)
        raise InputError(f"runs: {absent} never shows in the training runs; ask for more runs")
    weights = np.sqrt(len(labels) / np.maximum(counts, 1))[labels]
    forest = ensemble.RandomForestClassifier(
        _TREES,
        max_depth=_DEPTH,
        min_samples_leaf=_LEAF,
        max_features=0.4,
        random_state=seed,
        n_jobs=2,
    )
    return forest.fit(features, labels, sample_weight=weights)


def choose_thresholds(runs: Sequence[tuple[Rows, Array]]) -> dict[str, float]:
    """Return for each mode the threshold with most detections less the cost of false alarms.

    The middle of the best thresholds is taken, so that a small shift changes nothing.
    """
    chosen: dict[str, float] = {}
    for mode in MODES:
        worth: list[float] = []
        for threshold in _GRID.tolist():
            events = forest_events(runs, {mode: threshold})
            false = events.false_well + events.false_other
            worth.append(events.detected.get(mode, 0) - _COST_OF_FALSE_ALARM * false)
        best = np.flatnonzero(np.array(worth) == max(worth))
        chosen[mode] = float(_GRID[int(best[len(best) // 2])])
    return chosen


def usual_figures(rows: Sequence[Rows]) -> dict[str, float]:
    """Return the median of each feature of units that are well, by kind, named for the card."""
    features = np.concatenate([each.features for each in rows])
    labels = np.concatenate([each.labels for each in rows])
    well = features[labels == 0]
    return {
        USUAL.format(kind=kind, feature=NAMES[position]): round(float(median), 6)
        for index, kind in enumerate(KINDS, start=1)
        for position, median in (
            (position, np.median(well[well[:, 0] == index, position]))
            for position in applicable(kind)
        )
    }


def trained_ranges(rows: Sequence[Rows]) -> dict[str, float]:
    """Return least and most of each feature that the trees have seen, by kind, for the card."""
    features = np.concatenate([each.features for each in rows])
    labels = np.concatenate([each.labels for each in rows])
    shown = features[labels != HIDDEN]
    return {
        name.format(kind=kind, feature=NAMES[position]): round(float(end), 6)
        for index, kind in enumerate(KINDS, start=1)
        for position in applicable(kind)
        for name, end in zip(
            (LEAST, MOST), _ends(shown[shown[:, 0] == index, position]), strict=True
        )
    }


def _ends(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def train(out: Path, seed: int, runs: int, hours: float) -> dict[str, object]:
    """Train, export, measure on unseen runs and write the folder `out`; return the metrics."""
    split = split_runs(seed, runs)
    training = collect(split.train, hours)
    forest = fit(training, seed)
    validation = collect(split.validation, hours)
    thresholds = choose_thresholds([(each, _predict(forest, each)) for each in validation])
    tuning = {THRESHOLD.format(mode=mode): value for mode, value in thresholds.items()}
    payload = export_forest(forest, len(NAMES))
    command = f"millwright train maintenance --seed {seed} --runs {runs} --hours {hours:g}"
    card_figures = {**tuning, **usual_figures(training), **trained_ranges(training)}
    data = (
        f"Simulated plants of 11 units, {hours:g} h each: {len(split.train)} to train, "
        f"{len(split.validation)} to choose thresholds, {len(split.test)} to test; split by plant"
    )
    write_folder(out, payload, card_figures, data=data, command=command, at=datetime.now(UTC))
    metrics = {"data": data, **measure(out, collect(split.test, hours), thresholds)}
    figures = {**card_figures, **_headline(metrics)}
    write_folder(out, payload, figures, data=data, command=command, at=datetime.now(UTC))
    (out / "metrics.json").write_bytes(msgspec.json.format(msgspec.json.encode(metrics)) + b"\n")
    return {"sha256": hashlib.sha256(payload).hexdigest(), "bytes": len(payload), **metrics}


def measure(
    folder: Path, test: Sequence[Rows], thresholds: Mapping[str, float]
) -> dict[str, object]:
    """Return the metrics of the artefact in `folder`, as onnxruntime runs it, on runs."""
    model = load_model(folder)
    predicted = [
        np.array([list(row.values()) for row in model.rows(each.features.tolist())])
        for each in test
    ]
    labels = np.concatenate([each.labels for each in test])
    return {
        "rows": row_metrics(labels, np.concatenate(predicted)),
        "events": forest_events(list(zip(test, predicted, strict=True)), thresholds).summary(),
        "plain_limits": limit_events(test).summary(),
    }


def _predict(forest: Any, rows: Rows) -> Array:  # noqa: ANN401  scikit-learn has no stubs
    """Return (n, classes) probabilities; a class that was never trained gets 0."""
    whole = np.zeros((len(rows.features), len(CLASSES)))
    whole[:, forest.classes_] = forest.predict_proba(rows.features)
    return whole


def _headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    rows, events = metrics["rows"], metrics["events"]
    figures = {
        "macro_f1": rows["macro_f1"],
        "calibration_error": rows["calibration_error"],
        "false_alarms_per_unit_day": events["false_alarms_per_unit_day"],
        "detected_share_of_visible": events["detected_share_of_visible"],
    }
    for name, each in rows["classes"].items():
        figures |= {f"f1.{name}": each["f1"], f"pr_auc.{name}": each["pr_auc"]}
    return figures


def _check_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'--out: folder "{out}" cannot be made: {error.strerror}') from error
    if not os.access(out, os.W_OK):
        raise InputError(f'--out: folder "{out}" cannot be written')


def main(argv: list[str]) -> int:
    """Train the model and print its metrics as JSON."""
    parser = command_parser(
        "millwright train maintenance",
        "Train the forest on simulated plants and write artefact, card and metrics.\n"
        "The same seed gives the same bytes; takes about six minutes of one core.\n"
        "Needs the extra train.",
        "millwright train maintenance",
        "uv run --extra train millwright train maintenance --out /tmp/model --runs 8 --hours 2",
    )
    parser.add_argument("--out", type=Path, default=MODELS / "maintenance", help="folder to write")
    parser.add_argument(
        "--seed", type=whole_number(0, 10**9), default=1, help="of plants and trees (default 1)"
    )
    parser.add_argument(
        "--runs",
        type=whole_number(1, 1000),
        default=RUNS,
        help=f"plants to train on (default {RUNS})",
    )
    parser.add_argument(
        "--hours",
        type=positive_number(1000),
        default=HOURS,
        help=f"length of a plant's run (default {HOURS:g})",
    )
    arguments = parser.parse_args(argv)
    need_extra(TRAIN, shlex.join(["millwright", "train", "maintenance", *argv]))
    _check_folder(arguments.out)
    metrics = train(arguments.out, arguments.seed, arguments.runs, arguments.hours)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(metrics)).decode() + "\n")
    return 0

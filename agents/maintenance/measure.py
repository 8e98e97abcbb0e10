"""How good the model is: by row, by episode, and against plain alarm limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import numpy.typing as npt

from agents.maintenance.classes import CLASSES, MODES
from agents.maintenance.simulated import HIDDEN, ROW_S, Rows
from agents.maintenance.watch import Belief, watch

Array = npt.NDArray[np.float64]
_BINS = 10


def row_metrics(labels: npt.NDArray[np.int8], probabilities: Array) -> dict[str, object]:
    """Return precision, recall, F1 and PR-AUC by class, the confusion matrix and calibration.

    Args:
        labels: (n,) index into CLASSES; HIDDEN rows are left out.
        probabilities: (n, classes).
    """
    shown = labels != HIDDEN
    truth, probabilities = labels[shown], probabilities[shown]
    guess = probabilities.argmax(axis=1)
    confusion = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(confusion, (truth, guess), 1)
    classes = {
        name: {
            **scores(confusion, index),
            "pr_auc": average_precision(truth == index, probabilities[:, index]),
            "rows": int(confusion[index].sum()),
        }
        for index, name in enumerate(CLASSES)
    }
    return {
        "rows": len(truth),
        "accuracy": round(float((guess == truth).mean()), 4),
        "macro_f1": round(float(np.mean([each["f1"] for each in classes.values()])), 4),
        "classes": classes,
        "confusion": {name: row.tolist() for name, row in zip(CLASSES, confusion, strict=True)},
        "calibration_error": calibration_error(guess == truth, probabilities.max(axis=1)),
    }


def scores(confusion: npt.NDArray[np.int_], index: int) -> dict[str, float]:
    """Return precision, recall and F1 of one class of a confusion matrix (rows: truth)."""
    hit = int(confusion[index, index])
    stated, present = int(confusion[:, index].sum()), int(confusion[index].sum())
    precision = hit / stated if stated else 0.0
    recall = hit / present if present else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}


def average_precision(truth: npt.NDArray[np.bool_], score: Array) -> float:
    """Return the area under the precision-recall curve (step-wise, ties taken together)."""
    if not truth.any():
        return 0.0
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(score[order]) != 0, True)
    precision = (hits / np.arange(1, len(order) + 1))[last]
    recall = np.append(0.0, hits[last] / hits[-1])
    return round(float(np.sum(np.diff(recall) * precision)), 4)


def calibration_error(correct: npt.NDArray[np.bool_], confidence: Array) -> float:
    """Return the expected calibration error over ten bins (Guo et al. 2017)."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(correct[bins == each].mean() - confidence[bins == each].mean()) * (bins == each).mean()
        for each in np.unique(bins)
    ]
    return round(float(np.sum(gaps)), 4)


@dataclass(slots=True)
class Events:
    """What an operator would have seen.

    Attributes:
        episodes: Faults of this agent's kinds, by mode.
        visible: Those among them that ever showed in the machine, by mode.
        detected: Those stated while they lasted, by mode.
        detected_visible: Those that are both, by mode.
        delays_s: From the start of a fault to its finding.
        false_well: Findings at units without any fault.
        false_other: Findings of another mode than the fault the unit has.
        unit_days: Time watched.
    """

    episodes: dict[str, int] = field(default_factory=dict[str, int])
    visible: dict[str, int] = field(default_factory=dict[str, int])
    detected: dict[str, int] = field(default_factory=dict[str, int])
    detected_visible: dict[str, int] = field(default_factory=dict[str, int])
    delays_s: list[float] = field(default_factory=list[float])
    false_well: int = 0
    false_other: int = 0
    unit_days: float = 0.0

    def summary(self) -> dict[str, object]:
        """Return the figures for metrics.json."""
        return {
            "unit_days": round(self.unit_days, 2),
            "episodes": self.episodes,
            "visible": self.visible,
            "detected": self.detected,
            "detected_share": _share(self.detected, self.episodes),
            "detected_share_of_visible": _share(self.detected_visible, self.visible),
            "median_delay_s": median(self.delays_s) if self.delays_s else None,
            "false_alarms_well": self.false_well,
            "false_alarms_other_fault": self.false_other,
            "false_alarms_per_unit_day": round(
                (self.false_well + self.false_other) / max(self.unit_days, 1e-9), 4
            ),
        }


def _share(part: Mapping[str, int], whole: Mapping[str, int]) -> float:
    return round(sum(part.values()) / max(sum(whole.values()), 1), 4)


def forest_events(runs: Sequence[tuple[Rows, Array]], thresholds: Mapping[str, float]) -> Events:
    """Replay runs through the agent's own rule; each run with its (n, classes) probabilities."""
    events = Events()
    for rows, probabilities in runs:
        for chosen in _by_unit(rows):
            beliefs: dict[str, Belief] = {}
            raised: list[tuple[int, str]] = []
            for index in chosen:
                named = dict(zip(CLASSES, probabilities[index].tolist(), strict=True))
                after = watch(beliefs, named, thresholds, ROW_S)
                active = {mode for mode, belief in beliefs.items() if belief.is_active}
                new = [mode for mode, belief in after.items() if belief.is_active]
                raised += [(index, mode) for mode in new if mode not in active]
                beliefs = after
            _count(events, rows, chosen, raised)
    return events


def limit_events(runs: Sequence[Rows]) -> Events:
    """Replay runs through the plain judge: any tag beyond an alarm limit; it names no mode."""
    events = Events()
    for rows in runs:
        for chosen in _by_unit(rows):
            raised: list[tuple[int, str]] = []
            was = False
            for index in chosen:
                if rows.beyond[index] and not was:
                    raised.append((index, _fault(rows, index)[0] or "limit"))
                was = bool(rows.beyond[index])
            _count(events, rows, chosen, raised)
    return events


def _by_unit(rows: Rows) -> Iterator[list[int]]:
    for unit in np.unique(rows.units):
        yield np.flatnonzero(rows.units == unit).tolist()


def _fault(rows: Rows, index: int) -> tuple[str, int]:
    """Return the fault of a row's unit and its episode; the last fault while it recovers."""
    episode = abs(int(rows.episodes[index]))
    scenario, _ = rows.faults.get((int(rows.units[index]), episode), ("", 0.0))
    return scenario, episode


def _count(events: Events, rows: Rows, chosen: list[int], raised: list[tuple[int, str]]) -> None:
    events.unit_days += len(chosen) * ROW_S / 86_400
    began: dict[int, float] = {}
    visible: set[int] = set()
    for index in chosen:
        scenario, episode = _fault(rows, index)
        if rows.episodes[index] > 0 and scenario in MODES:
            if episode not in began:
                began[episode] = float(rows.seconds[index])
                events.episodes[scenario] = events.episodes.get(scenario, 0) + 1
            if episode not in visible and rows.labels[index] > 0:
                visible.add(episode)
                events.visible[scenario] = events.visible.get(scenario, 0) + 1
    found: set[int] = set()
    for index, mode in raised:
        scenario, episode = _fault(rows, index)
        is_recovering = rows.episodes[index] < 0 and rows.labels[index] == HIDDEN
        if scenario == mode and (rows.episodes[index] > 0 or is_recovering):
            if rows.episodes[index] > 0 and episode in began and episode not in found:
                found.add(episode)
                events.detected[mode] = events.detected.get(mode, 0) + 1
                if episode in visible:
                    seen = events.detected_visible.get(mode, 0) + 1
                    events.detected_visible[mode] = seen
                events.delays_s.append(float(rows.seconds[index]) - began[episode])
        elif rows.episodes[index] > 0 or is_recovering:
            events.false_other += 1
        else:
            events.false_well += 1

"""The metrics, against cases that can be counted by hand."""

import numpy as np
import pytest

from agents.maintenance.classes import CLASSES
from agents.maintenance.measure import (
    average_precision,
    calibration_error,
    forest_events,
    limit_events,
    row_metrics,
    scores,
)
from agents.maintenance.simulated import HIDDEN, ROW_S, Rows

HOT = CLASSES.index("overheating")


def test_precision_and_recall_of_a_counted_matrix() -> None:
    confusion = np.array([[8, 2], [1, 4]])
    assert scores(confusion, 1) == {"precision": 0.6667, "recall": 0.8, "f1": 0.7273}


def test_a_class_never_stated_scores_zero_not_an_error() -> None:
    assert scores(np.array([[5, 0], [3, 0]]), 1) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_average_precision_of_a_perfect_and_of_a_blind_judge() -> None:
    truth = np.array([True, True, False, False])
    assert average_precision(truth, np.array([0.9, 0.8, 0.2, 0.1])) == 1.0
    assert average_precision(truth, np.full(4, 0.5)) == 0.5
    assert average_precision(np.zeros(4, bool), np.full(4, 0.5)) == 0.0


def test_calibration_error_is_the_gap_of_claim_and_truth() -> None:
    assert calibration_error(np.array([True, False]), np.array([0.95, 0.95])) == pytest.approx(0.45)


def _rows(episodes: list[int], labels: list[int], beyond: list[bool] | None = None) -> Rows:
    count = len(episodes)
    return Rows(
        features=np.zeros((count, 1), np.float32),
        labels=np.array(labels, np.int8),
        units=np.zeros(count, np.int16),
        seconds=np.linspace(0.0, ROW_S * (count - 1), count),
        episodes=np.array(episodes, np.int16),
        beyond=np.array(beyond or [False] * count),
        faults={(0, 1): ("overheating", 1.0)},
    )


def _hot(flags: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    probabilities = np.zeros((len(flags), len(CLASSES)))
    probabilities[:, HOT] = flags
    probabilities[:, 0] = 1 - probabilities[:, HOT]
    return probabilities


def test_a_finding_during_its_fault_is_a_detection() -> None:
    rows = _rows([0, 0, 1, 1, 1], [0, 0, HOT, HOT, HOT])
    events = forest_events([(rows, _hot([0, 0, 1, 1, 1]))], {"overheating": 0.5})
    assert events.detected == {"overheating": 1}
    assert events.delays_s == [0.0]
    assert events.false_well == events.false_other == 0


def test_a_finding_at_a_well_unit_is_a_false_alarm() -> None:
    rows = _rows([0, 0, 0], [0, 0, 0])
    events = forest_events([(rows, _hot([0, 1, 1]))], {"overheating": 0.5})
    assert events.false_well == 1
    assert events.detected == {}


def test_a_finding_while_the_heat_of_its_fault_goes_is_neither() -> None:
    rows = _rows([1, -1, -1], [HOT, HIDDEN, HIDDEN])
    events = forest_events([(rows, _hot([0, 1, 1]))], {"overheating": 0.5})
    assert events.false_well == events.false_other == 0
    assert events.detected == {}


def test_a_missed_fault_counts_as_an_episode() -> None:
    rows = _rows([1, 1, 1], [HOT, HOT, HOT])
    events = forest_events([(rows, _hot([0, 0, 0]))], {"overheating": 0.5})
    assert events.summary()["detected_share"] == 0.0
    assert events.episodes == {"overheating": 1}


def test_plain_limits_are_judged_by_the_same_book() -> None:
    rows = _rows([0, 0, 1, 1], [0, 0, HOT, HOT], [True, False, False, True])
    events = limit_events([rows])
    assert events.false_well == 1
    assert events.detected == {"overheating": 1}


def test_hidden_rows_are_in_no_row_metric() -> None:
    labels = np.array([0, HIDDEN, HOT], np.int8)
    metrics = row_metrics(labels, _hot([0, 1, 1]))
    assert metrics["rows"] == 2
    assert metrics["accuracy"] == 1.0

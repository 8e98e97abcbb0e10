"""Beliefs over time and the findings stated of them."""

from datetime import UTC, datetime

import pytest

from agents.maintenance.usual import Usual, learn
from agents.maintenance.watch import Belief, decide, explain, present, watch
from app.core.alarm import Finding, Priority

AT = datetime(2026, 1, 1, tzinfo=UTC)
THRESHOLDS = {"overheating": 0.5}


def _belief(*probabilities: float, dt_s: float = 30.0) -> Belief:
    beliefs: dict[str, Belief] = {}
    for probability in probabilities:
        beliefs = watch(beliefs, {"overheating": probability}, THRESHOLDS, dt_s)
    return beliefs["overheating"]


@pytest.mark.parametrize(
    ("probabilities", "is_active"),
    [
        ((0.9,), False),
        ((0.9, 0.4, 0.9), False),
        ((0.9, 0.9), True),
        ((0.9, 0.9, 0.4, 0.4, 0.4, 0.4, 0.4), True),
        ((0.9, 0.9, 0.1, 0.1, 0.1), True),
        ((0.9, 0.9, 0.1, 0.1, 0.1, 0.1), False),
        ((0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1), True),
    ],
    ids=["once", "broken off", "a minute", "hysteresis", "too short", "two minutes", "back again"],
)
def test_a_mode_must_last_and_must_be_gone_for_long(
    probabilities: tuple[float, ...], is_active: bool
) -> None:
    assert _belief(*probabilities).is_active == is_active


def test_the_rate_of_judging_does_not_matter() -> None:
    assert _belief(*[0.9] * 12, dt_s=5.0).is_active
    assert not _belief(*[0.9] * 11, dt_s=5.0).is_active


def _stated(belief: Belief, probability: float) -> Finding:
    (found,) = decide("s/a/l/u", {"overheating": belief}, {"overheating": probability}, AT)
    return found


def test_priority_does_not_fall_while_the_mode_lasts() -> None:
    belief = _belief(0.95, 0.95, 0.55)
    assert _stated(belief, 0.55).priority == Priority.HIGH


@pytest.mark.parametrize(
    ("peak", "priority"),
    [(0.55, Priority.LOW), (0.75, Priority.MEDIUM), (0.95, Priority.HIGH)],
)
def test_priority_follows_probability(peak: float, priority: Priority) -> None:
    assert _stated(Belief(True, 0.0, peak), peak).priority == priority


def test_an_absent_mode_has_no_priority() -> None:
    assert _stated(Belief(), 0.1).priority is None


def test_the_explanation_names_what_speaks_most() -> None:
    found = explain(
        present("s/a/l/u", "overheating", 0.8, AT),
        {"winding_rise_per_loss": 0.6, "drive_load": 0.2, "drive_speed": 0.0, "x": -0.1},
        {"winding_rise_per_loss": 110.0, "drive_load": 0.7, "drive_speed": 1.0, "x": 1.0},
    )
    assert found.evidence == {
        "winding_rise_per_loss": 110.0,
        "winding_rise_per_loss_share": 0.6,
        "drive_load": 0.7,
        "drive_load_share": 0.2,
    }
    assert found.message.endswith(
        "mostly by winding temperature at this load and load of the drive"
    )


def test_sick_units_do_not_teach_what_is_usual() -> None:
    assert learn(Usual(), {"x": 1.0}, normal=0.5) == Usual()


def test_what_is_usual_rests_on_many_judgements() -> None:
    usual = Usual()
    for _ in range(119):
        usual = learn(usual, {"x": 1.0}, normal=1.0)
    assert usual.figures() == {}
    assert learn(usual, {"x": 1.0}, normal=1.0).figures() == {"x": pytest.approx(1.0)}

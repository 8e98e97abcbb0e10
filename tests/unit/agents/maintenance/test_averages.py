"""Running means: independent of the sampling rate, honest at the start."""

import pytest

from agents.maintenance.averages import Averages, average, is_judgeable, steady


def _after(seconds: float, dt_s: float, value: float, means: Averages) -> Averages:
    for _ in range(round(seconds / dt_s)):
        means = average(means, {"x": value}, dt_s)
    return means


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 5.0, 10.0])
def test_the_rate_of_sampling_does_not_matter(dt_s: float) -> None:
    settled = _after(3600, dt_s, 0.0, Averages())
    stepped = _after(60, dt_s, 1.0, settled)
    assert stepped.fast["x"] == pytest.approx(0.632, abs=0.002)
    assert stepped.slow["x"] == pytest.approx(0.0952, abs=0.002)


def test_the_first_value_weighs_no_more_than_the_next() -> None:
    means = average(average(Averages(), {"x": 0.0}, 1.0), {"x": 1.0}, 1.0)
    assert means.slow["x"] == pytest.approx(0.5)


def test_other_names_begin_anew() -> None:
    assert average(steady({"x": 1.0}), {"y": 2.0}, 5.0).slow == {"y": 2.0}


@pytest.mark.parametrize("dt_s", [0.0, -5.0])
def test_time_that_does_not_pass_changes_nothing(dt_s: float) -> None:
    means = steady({"x": 1.0})
    assert average(means, {"x": 9.0}, dt_s) == means


@pytest.mark.parametrize(
    ("means", "judgeable"),
    [
        (Averages(), False),
        (Averages({"speed": 1.0}, {"speed": 1.0}, 299.0), False),
        (Averages({"speed": 1.0}, {"speed": 0.1}, 900.0), False),
        (Averages({"speed": 1.0}, {"speed": 1.0}, 900.0), True),
        (Averages({"door": 0.0}, {"door": 0.0}, 900.0), True),
    ],
    ids=["nothing", "too short", "stood", "ran", "has no drive"],
)
def test_a_unit_is_judged_only_when_it_can_be(means: Averages, judgeable: bool) -> None:
    assert is_judgeable(means) == judgeable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store.downsample import downsample
from app.store.series import BAD, GAP, GOOD, UNCERTAIN, Columns, columns


def regular(values: list[float], qualities: list[int] | None = None) -> Columns:
    times = [place * 1_000_000 for place in range(len(values))]
    return columns(times, values, qualities or [GOOD] * len(values))


def noise(count: int) -> Columns:
    return regular(np.random.default_rng(1).normal(0, 1, count).tolist())


def test_few_readings_come_back_as_they_are():
    series = downsample(regular([1, 2, 3]), 100)
    assert series.values.tolist() == [1, 2, 3]
    assert series.low.tolist() == series.high.tolist() == [1, 2, 3]


def test_nothing_stays_nothing():
    assert len(downsample(regular([]), 100)) == 0


def test_many_readings_become_about_the_wanted_number():
    assert 80 <= len(downsample(noise(20_000), 100)) <= 100


def test_one_peak_in_a_day_is_kept():
    values = [0.0] * 20_000
    values[12_345] = 99.0
    assert downsample(regular(values), 100).values.max() == 99.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 60))
def test_low_and_high_span_every_reading(values: list[float], points: int):
    series = downsample(regular(values), points)
    assert np.nanmin(series.low) == min(values)
    assert np.nanmax(series.high) == max(values)
    assert np.all(np.diff(series.times_us) > 0)


def test_a_bad_stretch_becomes_one_point_without_value():
    series = downsample(regular([1, 2, 3, 4, 5], [GOOD, BAD, BAD, GOOD, GOOD]), 100)
    assert np.isnan(series.values).tolist() == [False, True, False, False]
    assert series.qualities.tolist() == [GOOD, BAD, GOOD, GOOD]


def test_a_bad_value_never_reaches_low_and_high():
    series = downsample(regular([1, 1e9, 1], [GOOD, BAD, GOOD]), 100)
    assert np.nanmax(series.high) == 1


def test_a_reading_without_value_is_a_bad_stretch():
    series = downsample(regular([1, float("nan"), 3]), 100)
    assert np.isnan(series.values).tolist() == [False, True, False]


def test_only_bad_readings_give_one_point_without_value():
    series = downsample(regular([1, 2], [BAD, BAD]), 100)
    assert np.isnan(series.values).tolist() == [True]


def test_a_long_silence_breaks_the_line():
    times = [0, 1, 2, 3, 600, 601, 602]
    raw = columns([time * 1_000_000 for time in times], [1.0] * 7, [GOOD] * 7)
    series = downsample(raw, 100)
    assert np.isnan(series.values).tolist() == [False] * 4 + [True] + [False] * 3


def test_a_silence_is_no_bad_reading():
    times = [0, 1, 2, 3, 600, 601, 602, 603]
    qualities = [GOOD] * 5 + [BAD] + [GOOD] * 2
    series = downsample(columns([time * 1_000_000 for time in times], [1.0] * 8, qualities), 100)
    assert series.qualities.tolist() == [GOOD] * 4 + [GAP, GOOD, BAD] + [GOOD] * 2


def test_uncertain_readings_are_drawn_and_marked():
    values, qualities = [1.0] * 1000, [GOOD] * 1000
    qualities[500] = UNCERTAIN
    series = downsample(regular(values, qualities), 50)
    assert series.qualities.max() == UNCERTAIN
    assert not np.isnan(series.values).any()


@pytest.mark.parametrize("points", [4, 20, 200])
def test_flickering_quality_does_not_exceed_the_number_of_points(points: int):
    qualities = [GOOD, BAD] * 5_000
    assert len(downsample(regular([1.0] * 10_000, qualities), points)) <= points + 4

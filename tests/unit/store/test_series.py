from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.store.series import columns, from_us, join, to_us

TIMES = st.lists(st.integers(-(10**15), 10**16), max_size=50)


@given(TIMES)
def test_join_orders_times_and_removes_repeats(times: list[int]):
    joined = join([columns(times, [0.0] * len(times), [0] * len(times))])
    assert joined.times_us.tolist() == sorted(set(times))


@given(TIMES)
def test_the_last_of_equal_times_wins(times: list[int]):
    values = [float(place) for place in range(len(times))]
    joined = join([columns(times, values, [0] * len(times))])
    wanted = dict(zip(times, values, strict=True))
    assert joined.values.tolist() == [wanted[time] for time in sorted(wanted)]


def test_a_later_part_replaces_an_earlier_one():
    joined = join([columns([1, 2], [10, 20], [0, 0]), columns([2, 3], [21, 30], [1, 0])])
    assert joined.values.tolist() == [10, 21, 30]
    assert joined.qualities.tolist() == [0, 1, 0]


def test_nothing_joined_is_empty():
    assert len(join([])) == 0


def test_between_takes_the_start_and_leaves_the_end():
    kept = columns([1, 2, 3], [0, 0, 0], [0, 0, 0]).between(1, 3)
    assert kept.times_us.tolist() == [1, 2]


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year < 9999))
def test_microseconds_are_exact_both_ways(at: datetime):
    assert from_us(to_us(at)) == at
    assert to_us(at + timedelta(microseconds=1)) - to_us(at) == 1


def test_a_copy_does_not_follow_the_growing_list():
    times = [1]
    copied = columns(times, [1.0], [0])
    times.append(2)
    assert copied.times_us.tolist() == [1]
    assert copied.times_us.dtype == np.int64

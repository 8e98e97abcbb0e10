"""How long to wait before trying again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backoff import backoff_s

attempts = st.integers(1, 10_000)
spreads = st.floats(0, 1)


@given(attempts, spreads)
def test_the_wait_stays_within_its_bounds(attempt: int, spread: float):
    assert 1.0 <= backoff_s(attempt, 1.0, 60.0, spread) <= 60.0


@given(attempts, spreads)
def test_a_later_try_never_waits_less(attempt: int, spread: float):
    assert backoff_s(attempt + 1, 1.0, 60.0, spread) >= backoff_s(attempt, 1.0, 60.0, spread)


@pytest.mark.parametrize(
    ("attempt", "wait_s"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (99, 60)]
)
def test_the_longest_wait_doubles_up_to_the_cap(attempt: int, wait_s: float):
    assert backoff_s(attempt, 1.0, 60.0, 1.0) == wait_s


def test_two_who_failed_together_come_back_apart():
    assert backoff_s(7, 1.0, 60.0, 0.0) == 30.0
    assert backoff_s(7, 1.0, 60.0, 1.0) == 60.0

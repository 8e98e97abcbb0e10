"""The building blocks are stable at any step and repeat with their seed."""

import math

import pytest

from agents.simulator.dynamics import Lag, Noise, Wander


def test_the_same_seed_and_path_repeat() -> None:
    first, second = Noise(7, "a/b/c/d"), Noise(7, "a/b/c/d")
    assert [first.normal() for _ in range(2000)] == [second.normal() for _ in range(2000)]
    assert first.events.random() == second.events.random()


def test_units_do_not_share_their_noise() -> None:
    assert Noise(7, "a/b/c/d").normal() != Noise(7, "a/b/c/e").normal()


def test_a_lag_reaches_63_percent_after_its_time_constant() -> None:
    lag = Lag(0.0, 100.0)
    assert lag.step(1.0, 100.0) == pytest.approx(1 - math.exp(-1))


def test_a_lag_never_overshoots_however_long_the_step() -> None:
    assert Lag(0.0, 1.0).step(5.0, 1e6) == pytest.approx(5.0)


def test_a_lag_does_not_depend_on_the_step_width() -> None:
    coarse, fine = Lag(0.0, 50.0), Lag(0.0, 50.0)
    coarse.step(3.0, 20.0)
    for _ in range(20):
        fine.step(3.0, 1.0)
    assert fine.value == pytest.approx(coarse.value)


def test_a_wander_stays_within_three_sigma() -> None:
    wander = Wander(Noise(1, "x"), sigma=0.5, tau_s=10.0)
    assert max(abs(wander.step(1.0)) for _ in range(20_000)) <= 1.5


def test_a_poisson_count_has_its_mean() -> None:
    noise = Noise(1, "x")
    low = [noise.poisson(2.0) for _ in range(4000)]
    high = [noise.poisson(100.0) for _ in range(4000)]
    assert sum(low) / len(low) == pytest.approx(2.0, rel=0.06)
    assert sum(high) / len(high) == pytest.approx(100.0, rel=0.02)


def test_a_poisson_count_is_never_negative() -> None:
    noise = Noise(1, "x")
    assert min(noise.poisson(21.0) for _ in range(20_000)) >= 0

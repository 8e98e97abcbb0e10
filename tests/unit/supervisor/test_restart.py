"""When a child is started again and when no more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import SupervisorSettings
from app.supervisor.restart import (
    Verdict,
    after_stop,
    agent_title,
    backing_off_words,
    given_up_words,
    with_last_words,
)

SETTINGS = SupervisorSettings()
gaps = st.lists(st.floats(0, 1000), min_size=1, max_size=60)
spreads = st.floats(0, 1)


def verdicts(gaps_s: list[float], spread: float) -> list[tuple[float, Verdict]]:
    """Stop after stop, each `gap` seconds after the last, as if a person restarted at once."""
    now_s, stops, made = 0.0, (), list[tuple[float, Verdict]]()
    for gap_s in gaps_s:
        now_s += gap_s
        verdict = after_stop(stops, now_s, SETTINGS, spread)
        stops = verdict.stops
        made.append((now_s, verdict))
    return made


@given(gaps, spreads)
def test_never_more_restarts_in_the_window_than_allowed(gaps_s: list[float], spread: float):
    restarts = [at for at, verdict in verdicts(gaps_s, spread) if verdict.wait_s is not None]
    window_s, allowed = SETTINGS.breaker_window_s, SETTINGS.breaker_restarts
    assert all(sum(at - window_s < other <= at for other in restarts) <= allowed for at in restarts)


@given(gaps, spreads)
def test_the_wait_stays_within_its_bounds(gaps_s: list[float], spread: float):
    waits = [v.wait_s for _, v in verdicts(gaps_s, spread) if v.wait_s is not None]
    assert all(SETTINGS.backoff_min_s <= wait <= SETTINGS.backoff_max_s for wait in waits)


@given(gaps, spreads)
def test_only_stops_of_the_window_are_remembered(gaps_s: list[float], spread: float):
    assert all(
        now_s - at < SETTINGS.breaker_window_s or at == now_s
        for now_s, verdict in verdicts(gaps_s, spread)
        for at in verdict.stops
    )


def test_the_sixth_stop_in_five_minutes_opens_the_breaker():
    made = [verdict.wait_s is None for _, verdict in verdicts([10.0] * 6, 1.0)]
    assert made == [False] * 5 + [True]


def test_rare_stops_never_open_the_breaker():
    assert all(v.wait_s is not None for _, v in verdicts([61.0] * 50, 1.0))


def test_after_a_long_good_run_the_wait_is_short_again():
    *_, (_, last) = verdicts([1.0, 1.0, 1.0, 301.0], 1.0)
    assert last.wait_s == SETTINGS.backoff_min_s


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("vibration", "Vibration agent"),
        ("ppe_camera", "Ppe camera agent"),
        ("x", "X agent"),
    ],
)
def test_agents_have_names_people_use(name: str, title: str):
    assert agent_title(name) == title


@pytest.mark.parametrize(
    ("stops", "words"),
    [
        (1, "Vibration agent stopped once, restarting in 20 s"),
        (2, "Vibration agent stopped twice, restarting in 20 s"),
        (3, "Vibration agent stopped 3 times, restarting in 20 s"),
    ],
)
def test_the_reason_while_waiting_is_in_operator_words(stops: int, words: str):
    verdict = Verdict(tuple(map(float, range(stops))), 20.0)
    assert backing_off_words("vibration", verdict, "stopped") == words


def test_the_reason_after_giving_up_says_who_has_to_act():
    verdict = Verdict(tuple(map(float, range(6))), None)
    assert given_up_words("vibration", verdict, "stopped", 300) == (
        "Vibration agent stopped 6 times within 5 min and stays off until someone starts it"
    )


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "Vibration agent stopped"),
        ("no such file", "Vibration agent stopped; it last said: no such file"),
        ("x" * 10_000, f"Vibration agent stopped; it last said: {'x' * 200}"),
    ],
)
def test_the_last_words_are_told_and_kept_short(said: str, words: str):
    assert with_last_words("Vibration agent stopped", said) == words

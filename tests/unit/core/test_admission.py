"""Whether a run may begin beside others of its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.admission import Admission, admit, next_waiting, waits_for_itself
from app.core.workflow import Concurrency, RunMode

A = Admission
MODES = st.sampled_from(list(RunMode))
RULES = st.builds(Concurrency, MODES, max=st.integers(1, 4), queue=st.integers(0, 4))


@pytest.mark.parametrize(
    ("mode", "active", "waiting", "wanted"),
    [
        (RunMode.SINGLE, 0, 0, A.START),
        (RunMode.SINGLE, 1, 0, A.REFUSE),
        (RunMode.RESTART, 0, 0, A.START),
        (RunMode.RESTART, 1, 0, A.REPLACE),
        (RunMode.RESTART, 1, 2, A.REPLACE),
        (RunMode.QUEUED, 0, 0, A.START),
        (RunMode.QUEUED, 1, 0, A.WAIT),
        (RunMode.QUEUED, 0, 1, A.WAIT),
        (RunMode.QUEUED, 1, 3, A.REFUSE),
        (RunMode.PARALLEL, 1, 0, A.START),
        (RunMode.PARALLEL, 2, 0, A.WAIT),
        (RunMode.PARALLEL, 1, 1, A.WAIT),
        (RunMode.PARALLEL, 2, 3, A.REFUSE),
    ],
)
def test_each_mode_admits_as_it_says(mode: RunMode, active: int, waiting: int, wanted: Admission):
    rule = Concurrency(mode, max=2, queue=3)

    assert admit(rule, ["r"] * active, ["w"] * waiting) is wanted


@given(RULES, st.lists(st.sampled_from(["come", "end"]), max_size=40))
def test_no_more_run_at_once_than_the_rule_allows_and_nobody_waits_in_vain(
    rule: Concurrency, events: list[str]
):
    active, waiting = list[str](), list[str]()
    most = rule.max if rule.mode is RunMode.PARALLEL else 1
    for number, event in enumerate(events):
        _happen(rule, event, f"r{number:02d}", active, waiting)
        assert len(active) <= most
        assert next_waiting(rule, active, waiting) is None


def _happen(
    rule: Concurrency, event: str, name: str, active: list[str], waiting: list[str]
) -> None:
    if event == "come":
        admission = admit(rule, active, waiting)
        active += [name] if admission is A.START else []
        waiting += [name] if admission in {A.WAIT, A.REPLACE} else []
        active[:] = [] if admission is A.REPLACE else active
    elif active:
        active.pop(0)
    while chosen := next_waiting(rule, active, waiting):
        waiting.remove(chosen)
        active.append(chosen)


def test_the_oldest_that_waits_is_next():
    assert next_waiting(Concurrency(RunMode.QUEUED), [], ["a", "b"]) == "a"


@pytest.mark.parametrize(
    ("mode", "active", "waiting", "wanted"),
    [
        (RunMode.SINGLE, 0, 0, A.START),
        (RunMode.SINGLE, 1, 0, A.WAIT),
        (RunMode.SINGLE, 0, 1, A.WAIT),
        (RunMode.QUEUED, 1, 99, A.WAIT),
        (RunMode.PARALLEL, 2, 99, A.WAIT),
        (RunMode.RESTART, 1, 0, A.REPLACE),
    ],
)
def test_a_run_within_a_run_waits_where_another_is_refused(
    mode: RunMode, active: int, waiting: int, wanted: Admission
):
    rule = Concurrency(mode, max=2, queue=2)

    assert admit(rule, ["r"] * active, ["w"] * waiting, is_child=True) is wanted


@pytest.mark.parametrize(
    ("within", "waits_for", "wanted"),
    [
        ({"p": ["c"]}, {"c": ["p"]}, True),
        ({"p": ["c"]}, {"c": ["x"]}, False),
        ({"p": ["c"]}, {"c": []}, False),
        ({"p": ["c"]}, {"c": ["p", "x"]}, False),
        ({"p": ["m"], "m": ["c"]}, {"c": ["p"]}, True),
        ({"p": ["c"], "q": ["d"]}, {"c": ["q"], "d": ["p"]}, True),
        ({"p": ["c"], "q": ["d"]}, {"c": ["q"], "d": ["p", "x"]}, False),
        ({"p": ["c"], "q": ["d"]}, {"c": ["p", "q"], "d": ["p", "q"]}, True),
        ({"p": ["c", "e"], "q": ["d"]}, {"c": ["q"], "d": ["x"]}, False),
        ({"p": ["c"], "a": ["b"]}, {"c": ["x"], "b": ["a"]}, False),
    ],
)
def test_a_run_that_would_wait_for_itself_is_found(
    within: dict[str, list[str]], waits_for: dict[str, list[str]], wanted: bool
):
    assert waits_for_itself("c", within, waits_for) is wanted


@given(
    st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from("pqrs"), max_size=3)),
    st.dictionaries(st.sampled_from("pqrs"), st.lists(st.sampled_from("abcd"), max_size=3)),
)
def test_whoever_does_not_wait_for_itself_gets_its_turn_in_some_order(
    within: dict[str, list[str]], waits_for: dict[str, list[str]]
):
    order = _ended(within, waits_for)
    for run in "pqrs":
        assert waits_for_itself(run, within, waits_for) is (run not in order)


def _ended(within: dict[str, list[str]], waits_for: dict[str, list[str]]) -> set[str]:
    """Let runs end one after the other, as long as one can."""
    over = set[str]()
    for _ in range(9):
        for run in "abcdpqrs":
            first = waits_for.get(run, [])
            has_turn = not first or any(each in over for each in first)
            if has_turn and all(each in over for each in within.get(run, [])):
                over.add(run)
    return over

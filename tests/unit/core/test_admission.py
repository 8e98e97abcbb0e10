"""Whether a run may begin beside others of its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.admission import Admission, admit, next_waiting
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

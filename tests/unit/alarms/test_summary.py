"""Counts and the worst alarm, kept up to date with each change."""

import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.alarms.book import AlarmBook
from app.alarms.summary import Tally
from app.core.alarm import Alarm, AlarmState, AlarmSummary, Finding, Priority
from app.core.alarm_machine import HIDDEN_STATES
from app.core.alarm_record import AlarmRecord
from app.settings import AlarmSettings

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def record(
    key: str = "a",
    priority: Priority = Priority.HIGH,
    state: AlarmState = AlarmState.UNACK,
    raised_s: float = 0.0,
    *,
    active: bool = True,
    owes: bool = True,
) -> AlarmRecord:
    at = START + timedelta(seconds=raised_s)
    finding = Finding("vibration", key, "site/area/line/P-102", at, priority)
    return AlarmRecord(Alarm(key, finding, state, active, at, at), owes=owes)


records = st.builds(
    record,
    st.sampled_from("abcdef"),
    st.sampled_from(Priority),
    st.sampled_from(AlarmState),
    st.integers(0, 5).map(float),
    active=st.booleans(),
    owes=st.booleans(),
)


def counted(present: list[AlarmRecord]) -> tuple[list[int], list[int], int]:
    """Count anew what the tally keeps."""
    shown = [each for each in present if each.alarm.state not in HIDDEN_STATES]
    active = [each.alarm.finding.priority for each in shown if each.alarm.active]
    waiting = [each.alarm.finding.priority for each in shown if each.owes]
    return (
        [active.count(level) for level in Priority],
        [waiting.count(level) for level in Priority],
        len(present) - len(shown),
    )


def summary_of(changes: list[AlarmRecord]) -> AlarmSummary:
    tally, present = Tally(), dict[str, AlarmRecord]()
    for each in changes:
        tally.change(present.get(each.alarm.id), each)
        present[each.alarm.id] = each
    return tally.summary(present.get(tally.worst() or ""), flood=False, refused=0)


@given(st.lists(records, max_size=400))
def test_the_kept_counts_are_those_counted_anew(changes: list[AlarmRecord]):
    present = {each.alarm.id: each for each in changes}
    found = summary_of(changes)
    told = (list(found.counts), list(found.unacknowledged), found.hidden)
    assert told == counted(list(present.values()))


@given(st.lists(records, max_size=400))
def test_the_worst_is_the_newest_that_waits_at_the_worst_priority(changes: list[AlarmRecord]):
    present = {each.alarm.id: each.alarm for each in changes}
    waits = {each.alarm.id: each.owes and each.alarm.state not in HIDDEN_STATES for each in changes}
    urgencies = [
        (-(alarm.finding.priority or 4), alarm.raised_at)
        for key, alarm in present.items()
        if waits[key]
    ]
    worst = summary_of(changes).worst
    told = [(-(worst.finding.priority or 4), worst.raised_at)] if worst else []
    assert told == sorted(urgencies)[-1:]


def test_a_change_costs_the_same_among_ten_thousand_alarms_as_among_ten():
    few, many = _cost_s(10), _cost_s(10_000)
    assert many < 10 * few


def _cost_s(standing: int) -> float:
    """CPU seconds of 200 alarms that are raised and summed up among so many others."""
    book = AlarmBook(AlarmSettings())
    for number in range(standing):
        book.put(record(f"old{number}", raised_s=number))
    began = time.process_time()
    for number in range(200):
        book.put(record(f"new{number}", raised_s=standing + number))
        summary = book.summary(flood=False, refused=0)
        assert summary.unacknowledged[1] == standing + number + 1
    return time.process_time() - began

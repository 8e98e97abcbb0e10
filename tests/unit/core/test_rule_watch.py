"""Held rules as one alarm, and a bounded number of lines in the audit."""

from datetime import UTC, datetime, timedelta

from app.core.alarm import Finding, Priority
from app.core.rule_watch import BURST, OVERFLOW, QUIET, WAITING, HeldWatch, RuleNotes

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNIT = "site/area/line/pump"
SECOND = timedelta(seconds=1)


def priorities(findings: list[Finding]) -> list[Priority | None]:
    return [each.priority for each in findings]


def seen(
    watch: HeldWatch, count: int, at: datetime, decided: frozenset[str] = frozenset()
) -> list[Priority | None]:
    return priorities(list(watch.changes({UNIT: count}, set(decided), at)))


def test_a_unit_without_held_rules_is_stated_well_once():
    watch = HeldWatch()
    assert seen(watch, 0, NOW) == [None]
    assert seen(watch, 0, NOW + SECOND) == []


def test_held_rules_are_an_alarm_of_high_priority_with_a_response():
    (finding,) = HeldWatch().changes({UNIT: 2}, set(), NOW)
    assert (finding.agent, finding.condition) == ("commands", "rule_changed")
    assert finding.priority is Priority.HIGH
    assert "2 tags" in finding.message
    assert "engineer" in finding.response


def test_a_decision_ends_the_alarm_at_once():
    watch = HeldWatch()
    seen(watch, 1, NOW)
    assert seen(watch, 0, NOW + SECOND, frozenset({UNIT})) == [None]


def test_what_is_taken_back_ends_the_alarm_when_it_stays_so():
    watch = HeldWatch()
    seen(watch, 1, NOW)
    assert seen(watch, 0, NOW + SECOND) == []
    assert seen(watch, 0, NOW + QUIET) == [None]


def test_a_declaration_that_comes_and_goes_is_one_alarm():
    watch = HeldWatch()
    told = [seen(watch, turn % 2, NOW + turn * SECOND) for turn in range(1, 301)]
    assert told == [[Priority.HIGH]] + [[]] * 299


def test_more_held_tags_are_told():
    watch = HeldWatch()
    seen(watch, 1, NOW)
    assert seen(watch, 2, NOW + SECOND) == [Priority.HIGH]


def test_a_unit_and_action_is_noted_once_in_ten_minutes_with_the_newest_words():
    notes = RuleNotes()
    notes.add("held", UNIT, "a")
    assert [each.why for each in notes.due(NOW)] == ["a"]
    notes.add("held", UNIT, "b")
    notes.add("held", UNIT, "c")
    assert notes.due(NOW + SECOND) == []
    assert [each.why for each in notes.due(NOW + timedelta(minutes=10))] == ["c"]


def test_many_units_are_noted_at_a_bounded_rate():
    notes = RuleNotes()
    for number in range(500):
        notes.add("first", f"{UNIT}{number}", "speed")
    assert len(notes.due(NOW)) == BURST
    assert len(notes.due(NOW + timedelta(minutes=1))) == 6


def test_of_more_than_may_wait_the_number_is_noted():
    notes = RuleNotes()
    for number in range(WAITING + 7):
        notes.add("first", f"{UNIT}{number}", "speed")
    at, told = NOW, notes.due(NOW)
    for _ in range(20):
        at += timedelta(minutes=20)
        told += notes.due(at)
    assert len(told) == WAITING + 1
    assert (told[-1].action, told[-1].why[:2]) == (OVERFLOW, "7 ")


def test_what_could_not_be_noted_is_due_again():
    notes = RuleNotes()
    notes.add("held", UNIT, "a")
    (note,) = notes.due(NOW)
    notes.retry(note)
    assert notes.due(NOW + SECOND) == [note]

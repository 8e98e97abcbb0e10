from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from agents.backlog.shift import MOST_ALARMS, Raises, summary
from app.core.alarm import Alarm, AlarmState, Finding, Priority

NOW = datetime(2026, 1, 1, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")


def alarm(name: str = "a", at: datetime = NOW, state: AlarmState = AlarmState.UNACK) -> Alarm:
    finding = Finding("limits", "high", f"s/a/l/{name}/flow", at, Priority.HIGH, message="Flow")
    return Alarm(name, finding, state, True, at, at)


def test_an_alarm_counts_once_however_often_it_is_told():
    raises = Raises([])
    raises.take(alarm(), NOW)
    raises.take(alarm(state=AlarmState.ACK), NOW)

    assert len(raises.all()) == 1


def test_an_alarm_that_comes_again_counts_again():
    raises = Raises([])
    raises.take(alarm(), NOW)
    raises.take(alarm(at=NOW + HOUR), NOW + HOUR)

    assert len(raises.all()) == 2


def test_only_raises_of_the_shift_are_counted():
    raises = Raises([])
    raises.take(alarm("early", NOW - HOUR), NOW)
    raises.take(alarm("now"), NOW)
    raises.take(alarm("late", NOW + HOUR), NOW + HOUR)

    assert [each.alarm for each in raises.between(NOW, NOW + HOUR)] == ["now"]


def test_what_is_two_days_old_is_forgotten_and_not_taken_again():
    raises = Raises([])
    raises.take(alarm("old"), NOW)
    raises.take(alarm("new", NOW + 49 * HOUR), NOW + 49 * HOUR)
    raises.take(alarm("old"), NOW + 49 * HOUR)

    assert [each.alarm for each in raises.all()] == ["new"]


def flooded(count: int) -> Raises:
    raises = Raises([])
    for number in range(count):
        raises.take(alarm(str(number)), NOW)
    return raises


def test_a_flood_does_not_grow_the_memory_without_end():
    assert len(flooded(MOST_ALARMS + 10).all()) == MOST_ALARMS


def test_a_summary_says_when_it_did_not_hear_the_whole_shift():
    summed = summary(NOW, NOW + HOUR, (0, 0, 0), [], NOW + HOUR / 2, zone=BERLIN)

    assert "before 15:30, when the agent began to listen" in summed.note


def test_a_summary_counts_by_priority_and_names_the_worst_unit():
    raises = Raises([])
    raises.take(alarm("a"), NOW)
    raises.take(alarm("a", NOW + HOUR), NOW + HOUR)
    raises.take(alarm("b"), NOW + HOUR)

    summed = summary(NOW, NOW + 2 * HOUR, (1, 2, 3), raises.all(), NOW, zone=BERLIN)

    assert summed.alarms_by_priority == (0, 3, 0, 0)
    assert list(summed.worst.items()) == [("s/a/l/a/flow", 2), ("s/a/l/b/flow", 1)]
    assert summed.note == ""

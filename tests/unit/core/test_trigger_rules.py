"""When a trigger starts a run: quiet, cooldown, times over the change of summer time, and ids."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.trigger_rules import HELD, HELD_BYTES, Quiet, event_run_id, last_time
from app.core.workflow import Trigger, TriggerKind

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)


def trigger(**fields: Any) -> Trigger:
    return Trigger(TriggerKind.MQTT, **fields)


def schedule(cron: str) -> Trigger:
    return Trigger(TriggerKind.SCHEDULE, cron=cron)


def times(cron: str, start: datetime, hours: float) -> list[str]:
    """Return the times that a clock that ticks each minute finds."""
    ticks = (start + timedelta(minutes=each, seconds=1) for each in range(int(hours * 60)))
    found = [last_time(schedule(cron), tick, BERLIN) for tick in ticks]
    return list(dict.fromkeys(f"{at:%d %H:%M}" for at in found if at))


def test_an_event_counts_once_it_has_been_quiet():
    rule, quiet = trigger(debounce_s=5), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "a", {"n": 2}, 3)

    assert quiet.due(rule, 7.9) == []
    assert quiet.due(rule, 8) == [("a", {"n": 2})]
    assert quiet.due(rule, 99) == []


def test_keys_are_quiet_by_themselves():
    rule, quiet = trigger(debounce_s=5), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "b", {"n": 2}, 3)

    assert quiet.due(rule, 5) == [("a", {"n": 1})]


def test_without_a_debounce_every_event_counts():
    rule, quiet = trigger(), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "a", {"n": 2}, 0)

    assert quiet.due(rule, 0) == [("a", {"n": 1}), ("a", {"n": 2})]


def test_within_a_cooldown_nothing_of_the_key_counts():
    rule, quiet = trigger(cooldown_s=10), Quiet()
    quiet.begun("a", 0)
    quiet.offer(rule, "a", {"n": 1}, 9)
    quiet.offer(rule, "b", {"n": 2}, 9)

    assert quiet.due(rule, 9) == [("b", {"n": 2})]


def test_after_a_cooldown_it_counts_again():
    rule, quiet = trigger(cooldown_s=10), Quiet()
    quiet.begun("a", 0)
    quiet.offer(rule, "a", {"n": 1}, 10)

    assert quiet.due(rule, 10) == [("a", {"n": 1})]


def test_of_events_at_once_a_cooldown_lets_the_first_count():
    rule, quiet = trigger(cooldown_s=10), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "a", {"n": 2}, 0)

    assert quiet.due(rule, 0) == [("a", {"n": 1})]
    quiet.begun("a", 0)
    assert quiet.due(rule, 1) == []


def test_of_events_at_once_the_second_counts_if_the_first_starts_nothing():
    rule, quiet = trigger(cooldown_s=10), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "a", {"n": 2}, 0)
    quiet.due(rule, 0)

    assert quiet.due(rule, 1) == [("a", {"n": 2})]


def test_an_alarm_that_ends_before_it_was_quiet_starts_nothing():
    rule, quiet = trigger(debounce_s=5), Quiet()
    quiet.offer(rule, "unit", {"alarm": "one"}, 0)
    quiet.withdraw("one")

    assert quiet.due(rule, 99) == []


def test_another_alarm_that_ends_changes_nothing():
    rule, quiet = trigger(debounce_s=5), Quiet()
    quiet.offer(rule, "unit", {"alarm": "one"}, 0)
    quiet.withdraw("two")

    assert quiet.due(rule, 5) == [("unit", {"alarm": "one"})]


def test_what_another_orchestrator_has_heeded_is_forgotten():
    rule, quiet = trigger(), Quiet()
    quiet.offer(rule, "a", {"n": 1}, 0)
    quiet.offer(rule, "a", {"n": 2}, 8)
    quiet.drop(5)

    assert quiet.due(rule, 9) == [("a", {"n": 2})]


def test_a_flood_of_events_is_bounded():
    rule, quiet = trigger(), Quiet()
    for number in range(HELD + 5):
        quiet.offer(rule, "a", {"n": number}, 0)

    found = quiet.due(rule, 0)
    assert len(found) == HELD
    assert found[0] == ("a", {"n": 5})


LARGE = {"x": "y" * (HELD_BYTES // 4)}


def test_large_events_are_bounded_by_their_bytes_the_oldest_are_forgotten():
    rule, quiet = trigger(debounce_s=5), Quiet()
    forgotten = [quiet.offer(rule, key, LARGE, 0) for key in "abcde"]

    assert forgotten == [[], [], [], ["a"], ["b"]]
    assert quiet.keys == {"c", "d", "e"}


def test_a_later_event_of_a_key_and_one_that_counted_take_no_room():
    rule, quiet = trigger(debounce_s=5), Quiet()
    forgotten = [quiet.offer(rule, "a", LARGE, 0) for _ in range(9)]
    assert len(quiet.due(rule, 5)) == 1
    forgotten += [quiet.offer(rule, key, LARGE, 6) for key in "bcd"]

    assert forgotten == [[]] * 12


def test_one_event_waits_however_large_it_is():
    rule, quiet = trigger(debounce_s=5), Quiet()
    huge = {"x": "y" * HELD_BYTES}

    assert quiet.offer(rule, "a", huge, 0) == []
    assert quiet.offer(rule, "b", huge, 1) == ["a"]
    assert quiet.due(rule, 9) == [("b", huge)]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from("ab")), max_size=40))
def test_two_runs_of_a_key_are_never_nearer_than_the_cooldown(events: list[tuple[float, str]]):
    rule, quiet, started = trigger(cooldown_s=7), Quiet(), dict[str, list[float]]()
    for at_s, key in sorted(events):
        quiet.offer(rule, key, {}, at_s)
        for name, _ in quiet.due(rule, at_s):
            quiet.begun(name, at_s)
            started.setdefault(name, []).append(at_s)

    gaps = [b - a for each in started.values() for a, b in pairwise(each)]
    assert all(gap >= 7 for gap in gaps)


@pytest.mark.parametrize(
    ("cron", "day", "found"),
    [
        ("30 1 * * *", SPRING, ["29 00:30"]),
        ("30 2 * * *", SPRING, ["29 01:00"]),
        ("0 * * * *", SPRING, ["29 00:00", "29 01:00", "29 02:00", "29 03:00"]),
        ("30 2 * * *", AUTUMN, ["25 00:30"]),
        ("0 * * * *", AUTUMN, ["25 00:00", "25 01:00", "25 02:00", "25 03:00"]),
        ("", SPRING, ["29 04:00"]),
        ("", AUTUMN, ["25 05:00"]),
    ],
)
def test_schedules_keep_plant_time_over_the_change_of_summer_time(
    cron: str, day: datetime, found: list[str]
):
    assert times(cron, day, 3.9 if cron else 6) == found


def test_a_time_missed_while_the_app_was_down_is_made_up_for_soon_after_only():
    rule, noon = schedule("0 12 * * *"), datetime(2026, 6, 1, 10, 0, tzinfo=UTC)

    assert last_time(rule, noon + timedelta(minutes=9), BERLIN) == noon
    assert last_time(rule, noon + timedelta(minutes=11), BERLIN) is None


def test_one_event_has_one_id():
    again = {event_run_id("w", 0, "alarm 1", SPRING) for _ in range(3)}
    others = {
        event_run_id("w", 1, "alarm 1", SPRING),
        event_run_id("v", 0, "alarm 1", SPRING),
        event_run_id("w", 0, "alarm 2", SPRING),
    }

    assert len(again) == 1
    assert len(again | others) == 4


def test_ids_sort_by_time():
    first, second = event_run_id("w", 0, "z", SPRING), event_run_id("w", 0, "a", AUTUMN)

    assert first < second

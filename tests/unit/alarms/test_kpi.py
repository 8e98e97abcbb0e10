"""Key figures against figures computed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from app.alarms.kpi import AlarmKpi, compute_kpi, percentile
from app.core.alarm import Alarm, AlarmState, Finding, JournalEntry, Priority
from app.settings import AlarmSettings

START = datetime(2026, 1, 1, tzinfo=UTC)
NORMAL, UNACK, ACK = AlarmState.NORMAL, AlarmState.UNACK, AlarmState.ACK
RTN, SHELVED = AlarmState.RTN_UNACK, AlarmState.SHELVED


def entry(
    minute: float,
    event: str = "raise",
    key: str = "a",
    move: tuple[AlarmState, AlarmState] = (NORMAL, UNACK),
    priority: int = 3,
) -> JournalEntry:
    return JournalEntry(
        number=0,
        at=START + timedelta(minutes=minute),
        alarm_id=key,
        actor="system",
        event=event,
        old=move[0],
        new=move[1],
        priority=priority,
        equipment=f"site/area/line/{key}",
        message=f"message {key}",
    )


def alarm(key: str, hours: float, state: AlarmState = ACK, *, active: bool = True) -> Alarm:
    """Return an alarm raised `hours` before the end of a 24-hour range."""
    at = START + timedelta(hours=24 - hours)
    finding = Finding("limits", "high", f"site/area/line/{key}", at, priority=Priority.HIGH)
    return Alarm(key, finding, state, active, at, at)


def kpi(*entries: JournalEntry, alarms: tuple[Alarm, ...] = (), hours: float = 24) -> AlarmKpi:
    end = START + timedelta(hours=hours)
    return compute_kpi(entries, alarms, START, end, AlarmSettings())


def met(computed: AlarmKpi) -> dict[str, bool]:
    return {figure.name: figure.is_met for figure in computed.figures}


def test_a_quiet_day_meets_every_goal() -> None:
    computed = kpi()
    assert all(met(computed).values())
    assert (computed.announced, computed.top, computed.acknowledge_median_s) == (0, (), None)


def test_rates_are_averages_over_the_whole_range() -> None:
    computed = kpi(*(entry(10 * index) for index in range(18)), hours=6)
    assert computed.announced == 18
    assert computed.per_10_min == pytest.approx(18 / 36)
    assert computed.per_hour == pytest.approx(3)


@pytest.mark.parametrize(("count", "expected"), [(144, True), (145, False)])
def test_one_alarm_in_ten_minutes_is_the_most_that_is_good(count: int, *, expected: bool) -> None:
    computed = kpi(*(entry(index * 9.9, key=f"k{index}") for index in range(count)))
    assert met(computed)["rate"] is expected


def test_the_peak_is_the_worst_step_of_ten_minutes() -> None:
    computed = kpi(*(entry(minute) for minute in (0, 1, 2, 11, 12, 13, 14, 30)))
    assert computed.peak_per_10_min == 4


def test_only_announcements_count() -> None:
    computed = kpi(
        entry(0),
        entry(1, "acknowledge", move=(UNACK, ACK)),
        entry(2, "return", move=(ACK, NORMAL)),
        entry(3, "raise", key="b", move=(SHELVED, SHELVED)),
        entry(4, "expire", key="b", move=(SHELVED, UNACK)),
        entry(5, "escalate", key="b", move=(UNACK, UNACK)),
        entry(6, "ease", key="b", move=(UNACK, UNACK)),
    )
    assert computed.announced == 3


def test_lines_before_the_range_are_not_counted_in_it() -> None:
    assert kpi(entry(-5), entry(5)).announced == 1


def test_time_in_flood_runs_from_the_tenth_alarm_until_four_remain() -> None:
    # Ten alarms in minutes 0 to 9: the flood begins at 9. Alarm number six (minute 5) leaves
    # the window at 15, then four remain: 6 of 60 minutes.
    computed = kpi(*(entry(minute, key=f"k{minute}") for minute in range(10)), hours=1)
    assert computed.floods == 1
    assert computed.flood_share == pytest.approx(6 / 60)
    assert not met(computed)["flood"]


def test_a_flood_that_began_before_the_range_counts_from_its_start() -> None:
    # As above but ten minutes earlier: the flood is from minute -1 to 5.
    computed = kpi(*(entry(minute - 10, key=f"k{minute}") for minute in range(10)), hours=1)
    assert computed.flood_share == pytest.approx(5 / 60)


def test_a_flood_that_goes_on_counts_until_the_end_of_the_range() -> None:
    # The tenth alarm is at minute 58.5, so 1.5 of 60 minutes.
    computed = kpi(*(entry(54 + index / 2) for index in range(10)), hours=1)
    assert computed.flood_share == pytest.approx(1.5 / 60)


def test_nine_alarms_are_no_flood() -> None:
    assert kpi(*(entry(minute) for minute in range(9))).flood_share == 0


def test_the_most_frequent_come_first_with_their_share() -> None:
    computed = kpi(*(entry(20 * index, key=key) for index, key in enumerate("abbcccabcb")))
    assert [(each.alarm_id, each.count, each.share) for each in computed.top] == [
        ("b", 4, 0.4),
        ("c", 4, 0.4),
        ("a", 2, 0.2),
    ]


def test_there_are_ten_most_frequent_at_most() -> None:
    computed = kpi(*(entry(20 * index, key=f"k{index}") for index in range(30)))
    assert len(computed.top) == 10


def test_three_transitions_in_a_minute_are_chattering() -> None:
    moves = [
        entry(0),
        entry(0.3, "return", move=(UNACK, RTN)),
        entry(0.6, move=(RTN, UNACK)),
        entry(0.9, "return", move=(UNACK, RTN)),
        entry(2, "raise", "b"),
        entry(3, "return", "b", move=(UNACK, RTN)),
        entry(4, "raise", "b", move=(RTN, UNACK)),
    ]
    computed = kpi(*moves)
    assert [(each.alarm_id, each.transitions) for each in computed.chattering] == [("a", 4)]
    assert not met(computed)["chattering"]


def test_what_happens_while_hidden_is_no_chattering() -> None:
    hidden = (SHELVED, SHELVED)
    events = ("raise", "return", "raise", "return")
    moves = [entry(index / 10, event, move=hidden) for index, event in enumerate(events)]
    assert kpi(*moves).chattering == ()


def test_alarms_that_stand_for_more_than_a_day_are_stale() -> None:
    alarms = (
        alarm("old", 25),
        alarm("fresh", 23),
        alarm("hidden", 30, SHELVED),
        alarm("gone", 30, RTN, active=False),
    )
    computed = kpi(alarms=alarms)
    assert [each.id for each in computed.stale] == ["old"]
    assert (computed.standing, computed.shelved, computed.hidden) == (2, 1, 1)
    assert computed.unacknowledged_for_s == 30 * 3600


@pytest.mark.parametrize(("count", "expected"), [(4, True), (5, False)])
def test_fewer_than_five_stale_alarms_are_good(count: int, *, expected: bool) -> None:
    computed = kpi(alarms=tuple(alarm(f"k{index}", 30) for index in range(count)))
    assert met(computed)["stale"] is expected


def test_priorities_are_shares_beside_their_goals() -> None:
    levels = [1] + [2] * 5 + [3] * 14 + [4] * 80
    computed = kpi(*(entry(index, priority=level) for index, level in enumerate(levels)))
    assert [(each.count, each.share, each.goal) for each in computed.levels] == [
        (1, 0.01, 0.01),
        (5, 0.05, 0.05),
        (14, 0.14, 0.15),
        (80, 0.80, 0.80),
    ]


def test_time_to_acknowledge_runs_from_the_last_announcement() -> None:
    moves = [
        entry(0),
        entry(2, "acknowledge", move=(UNACK, ACK)),
        entry(10, key="b"),
        entry(11, "return", "b", (UNACK, RTN)),
        entry(12, "raise", "b", (RTN, UNACK)),
        entry(13, "acknowledge", "b", (UNACK, ACK)),
        entry(20, "acknowledge", "c", (UNACK, ACK)),
    ]
    computed = kpi(*moves)
    assert computed.acknowledge_median_s == pytest.approx(90)  # of 120 s and 60 s
    assert computed.acknowledge_p95_s == pytest.approx(117)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7.0], 0.95, 7.0), ([1.0, 2.0, 3.0], 0.5, 2.0), ([0.0, 10.0], 0.95, 9.5)],
)
def test_percentiles_lie_between_neighbours(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_a_day_has_a_bar_every_ten_minutes() -> None:
    computed = kpi(entry(0, priority=1), entry(9.99, priority=4), entry(1439, priority=2))
    assert (len(computed.bars), computed.bar_s) == (144, 600)
    assert computed.bars[0].counts == (1, 0, 0, 1)
    assert computed.bars[-1].counts == (0, 1, 0, 0)


def test_a_month_has_no_more_bars_than_a_day() -> None:
    computed = kpi(entry(29 * 1440), hours=30 * 24)
    assert (len(computed.bars), computed.bar_s) == (144, 18_000)
    assert sum(sum(bar.counts) for bar in computed.bars) == 1


def test_an_empty_range_is_no_error() -> None:
    assert kpi(hours=0).bars == ()

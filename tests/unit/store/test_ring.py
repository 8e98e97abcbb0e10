from datetime import UTC, datetime, timedelta

from app.core.reading import Quality, Reading
from app.store.ring import Rings
from app.store.series import Columns, columns, to_us

START = datetime(2026, 1, 1, tzinfo=UTC)
TAG = "s/a/l/u/t"


def reading(second: float, value: float | None = 1.0, tag: str = TAG) -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(tag, value, Quality.GOOD, at, at)


def times(rings: Rings, since_s: float = -1e6) -> list[float]:
    kept = rings.since(TAG, to_us(START + timedelta(seconds=since_s)))
    return [(time - to_us(START)) / 1e6 for time in kept.times_us.tolist()]


def test_the_whole_span_is_kept():
    rings = Rings(minutes=1)
    rings.add([reading(second) for second in range(500)])
    assert times(rings, 439)[0] == 439
    assert times(rings)[-1] == 499


def test_memory_does_not_grow_beyond_the_span():
    rings = Rings(minutes=1)
    rings.add([reading(second) for second in range(10_000)])
    assert len(times(rings)) <= 128


def test_an_unknown_tag_has_nothing():
    assert times(Rings(minutes=1)) == []


def test_late_readings_come_in_order():
    rings = Rings(minutes=1)
    rings.add([reading(5), reading(3), reading(4)])
    assert times(rings) == [3, 4, 5]


def test_a_repeated_time_keeps_the_last_value():
    rings = Rings(minutes=1)
    rings.add([reading(5, 1.0), reading(5, 2.0)])
    assert rings.since(TAG, 0).values.tolist() == [2.0]


def test_a_replayed_year_does_not_fill_the_memory():
    rings = Rings(minutes=15)
    rings.add([reading(900 * place) for place in range(35_000)])
    assert len(times(rings)) <= 64


def test_a_fast_tag_keeps_less_time_and_no_more_memory():
    rings = Rings(minutes=240)
    rings.add([reading(place / 1000) for place in range(40_000)])
    assert len(times(rings)) == 32_768


def of(*seconds: float, value: float = 9.0) -> Columns:
    times = [to_us(START + timedelta(seconds=second)) for second in seconds]
    return columns(times, [value] * len(times), [0] * len(times))


def test_what_an_earlier_process_kept_comes_before_what_is_new():
    rings = Rings(minutes=1)
    rings.add([reading(50), reading(51)])
    rings.recall(TAG, of(31, 30, 32))
    rings.add([reading(52)])
    assert times(rings) == [30, 31, 32, 50, 51, 52]


def test_what_is_older_than_the_span_is_not_recalled():
    rings = Rings(minutes=1)
    rings.recall(TAG, of(-100, -0.5, 0.5, 60))
    assert times(rings) == [0.5, 60]


def test_of_repeats_the_one_that_is_here_stays():
    rings = Rings(minutes=1)
    rings.add([reading(50, 1.0)])
    rings.recall(TAG, of(50, value=9.0))
    assert rings.since(TAG, 0).values.tolist() == [1.0]


def test_a_recalled_ring_goes_on_to_forget_the_oldest():
    rings = Rings(minutes=1)
    rings.recall(TAG, of(*range(64)))
    rings.add([reading(second) for second in range(64, 500)])
    kept = times(rings)
    assert kept[-1] == 499
    assert kept == sorted(set(kept))
    assert len(kept) <= 128

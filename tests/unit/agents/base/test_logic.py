from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.base.logic import Window, Windows
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, ReadingMessage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PATH = "s/a/l/pump"
UNIT = Equipment(PATH, "Pump", tags=(Tag(f"{PATH}/flow", stale_after_s=5.0),))


def heard(*readings: tuple[float, float | None, Quality], window_s: float = 60.0) -> Windows:
    """Return windows that heard (age s, value, quality) of one tag, each when it was new."""
    windows = Windows(("flow",), window_s)
    for age_s, value, quality in readings:
        at = NOW - timedelta(seconds=age_s)
        windows.take(f"{PATH}/flow", ReadingMessage(value, quality, at), at)
    return windows


def window(windows: Windows) -> Window:
    return windows.window(UNIT, NOW)


def test_the_latest_good_value_is_seen():
    seen = window(heard((2, 1.0, Quality.GOOD), (1, 2.0, Quality.GOOD)))

    assert seen.latest("flow") == 2.0
    assert seen.values("flow") == [1.0, 2.0]
    assert seen.times("flow") == [NOW - timedelta(seconds=2), NOW - timedelta(seconds=1)]


def test_a_tag_never_heard_of_has_no_value():
    seen = window(heard())

    assert (seen.latest("flow"), seen.values("flow"), seen.times("flow")) == (None, [], [])


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.UNCERTAIN])
def test_after_a_reading_that_is_not_good_there_is_no_latest_value(quality: Quality):
    seen = window(heard((2, 1.0, Quality.GOOD), (1, 99.0, quality)))

    assert seen.latest("flow") is None
    assert seen.values("flow") == [1.0]


def test_a_good_reading_after_a_bad_one_counts_again():
    seen = window(heard((2, None, Quality.BAD), (1, 3.0, Quality.GOOD)))

    assert seen.latest("flow") == 3.0


def test_a_good_reading_without_a_value_is_no_reading():
    assert window(heard((1, None, Quality.GOOD))).latest("flow") is None


def test_a_value_older_than_its_tag_allows_is_not_the_latest():
    assert window(heard((5.1, 1.0, Quality.GOOD))).latest("flow") is None
    assert window(heard((5.0, 1.0, Quality.GOOD))).latest("flow") == 1.0


def test_an_undeclared_tag_goes_stale_like_the_default():
    windows = heard((6, 1.0, Quality.GOOD))

    assert windows.window(Equipment(PATH, "Pump"), NOW).latest("flow") is None


def test_what_leaves_the_window_is_forgotten():
    seen = window(heard((20, 1.0, Quality.GOOD), (1, 2.0, Quality.GOOD), window_s=10))

    assert seen.values("flow") == [2.0]


def test_a_part_of_the_window_can_be_asked_for():
    readings = [(float(age), float(age), Quality.GOOD) for age in range(9, -1, -1)]

    assert window(heard(*readings)).values("flow", 3.0) == [3.0, 2.0, 1.0, 0.0]


def test_a_repeated_or_late_reading_is_not_counted_twice():
    seen = window(heard((1, 1.0, Quality.GOOD), (1, 1.0, Quality.GOOD), (2, 9.0, Quality.GOOD)))

    assert seen.values("flow") == [1.0]


@pytest.mark.parametrize("off_s", [-61.0, 61.0, 86_400.0])
def test_a_source_clock_far_off_is_not_believed(off_s: float):
    windows = Windows(("flow",), 60.0)

    at = NOW + timedelta(seconds=off_s)
    assert not windows.take(f"{PATH}/flow", ReadingMessage(1.0, t=at), NOW)


def test_a_reading_without_a_time_counts_from_its_arrival():
    windows = Windows(("flow",), 60.0)

    assert windows.take(f"{PATH}/flow", ReadingMessage(1.0), NOW)
    assert window(windows).times("flow") == [NOW]


def test_a_tag_the_agent_does_not_read_is_ignored():
    windows = Windows(("flow",), 60.0)

    assert not windows.take(f"{PATH}/pressure", ReadingMessage(1.0), NOW)
    assert windows.units() == []


def test_units_do_not_mix():
    windows = Windows(("flow",), 60.0)
    windows.take("s/a/l/one/flow", ReadingMessage(1.0), NOW)
    windows.take("s/a/l/two/flow", ReadingMessage(2.0), NOW)

    assert windows.window(Equipment("s/a/l/one", "One"), NOW).values("flow") == [1.0]


def test_a_binary_reading_is_a_number():
    windows = Windows(("flow",), 60.0)
    windows.take(f"{PATH}/flow", ReadingMessage(True), NOW)

    assert window(windows).present(("flow", "pressure")) == {"flow": 1.0}


@given(
    st.lists(
        st.tuples(
            st.floats(-200, 200),
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from(Quality),
        )
    )
)
def test_values_are_always_in_order_of_time_and_within_the_window(
    readings: list[tuple[float, float, Quality]],
):
    windows = Windows(("flow",), 60.0)
    for age_s, value, quality in readings:
        at = NOW - timedelta(seconds=age_s)
        windows.take(f"{PATH}/flow", ReadingMessage(value, quality, at), NOW)

    times = window(windows).times("flow")
    assert times == sorted(set(times))
    assert not times or times[0] >= NOW - timedelta(seconds=60)

"""Frames are valid JSON, small, and thinning keeps what matters."""

import json
import math
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.alarm import Alarm, AlarmState, AlarmSummary, Finding, Priority
from app.core.equipment import Limits, Tag, TagKind
from app.core.reading import Quality, Reading, Reason
from app.live import frames

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
TAG = Tag(path="a/b/c/d/flow", decimals=1)


def reading(value: float | None, age_s: float = 0.0, **fields: object) -> Reading:
    at = NOW - timedelta(seconds=age_s)
    made = Reading("a/b/c/d/flow", value, Quality.GOOD, at, at)
    return Reading(**{**{f: getattr(made, f) for f in made.__struct_fields__}, **fields})  # type: ignore[arg-type]


def parsed(text: str) -> list[object]:
    return json.loads(f"[{text}]")


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 6))
def test_every_float_becomes_valid_json(value: float, decimals: int):
    told = json.loads(frames.number(value, decimals))
    assert told is None or math.isfinite(told)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (12.3456, 1, "12.35"),
        (12.0, 1, "12"),
        (-0.0001, 1, "0"),
        (0.0, 0, "0"),
        (100.0, 2, "100"),
        (1e300, 1, "1e+300"),
        (None, 1, "null"),
    ],
)
def test_numbers_are_short(value: float | None, decimals: int, text: str):
    assert frames.number(value, decimals) == text


def test_a_fresh_good_value_is_only_its_number():
    assert frames.fragment(reading(12.3), TAG, NOW) == "12.3"


def test_an_older_good_value_carries_its_age():
    assert parsed(frames.fragment(reading(12.3, age_s=40), TAG, NOW)) == [12.3, "g", 40]


def test_an_uncertain_value_carries_age_and_reason():
    told = frames.fragment(
        reading(12.3, age_s=9, quality=Quality.UNCERTAIN, reason=Reason.STALE), TAG, NOW
    )
    assert parsed(told) == [12.3, "u", 9, "stale"]


def test_a_value_from_the_future_has_no_negative_age():
    assert frames.fragment(reading(1.0, age_s=-30), TAG, NOW) == "1"


def test_no_reading_is_bad_and_says_so():
    assert parsed(frames.fragment(None, TAG, NOW)) == [None, "b", 0, "no_value"]


def test_states_and_counters_are_whole_numbers():
    tag = Tag(path="a/b/c/d/state", kind=TagKind.STATE, decimals=3)
    assert frames.fragment(reading(2.04), tag, NOW) == "2"


def test_200_values_stay_below_3_kb():
    text = frames.frame(1_763_733_721_000, [(i, frames.number(i * 7.123, 1)) for i in range(200)])
    assert len(text) < 3_000
    assert len(json.loads(text)["v"]) == 200


def test_hello_leaves_out_what_says_nothing():
    told = json.loads(frames.hello(1, "b", [("a/b/c/d/flow", TAG), ("a/b/c/d/none", None)]))
    assert told["tags"][1] == {"path": "a/b/c/d/none", "missing": True}
    assert "normal_low" not in told["tags"][0]
    assert told["tags"][0]["low"] == 0.0


def test_hello_tells_limits_and_states():
    tag = Tag(path="a/b/c/d/x", limits=Limits(high=4.5), states={0: "stopped"})
    told = json.loads(frames.hello(1, "b", [(tag.path, tag)]))["tags"][0]
    assert told["limits"] == {"high": 4.5}
    assert told["states"] == {"0": "stopped"}


def alarm(number: int) -> Alarm:
    finding = Finding("limits", "high", "a/b/c/d", NOW, Priority.HIGH, message="Too high")
    return Alarm(f"a{number}", finding, AlarmState.UNACK, True, NOW, NOW)


def name_of(path: str) -> str:
    return {"a/b/c/d": "Cooling pump"}.get(path, "")


def test_an_alarm_message_names_the_worst():
    summary = AlarmSummary(counts=(0, 1, 0, 0), unacknowledged=(0, 1, 0, 0), worst=alarm(1))
    told = json.loads(frames.alarms(5, summary, [], name_of))
    assert told["counts"] == [0, 1, 0, 0]
    assert told["worst"]["id"] == "a1"
    assert told["worst"]["priority"] == 2
    assert told["units"] == {"a/b/c/d": "Cooling pump"}
    assert told["reset"] is False


def test_an_alarm_message_names_the_unit_of_a_tag_and_leaves_out_unknown_units():
    tag_alarm = msgspec.structs.replace(
        alarm(1), finding=msgspec.structs.replace(alarm(1).finding, equipment="a/b/c/d/flow")
    )
    unknown = msgspec.structs.replace(
        alarm(2), finding=msgspec.structs.replace(alarm(2).finding, equipment="x/b/c/d")
    )
    told = json.loads(frames.alarms(5, AlarmSummary(), [tag_alarm, unknown], name_of))
    assert told["units"] == {"a/b/c/d": "Cooling pump"}


def test_a_flood_of_alarms_is_cut_and_counted():
    rows = [alarm(number) for number in range(frames.ROWS_LIMIT + 30)]
    told = json.loads(frames.alarms(5, AlarmSummary(), rows, name_of, is_all=True))
    assert len(told["rows"]) == frames.ROWS_LIMIT
    assert told["more"] == 30


@settings(deadline=None)  # a loaded machine is no failure
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), max_size=500),
    st.integers(2, 60),
)
def test_thinning_is_bounded_ordered_and_keeps_the_extremes(values: list[float], points: int):
    times = np.arange(len(values), dtype=np.int64) * 1_000_000
    told_times, told = frames.thin(times, np.array(values, dtype=np.float64), points)
    assert len(told_times) == len(told) <= max(points + 2, 4)
    assert told_times == sorted(told_times)
    good = [value for value in values if not math.isnan(value)]
    kept = [value for value in told if value is not None]
    assert bool(good) == bool(kept)
    assert max(kept, default=0) == pytest.approx(max(good, default=0), rel=1e-5)
    assert min(kept, default=0) == pytest.approx(min(good, default=0), rel=1e-5)


def test_the_first_change_after_quiet_waits_only_to_gather():
    pacer = frames.Pacer(gather_s=0.02, interval_s=0.25)
    assert pacer.due(100.0) == pytest.approx(100.02)


def test_frames_that_never_pause_keep_the_mean_rate():
    pacer = frames.Pacer(gather_s=0.02, interval_s=0.25, burst=4)
    now, count = 0.0, 0
    while now < 10.0:
        now = pacer.due(now)
        pacer.flushed(now)
        count += 1
    assert count <= 10 / 0.25 + 4


def test_a_few_sources_a_second_each_get_their_frame_at_once():
    pacer = frames.Pacer(gather_s=0.02, interval_s=0.25, burst=4)
    for change in (0.0, 0.1, 0.2):
        assert pacer.due(change) == pytest.approx(change + 0.02)
        pacer.flushed(change + 0.02)

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.equipment import split_path
from app.core.errors import InputError
from app.core.reading import Quality, Reason
from app.ingest.mapping import Mapped, Mapping
from app.settings import SEED_MAPPINGS, IngestSettings

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
FACTORY, DATA, SLASH_DATA = (
    Mapping(settings, ZoneInfo("Europe/Berlin")) for settings in SEED_MAPPINGS
)


def factory(message: object) -> Mapped:
    return FACTORY.map("sensors/factory/data", json.dumps(message).encode(), NOW)


def values(mapped: Mapped) -> dict[str, float | None]:
    return {reading.tag: reading.value for reading in mapped.readings}


def test_a_seeds_row_works_unconfigured():
    mapped = factory(
        {
            "Machine_ID": "M7",
            "Timestamp": "2026-07-01 12:00:00",
            "Air temperature [K]": 298.1,
            "Running": True,
            "Type": "L",
        }
    )
    assert values(mapped) == {
        "factory/floor/line/M7/Air_temperature_K": 298.1,
        "factory/floor/line/M7/Running": 1.0,
    }
    assert {reading.source_time for reading in mapped.readings} == {NOW - timedelta(hours=2)}
    assert mapped.has_own_times
    assert mapped.problems == []


def test_machine_and_time_are_optional():
    mapped = factory({"torque": 5})
    assert values(mapped) == {"factory/floor/line/machine/torque": 5.0}
    assert mapped.readings[0].source_time == NOW
    assert not mapped.has_own_times


def test_a_numeric_machine_is_a_name_not_a_value():
    assert list(values(factory({"Machine_ID": 7.0, "a": 1}))) == ["factory/floor/line/7/a"]


@pytest.mark.parametrize("key", ["timestamp", "TIMESTAMP", "Timestamp"])
def test_the_time_is_found_in_any_case(key: str):
    assert factory({key: "2026-01-01T00:00:00Z", "a": 1}).has_own_times


@pytest.mark.parametrize(
    ("topic", "payload", "tag"),
    [
        ("data/machine/vibration", b"3.5", "factory/data/line/machine/vibration"),
        ("data/machine/vibration", b'"3.5"', "factory/data/line/machine/vibration"),
        ("data/machine/vibration", b'{"value": 3.5}', "factory/data/line/machine/vibration"),
        ("data/press", b'{"flow": 3.5}', "factory/data/line/press/flow"),
        ("data/press", b'{"motor": {"rpm": 3.5}}', "factory/data/line/press/motor_rpm"),
    ],
)
def test_a_number_or_an_object_a_topic_works_unconfigured(topic: str, payload: bytes, tag: str):
    assert values(DATA.map(topic, payload, NOW)) == {tag: 3.5}
    assert values(SLASH_DATA.map(f"/{topic}", payload, NOW)) == {tag: 3.5}


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"{", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100_000, b"{}", b"[]"],
)
def test_a_message_without_numbers_is_refused(payload: bytes):
    with pytest.raises(InputError):
        FACTORY.map("sensors/factory/data", payload, NOW)


@pytest.mark.parametrize("payload", [b"null", b'"on"'])
def test_a_bare_text_is_a_problem(payload: bytes):
    mapped = DATA.map("data/press/flow", payload, NOW)
    assert (mapped.readings, len(mapped.problems)) == ([], 1)


def test_a_bad_field_is_named_and_the_good_ones_are_kept():
    mapped = factory({"good": 1, "huge": 10**400, "°": 3, "also": 2})
    assert sorted(values(mapped)) == [
        "factory/floor/line/machine/also",
        "factory/floor/line/machine/good",
    ]
    assert [problem.split(":")[0] for problem in mapped.problems] == ["huge", "°"]


def test_a_bad_time_is_named_and_the_values_are_uncertain():
    mapped = factory({"Timestamp": "yesterday", "a": 1})
    (reading,) = mapped.readings
    assert (reading.quality, reading.reason) == (Quality.UNCERTAIN, Reason.CONFIG)
    assert reading.source_time == NOW
    assert mapped.problems[0].startswith("Timestamp:")


def test_keys_that_become_the_same_segment_stay_apart_in_any_order():
    one = factory({"Temp [C]": 1, "Temp (C)": 2})
    other = factory({"Temp (C)": 2, "Temp [C]": 1})
    assert values(one) == values(other)
    assert len(values(one)) == 2


def test_rows_in_a_list_are_rows():
    mapped = factory([{"Machine_ID": "A", "x": 1}, {"Machine_ID": "B", "x": 2}])
    assert values(mapped) == {"factory/floor/line/A/x": 1, "factory/floor/line/B/x": 2}


def test_rows_without_time_in_one_message_do_not_replace_each_other():
    mapped = factory([{"x": 1}, {"x": 2}])
    assert len({reading.source_time for reading in mapped.readings}) == 2


def chosen(**fields: str) -> Mapping:
    settings = IngestSettings(topic="t", path="s/a/l/u/{field}", fields=fields)
    return Mapping(settings, UTC)


def test_a_field_map_renames_and_leaves_out_the_rest():
    mapped = chosen(tmp="temperature").map("t", b'{"tmp": 3, "other": 4}', NOW)
    assert values(mapped) == {"s/a/l/u/temperature": 3}


def test_a_chosen_field_that_is_no_number_is_a_problem():
    mapped = chosen(tmp="temperature").map("t", b'{"tmp": "broken"}', NOW)
    assert mapped.problems == ['tmp: "broken" is no number']


def test_the_key_of_a_tag_is_told_for_its_description():
    names = chosen().map("t", b'{"Torque [Nm]": 3}', NOW).names
    assert names == {"s/a/l/u/Torque_Nm": "Torque [Nm]"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_json_gives_paths_of_five_segments_or_a_refusal(message: object):
    try:
        mapped = DATA.map("data/x", json.dumps(message).encode(), NOW)
    except InputError:
        return
    for reading in mapped.readings:
        split_path(reading.tag)
    assert len({(r.tag, r.source_time) for r in mapped.readings}) == len(mapped.readings)


@pytest.mark.parametrize("payload", [[1, 2], 5, "5", True, [[1]]])
def test_a_factory_row_that_is_no_object_is_refused_with_an_example(payload: object):
    mapped = factory(payload)
    assert mapped.readings == []
    (problem,) = mapped.problems
    assert "is no JSON object" in problem
    assert '"Machine_ID"' in problem


@pytest.mark.parametrize("key", ["machine_id", "MACHINE_ID", "Machine_Id"])
def test_the_machine_is_found_in_any_case(key: str):
    assert values(factory({key: 7, "a": 1})) == {"factory/floor/line/7/a": 1.0}


def test_of_two_spellings_the_exact_one_names_the_machine():
    mapped = factory({"machine_id": "B", "Machine_ID": "A", "a": 1})
    assert values(mapped) == {"factory/floor/line/A/a": 1.0}


def test_a_machine_named_in_another_script_is_refused_once_with_the_reason():
    mapped = factory({"Machine_ID": "Пресс 7", "a": 1, "b": 2})
    assert mapped.readings == []
    (problem,) = mapped.problems
    assert problem.startswith('Machine_ID: "Пресс 7" has the letter "П"')

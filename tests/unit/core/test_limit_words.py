"""What an operator is told to do: the source's words, or general ones that name the facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.equipment import Limits, Tag
from app.core.limit_words import limit_response, sensor_response
from app.core.reading import Reason
from app.core.response import LIMIT_NAMES, LimitName, Response, Responses

PATH = "site/area/line/P-102/bearing_temperature"
EDGES: dict[LimitName, float] = {"low_low": 5.0, "low": 10.0, "high": 85.0, "high_high": 95.0}


NONE = Responses()
LIMITS = Limits(**EDGES)


def tag(responses: Responses = NONE, limits: Limits = LIMITS) -> Tag:
    return Tag(PATH, "Bearing temperature", "Cel", limits=limits, responses=responses)


@pytest.mark.parametrize("limit", LIMIT_NAMES)
def test_the_source_has_its_own_words_for_each_limit(limit: LimitName) -> None:
    declared = Responses(**{name: Response(f"Do {name}.") for name in LIMIT_NAMES})
    assert limit_response(tag(declared), limit, EDGES[limit]) == f"Do {limit}."


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("high", "back below 85.0 °C"),
        ("low", "back above 10.0 °C"),
        ("high_high", "back below 95.0 °C; be ready to stop P-102"),
        ("low_low", "back above 5.0 °C; be ready to stop P-102"),
    ],
)
def test_general_words_name_tag_unit_and_limit(limit: LimitName, words: str) -> None:
    told = limit_response(tag(), limit, EDGES[limit])
    assert told == f"Find the cause and bring Bearing temperature of P-102 {words}"


def test_general_words_stand_in_for_blank_ones() -> None:
    told = limit_response(tag(Responses(high=Response("  "))), "high", 85.0)
    assert "Bearing temperature of P-102" in told


def test_a_tag_without_a_description_is_called_by_its_name() -> None:
    bare = Tag(PATH, limits=Limits(high=85.0))
    assert "bearing temperature of P-102 back below 85.0" in limit_response(bare, "high", 85.0)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.NONE, "sensor, its plug and its cable"),
        (Reason.SENSOR_FAULT, "sensor, its plug and its cable"),
        (Reason.STALE, "sensor, its plug and its cable"),
        (Reason.COMM_LOST, "cable and switch of the source"),
        (Reason.OUT_OF_RANGE, "broken wire or a short"),
        (Reason.CONFIG, "in the set-up"),
        (Reason.FORCED, "who forced"),
    ],
)
def test_a_sensor_alarm_says_where_to_look_by_the_reason_given(reason: Reason, words: str) -> None:
    assert words in sensor_response(tag(), reason)


@given(st.sampled_from(Reason), st.sets(st.sampled_from(LIMIT_NAMES), min_size=1))
def test_a_sensor_alarm_names_exactly_the_limits_nobody_watches(
    reason: Reason, names: set[LimitName]
) -> None:
    limits = Limits(**{name: EDGES[name] for name in names})
    told = sensor_response(tag(limits=limits), reason)
    shown = [f"{n.replace('_', ' ')} {EDGES[n]:.1f}" for n in LIMIT_NAMES if n in names]
    assert "Bearing temperature of P-102" in told
    assert f"({', '.join(shown)} °C)" in told


def test_a_limit_of_zero_is_a_limit_that_nobody_watches() -> None:
    assert "(low 0.0 °C)" in sensor_response(tag(limits=Limits(low=0.0)), Reason.NONE)


def test_a_sensor_alarm_of_a_tag_without_limits_can_wait() -> None:
    assert "end of the shift" in sensor_response(tag(limits=Limits()), Reason.COMM_LOST)

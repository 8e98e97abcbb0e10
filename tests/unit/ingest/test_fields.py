import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.ingest.fields import flatten, number


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [(1, 1.0), (-2.5, -2.5), (True, 1.0), (False, 0.0), ("41.5", 41.5), (" 3", 3.0), ("1e3", 1e3)],
)
def test_numbers_booleans_and_numeric_text_are_values(raw: object, wanted: float):
    assert number(raw) == wanted


@pytest.mark.parametrize(
    "raw", ["", "M", "nan", "inf", "-inf", "1e999", "1_0", "0x10", None, [1], {"a": 1}, "12 bar"]
)
def test_anything_else_is_no_value(raw: object):
    assert number(raw) is None


@pytest.mark.parametrize("raw", [10**400, float("inf"), float("nan")])
def test_a_number_that_is_no_double_is_refused(raw: float):
    with pytest.raises(InputError):
        number(raw)


@given(st.text(max_size=20))
def test_no_text_breaks_it(raw: str):
    assert number(raw) is None or isinstance(number(raw), float)


def test_nested_keys_are_joined():
    assert flatten({"motor": {"speed": {"rpm": 5}}, "on": True}) == {
        "motor_speed_rpm": 5,
        "on": True,
    }


def test_nested_and_plain_keys_of_one_name_both_stay():
    assert flatten({"a": {"b": 1}, "a_b": 2}) == {"a_b": 1, "a_b_2": 2}


def test_deep_nesting_is_refused():
    message: dict[str, object] = {"x": 1}
    for _ in range(20):
        message = {"x": message}
    with pytest.raises(InputError, match="stand in each other"):
        flatten(message)


def test_too_many_fields_are_refused():
    with pytest.raises(InputError, match="1000"):
        flatten({str(place): place for place in range(1001)})

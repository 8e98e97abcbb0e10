"""Computed fields that nothing can hold are refused by their name."""

from typing import Any

import pytest

from app.core.errors import InputError
from app.workflow.field_values import as_message, as_number


def nested(depth: int) -> object:
    found: object = 0
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a", 'value: "a" is no number'),
        ([1], r'value: "\[1\]" is no number'),
        (None, 'value: "None" is no number'),
        (10**400, "value: is a number above 1.8e308"),
        ([10**5000], 'value: "list" is no number'),
        (True, 'value: "True" is no number'),
        ("2_1", 'value: "2_1" is no number'),
        ("\u0661\u0667", "is no number"),  # digits of another script
        ("nan", 'value: "nan" is no number'),
        ("", 'value: "" is no number'),
    ],
)
def test_what_is_no_number_is_refused(value: object, why: str):
    with pytest.raises(InputError, match=why):
        as_number("value", value)


def test_a_text_that_reads_as_a_number_is_one():
    assert (as_number("value", "2.5"), as_number("value", 3)) == (2.5, 3.0)


@pytest.mark.parametrize("payload", [[10**5000], "\ud800", ["\ud800"], nested(100_000), {None: 1}])
def test_a_payload_that_is_no_json_is_refused(payload: Any):
    with pytest.raises(InputError, match="payload: cannot be sent as JSON"):
        as_message(payload)


def test_a_text_is_sent_as_it_is_and_anything_else_as_json():
    assert (as_message("a°"), as_message({"a": [1]})) == ("a°".encode(), b'{"a":[1]}')

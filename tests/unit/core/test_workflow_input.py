"""What a run may be started with."""

from typing import Any

import pytest

from app.core.errors import FieldsError, InputError
from app.core.workflow import ActionKind, Input, InputKind, Step, Workflow
from app.core.workflow_check import checked_input
from app.core.workflow_input import typed_input

WORKFLOW = Workflow(
    name="demo",
    steps=(Step(id="one", do=ActionKind.WAIT),),
    inputs={
        "unit": Input(kind=InputKind.EQUIPMENT, required=True),
        "target": Input(kind=InputKind.NUMBER, default=21, low=16, high=28, unit="Cel"),
        "count": Input(kind=InputKind.INTEGER),
        "quiet": Input(kind=InputKind.BOOLEAN, default=False),
        "mode": Input(kind=InputKind.CHOICE, choices=("heat", "cool")),
        "tag": Input(kind=InputKind.TAG),
        "note": Input(),
        "extra": Input(kind=InputKind.OBJECT),
        "since": Input(kind=InputKind.TIME),
    },
)
MOMENT = "must be a moment with its zone, such as 2026-01-31T06:00:00+01:00"
UNIT = "riverside/utilities/water/pump-101"


def test_what_is_not_given_takes_its_default_or_none():
    assert checked_input(WORKFLOW, {"unit": UNIT}) == {
        "unit": UNIT, "target": 21, "count": None, "quiet": False, "mode": None, "tag": None,
        "note": None, "extra": None, "since": None,
    }  # fmt: skip


def test_nothing_given_by_name_takes_the_default():
    assert checked_input(WORKFLOW, {"unit": UNIT, "target": None})["target"] == 21


def test_values_that_fit_are_taken():
    given = {"unit": UNIT, "target": 18.5, "count": 3, "quiet": True, "mode": "heat",
             "tag": f"{UNIT}/speed", "note": "x", "extra": {"a": [1]},
             "since": "2026-01-31T05:00:00Z"}  # fmt: skip

    assert checked_input(WORKFLOW, given) == given


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("unit", "pump-101", "must be the path of a unit, site/area/line/unit"),
        ("unit", 3, "must be the path of a unit, site/area/line/unit"),
        ("unit", None, "is required"),
        ("target", 15.9, "must be at least 16 °C"),
        ("target", 29, "must be at most 28 °C"),
        ("target", "21", "must be a number, not text"),
        ("target", True, "must be a number, not true or false"),
        ("target", float("nan"), "must be a finite number"),
        ("target", 10**400, "is too large: at most 1.8e308"),
        ("target", "nan", "must be a finite number"),
        ("target", "-Infinity", "must be a finite number"),
        ("target", [21], "must be a number, not a list"),
        ("count", 10**400, "is too large: at most 1.8e308"),
        ("count", -(10**400), "is too large: at most 1.8e308"),
        ("count", "1e999", "must be a finite number"),
        ("count", 1.5, "must be a whole number"),
        ("quiet", "yes", "must be true or false, not text"),
        ("quiet", 1, "must be true or false, not a number"),
        ("mode", "off", 'must be one of "heat", "cool"'),
        ("mode", ["heat"], 'must be one of "heat", "cool"'),
        ("tag", "a/b/c", "must be the path of a tag, site/area/line/unit/tag"),
        ("tag", 5, "must be the path of a tag, site/area/line/unit/tag"),
        ("note", 5, "must be text, not a number"),
        ("note", "x" * 10_001, "has over 10000 characters"),
        ("extra", "x", "must be an object, not text"),
        ("since", "2026-01-31T05:00:00", MOMENT),
        ("since", "yesterday", MOMENT),
        ("since", "2026-02-30T05:00:00Z", MOMENT),
        ("since", "", MOMENT),
        ("since", 1769835600, MOMENT),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, value: Any, why: str):
    with pytest.raises(FieldsError) as caught:
        checked_input(WORKFLOW, {"unit": UNIT, name: value})

    assert caught.value.details == {name: why}


def test_every_wrong_field_is_named_at_once():
    with pytest.raises(FieldsError) as caught:
        checked_input(WORKFLOW, {"target": 99, "colour": "red"})

    assert set(caught.value.details) == {"unit", "target", "colour"}
    assert "is no input of this workflow" in caught.value.details["colour"]


def test_an_input_without_a_name_is_told_in_words():
    with pytest.raises(FieldsError, match="cannot start: An empty name is no input"):
        checked_input(WORKFLOW, {"unit": UNIT, "": 1})


def test_inputs_too_large_together_are_refused():
    with pytest.raises(InputError, match="262144 bytes"):
        checked_input(WORKFLOW, {"unit": UNIT, "extra": {str(i): "x" * 9000 for i in range(40)}})


def test_texts_of_a_command_line_become_values_of_their_kind():
    texts = {"unit": UNIT, "target": "20.5", "quiet": "true", "note": "7", "extra": '{"a": 1}',
             "count": ""}  # fmt: skip

    assert typed_input(WORKFLOW, texts) == {
        "unit": UNIT, "target": 20.5, "quiet": True, "note": "7", "extra": {"a": 1},
    }  # fmt: skip


def test_a_text_that_is_no_number_is_left_to_the_check():
    with pytest.raises(FieldsError, match="target must be a number, not text"):
        checked_input(WORKFLOW, typed_input(WORKFLOW, {"unit": UNIT, "target": "warm"}))


def test_an_unknown_name_of_a_command_line_is_left_to_the_check():
    with pytest.raises(FieldsError, match="colour is no input"):
        checked_input(WORKFLOW, typed_input(WORKFLOW, {"unit": UNIT, "colour": ""}))

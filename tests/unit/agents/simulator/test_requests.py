"""Tasks to the simulator: every wrong field is named."""

import pytest

from agents.base.requests import parse
from agents.simulator.requests import Capture, Nothing, Start, Stop
from app.core.errors import FieldsError


def test_a_start_has_a_severity_by_default() -> None:
    assert parse(Start, {"equipment": "a", "scenario": "b"}) == Start("a", "b", 0.7, "")


def test_whole_numbers_are_severities_too() -> None:
    assert parse(Start, {"equipment": "a", "scenario": "b", "severity": 1}).severity == 1.0


@pytest.mark.parametrize(
    ("type_", "given", "wrong"),
    [
        (Start, {}, {"equipment", "scenario"}),
        (Start, {"equipment": "a"}, {"scenario"}),
        (Start, {"equipment": 7, "scenario": None}, {"equipment", "scenario"}),
        (Start, {"equipment": "a", "scenario": "b", "severity": "high"}, {"severity"}),
        (Start, {"equipment": "a", "scenario": "b", "severity": True}, {"severity"}),
        (Start, {"equipment": "a", "scenario": "b", "color": "red"}, {"color"}),
        (Start, {"equipment": ["a"], "scenario": {}, "tag": 1}, {"equipment", "scenario", "tag"}),
        (Stop, {"scenario": "b"}, {"equipment"}),
        (Stop, {"equipment": "a", "severity": 0.4}, {"severity"}),
        (Capture, {"equipment": "a", "samples": 1.5}, {"samples"}),
        (Capture, {"equipment": "a", "samples": "many"}, {"samples"}),
        (Capture, {"equipment": "a", "sample_rate_hz": None}, {"sample_rate_hz"}),
        (Nothing, {"anything": 1}, {"anything"}),
    ],
)
def test_wrong_fields_are_all_named(
    type_: type[Start], given: dict[str, object], wrong: set[str]
) -> None:
    with pytest.raises(FieldsError) as caught:
        parse(type_, given)
    assert set(caught.value.details) == wrong
    assert all(name in str(caught.value) for name in wrong)

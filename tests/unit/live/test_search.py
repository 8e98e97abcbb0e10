"""Search finds areas, units and tags by what an operator types."""

import pytest

from app.core.equipment import Equipment, EquipmentKind, Tag
from app.live.search import search

UNITS = [
    Equipment(
        f"riverside/utilities/cooling/pump-{number}",
        f"Cooling pump P-{number}",
        EquipmentKind.MOTOR_PUMP,
        (Tag(f"riverside/utilities/cooling/pump-{number}/flow", "Flow"),),
    )
    for number in (101, 102)
]


def labels(text: str, limit: int = 20) -> list[str]:
    return [hit.label for hit in search(UNITS, text, limit)]


def test_a_unit_is_found_by_its_name_in_any_case():
    assert labels("COOLING PUMP P-102")[0] == "Cooling pump P-102"


def test_words_may_stand_in_any_order():
    assert labels("102 pump")[0] == "Cooling pump P-102"


def test_a_unit_is_found_by_its_kind():
    assert "Cooling pump P-101" in labels("motor")


def test_what_begins_with_the_text_comes_first():
    assert labels("flow") == ["Flow · Cooling pump P-101", "Flow · Cooling pump P-102"]


def test_an_area_comes_before_its_units():
    assert search(UNITS, "utilities", 1)[0].kind == "area"


def test_the_list_is_cut():
    assert len(labels("pump", limit=2)) == 2


@pytest.mark.parametrize("text", ["", "   ", "turbine", "pump turbine"])
def test_nothing_is_found_for(text: str):
    assert labels(text) == []

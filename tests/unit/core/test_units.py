"""UCUM codes in the words of instruments."""

import pytest

from app.core.units import UNITS, unit_words


@pytest.mark.parametrize(
    ("ucum", "words"),
    [
        ("1", ""),
        ("[degF]", "°F"),
        ("t_CO2", "t CO₂"),
        ("{pieces}/h", "pieces/h"),
        ("[g]", "g"),
        ("mm/s", "mm/s"),
    ],
)
def test_a_code_is_written_as_on_instruments(ucum: str, words: str) -> None:
    assert unit_words(ucum) == words


def test_no_word_keeps_a_sign_of_ucum() -> None:
    assert [words for words in UNITS.values() if set(words) & set("{}[]_")] == []

"""UCUM codes in the words of instruments."""

import re
from pathlib import Path

import pytest

from app.core.units import UNITS, unit_words

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"


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


@pytest.mark.parametrize("file", [*KNOWLEDGE.glob("*.md")], ids=lambda file: file.name)
def test_documents_that_answers_quote_write_units_as_instruments_do(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    codes = [code for code, words in UNITS.items() if code != words and not code.isdigit()]
    assert [code for code in codes if re.search(rf"\d {re.escape(code)}(?![\w/])", text)] == []

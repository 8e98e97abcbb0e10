"""Any text becomes a path segment that a person recognises, or is refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import TopicError
from app.core.topics import as_segment, is_segment


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("Air temperature [K]", "Air_temperature_K"),
        ("Öl-Prüfstand", "Ol-Prufstand"),
        ("Größe", "Grosse"),
        ("Vibration [µm/s²]", "Vibration_um_s2"),
        ("ΔT", "DeltaT"),
        ("φ", "phi"),
        ("Temperatur °C", "Temperatur_C"),
        ("Presse № 7", "Presse_No_7"),
        ("Łódź", "Lodz"),
        ("_a_", "a"),
    ],
)
def test_a_name_stays_recognisable(text: str, segment: str):
    assert as_segment(text) == segment


@pytest.mark.parametrize("text", ["Пресс 7", "压力机-7", "プレス", "مكبس"])
def test_a_name_in_another_script_is_refused_rather_than_cut_to_its_digits(text: str):
    with pytest.raises(TopicError, match=f'"{text}" has the letter .* name it with A-Z'):
        as_segment(text)


@pytest.mark.parametrize("text", ["", "_", "°", "..."])
def test_a_text_without_letter_or_digit_is_refused(text: str):
    with pytest.raises(TopicError, match="no letter or digit"):
        as_segment(text)


@given(st.text(st.sampled_from("aZ9 °é_/.-µ²Δß[]\t")))
def test_what_comes_out_is_a_segment(text: str):
    assert is_segment(as_segment(f"a{text}"))

"""Numbers, units and times as operators read them."""

from datetime import UTC, datetime

import pytest

from pages.widgets import age_words, clock_words, nameplate_words, number, unit_words
from pages.widgets.words import alarm_words, is_agent, stated_by
from pages.widgets.workflow.words import when_words


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, "\u2013"),
        (12.345, 1, "12.3"),
        (-3.0, 2, "\u22123.00"),
        (1234.5, 1, "1234.5"),
        (1234567.0, 0, "1\u2009234\u2009567"),
    ],
)
def test_numbers(value: float | None, decimals: int, text: str):
    assert number(value, decimals) == text


@pytest.mark.parametrize(
    ("ucum", "text"),
    [("Cel", "°C"), ("1", ""), ("m3/h", "m³/h"), ("mm/s", "mm/s"), ("{pieces}/h", "pieces/h")],
)
def test_units(ucum: str, text: str):
    assert unit_words(ucum) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5_400, "2 h"), (200_000, "2 d")],
)
def test_ages(seconds: float, text: str):
    assert age_words(seconds) == text


def test_times_are_those_of_the_plant():
    assert clock_words(datetime(2026, 7, 1, 12, tzinfo=UTC), "Europe/Berlin") == "14:00:00"


def test_a_time_at_the_end_of_the_calendar_spoils_no_page():
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # what a peer may claim
    assert clock_words(end, "Europe/Berlin") == "23:59:59"
    assert when_words(end, "Europe/Berlin", datetime(2026, 7, 1, tzinfo=UTC)) == "31 Dec 23:59"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (("rated_power_kw", "7.5"), ("Rated power", "7.5", "kW")),
        (("delivery_m3_min", "6.4"), ("Delivery", "6.4", "m³/min")),
        (("bearing", "6205"), ("Bearing", "6205", "")),
        (("iso_20816_group", "2"), ("ISO 20816 group", "2", "")),
    ],
)
def test_nameplates(entry: tuple[str, str], words: tuple[str, str, str]):
    assert nameplate_words(entry) == words


@pytest.mark.parametrize(
    ("unit", "message", "text"),
    [
        ("Oven O-501", "Heating element lost", "Oven O-501: heating element lost"),
        ("Pump P-101", "NPSH margin 2 m below 3", "Pump P-101: NPSH margin 2 m below 3"),
        ("Pump P-101", "Pump P-101 does not start", "Pump P-101 does not start"),
        ("Pump P-101", "No values from Pump P-101", "No values from Pump P-101"),
        ("", "Broker: stopped", "Broker: stopped"),
        ("Pump P-101", "X", "Pump P-101: X"),
        ("Pump P-101", "", "Pump P-101: "),
    ],
)
def test_alarms_name_their_unit(unit: str, message: str, text: str):
    assert alarm_words(unit, message) == text


@pytest.mark.parametrize(
    ("agent", "words", "has_page"),
    [
        ("vibration", "Vibration agent", True),
        ("limits", "Alarm limits", False),
        ("external", "Another system", False),
        ("system", "Millwright", False),
    ],
)
def test_who_states_a_finding_has_one_word(agent: str, words: str, has_page: bool):
    assert (stated_by(agent), is_agent(agent)) == (words, has_page)

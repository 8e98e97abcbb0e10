"""Moments that a person types in plant time."""

import pytest

from app.core.errors import InputError
from pages.widgets.workflow.moment import local_words, utc_words

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-01-31T06:00", "2026-01-31T05:00:00Z"),
        ("2026-07-31T06:00:30", "2026-07-31T04:00:30Z"),
        ("2026-01-31T06:00+05:30", "2026-01-31T00:30:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00Z"),  # comes twice, this is the first
    ],
)
def test_what_is_typed_in_plant_time_is_kept_in_utc(typed: str, moment: str):
    assert utc_words(typed, BERLIN) == moment


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("2026-03-29T02:30", "is left out when the clocks change"),
        ("2026-02-30T06:00", "is no time"),
        ("0001-01-01T00:00", "is no time"),
        ("six", "is no time"),
        ("", "is no time"),
    ],
)
def test_what_is_no_time_of_the_plant_is_refused(typed: str, why: str):
    with pytest.raises(InputError, match=why):
        utc_words(typed, BERLIN)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-01-31T05:00:00Z", "2026-01-31T06:00"),
        ("2026-07-31T04:00:30+00:00", "2026-07-31T06:00:30"),
        ("2026-07-31T04:00", "2026-07-31T04:00"),
        ("soon", ""),
        ("9999-12-31T23:30:00Z", ""),
        ("", ""),
    ],
)
def test_a_moment_is_shown_in_plant_time(moment: str, shown: str):
    assert local_words(moment, BERLIN) == shown

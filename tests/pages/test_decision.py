"""A plate of something to decide, as it is sent before any script runs."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.actor import Actor, Role
from pages.markup import Html
from pages.widgets.workflow.decision import Setting, decision_plate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def plate(
    role: Role = Role.OPERATOR, left_s: float = 7200.0, refusal: str = "", but_not: str = ""
) -> Html:
    """Return a plate that whoever looks at it sees."""
    return decision_plate(
        key="k",
        identity="run:choose",
        question="Go on?",
        about="",
        figures="",
        needs="operator",
        asked_at=NOW,
        expires_at=NOW + timedelta(seconds=left_s),
        setting=Setting(who=Actor("anna", "ui", role), zone="UTC", now=NOW, linked=Html, title=str),
        refusal=refusal,
        but_not=but_not,
    )


@pytest.mark.parametrize(
    ("left_s", "words"),
    [(7200.0, ">2 h left<"), (60.0, ">60 s left<"), (0.0, ">time is over<"), (-5.0, "is over<")],
)
def test_the_time_left_is_said_without_a_script(left_s: float, words: str):
    assert words in plate(left_s=left_s)


def test_who_may_not_decide_is_told_why_and_has_no_button_that_works():
    drawn = plate(role=Role.VIEWER)
    assert "You are anna, viewer; it takes the role operator." in drawn
    assert drawn.count("disabled") == 2


def test_a_refusal_stands_before_the_role():
    assert "You asked for it" in plate(refusal="You asked for it")


def test_the_plate_names_who_cannot_be_the_second_person():
    words = "operator or above; bernd asked, so another person must approve it<"
    assert words in plate(but_not="bernd")


def test_who_asked_is_told_once_that_it_takes_another_person():
    assert "bernd" not in plate(but_not="bernd", refusal="You asked for it")


def test_nobody_is_named_where_one_persons_word_is_enough():
    assert "May be decided by: operator or above<" in plate()

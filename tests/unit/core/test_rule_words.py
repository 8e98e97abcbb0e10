"""What a change of a write rule means, in words."""

import pytest

from app.core.rule_hold import NOBODY, Terms
from app.core.rule_words import Difference, differences
from app.core.write_rule import Confirm, Interlock, WriteRule

FORMER = Terms(WriteRule(), 0, 100, "bar")


def test_the_same_terms_differ_in_nothing():
    assert differences(FORMER, FORMER) == []


@pytest.mark.parametrize(
    ("declared", "difference"),
    [
        (
            Terms(WriteRule(confirm=Confirm.NONE), 0, 100, "bar"),
            Difference("Must agree", "one person", "nobody"),
        ),
        (
            Terms(WriteRule(high=900), 0, 100, "bar"),
            Difference("Range", "0 to 100 bar", "0 to 900 bar"),
        ),
        (
            Terms(WriteRule(interlocks=(Interlock("running", "==", 1),)), 0, 100, "bar"),
            Difference("Only while", "always", "running == 1"),
        ),
        (Terms(WriteRule(max_step=5), 0, 100, "bar"), Difference("Greatest step", "any", "5 bar")),
        (Terms(WriteRule(), 0, 0, "bar"), Difference("Range", "0 to 100 bar", "not known")),
    ],
)
def test_only_what_differs_is_told(declared: Terms, difference: Difference):
    assert differences(FORMER, declared) == [difference]


def test_a_tag_that_nobody_may_change_says_so_first():
    assert differences(NOBODY, FORMER)[0] == Difference("May be changed", "no", "yes")

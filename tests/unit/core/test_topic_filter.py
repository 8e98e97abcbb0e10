"""Topic filters are checked as MQTT 3.1.1 section 4.7 says."""

import pytest

from app.core.errors import TopicError
from app.core.topic_filter import check_filter, overlap


@pytest.mark.parametrize(
    "text", ["#", "+", "a", "/", "/data/#", "a/+/b", "+/+/#", "a//b", "$SYS/#", "é/ü", "a/#"]
)
def test_a_filter_of_the_standard_is_taken(text: str):
    check_filter(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "empty"),
        ("a/#/b", "last level"),
        ("a#", "last level"),
        ("#/", "last level"),
        ("a/##", "last level"),
        ("a+/b", "alone"),
        ("a/+b", "alone"),
        ("++", "alone"),
        ("a\0b", "character"),
        ("a\nb", "character"),
        ("a/\ud800", "character"),
        ("a/\x7f", r"character U\+007F"),
        ("a/\x85/#", r"character U\+0085"),
        ("a/\uffff", r"character U\+FFFF"),
        ("/".join("x" * 202), "more than 201 levels"),
        ("a" * 65_536, "longer"),
    ],
)
def test_any_other_is_refused_with_the_remedy(text: str, named: str):
    with pytest.raises(TopicError, match=named):
        check_filter(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/b", "a/b"),
        ("a/+", "+/b"),
        ("#", "a/b/c"),
        ("a/#", "a"),
        ("a/#", "a/b/#"),
        ("+/+/#", "plant/+/+/+/+/+"),
        ("/+", "/a"),
    ],
)
def test_filters_that_share_a_topic_overlap(one: str, other: str):
    assert overlap(one, other)
    assert overlap(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/b", "a/c"),
        ("a/+", "a"),
        ("a/+", "a/b/c"),
        ("data/#", "/data/#"),
        ("+/+", "a/b/+"),
        ("#", "$SYS/x"),
        ("+/x", "$SYS/x"),
        ("b/#", "a/#"),
    ],
)
def test_filters_without_a_common_topic_do_not(one: str, other: str):
    assert not overlap(one, other)
    assert not overlap(other, one)

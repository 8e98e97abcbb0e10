import pytest

from app.ingest.filters import covering, covers


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [("#", "a/b"), ("a/#", "a/b/c"), ("a/#", "a"), ("a/#", "a/#"), ("a/+", "a/b"), ("+/+", "a/b")],
)
def test_a_wider_filter_covers(wide: str, narrow: str):
    assert covers(wide, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("a/b", "a/#"),
        ("a/+", "a/#"),
        ("a/b", "a/+"),
        ("data/#", "/data/#"),
        ("a/+", "a/b/c"),
        ("a", "a/b"),
        ("#", "$SYS/x"),
        ("a/b/c", "a/b"),
    ],
)
def test_another_filter_does_not(wide: str, narrow: str):
    assert not covers(wide, narrow)


def test_only_the_widest_are_subscribed_in_their_order():
    assert covering(["b", "a/b", "a/#", "b", "c/+"]) == ["b", "a/#", "c/+"]


def test_the_seeds_filters_all_stay():
    seeds = ["sensors/factory/data", "data/#", "/data/#"]
    assert covering(seeds) == seeds

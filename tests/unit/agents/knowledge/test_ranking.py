import pytest

from agents.knowledge.ranking import Ranking, words

TEXTS = [
    "Bearing damage on a pump: listen to the bearing",
    "Cavitation of a pump: check the strainer",
    "Thermostat of an office",
]


@pytest.mark.parametrize(
    ("query", "best"), [("bearing", 0), ("pump strainer", 1), ("THERMOSTATS", 2)]
)
def test_the_text_with_the_rare_word_comes_first(query: str, best: int):
    assert Ranking(TEXTS).search(query, 3)[0][0] == best


@pytest.mark.parametrize("query", ["", "the of a", "zebra", "!!! ???"])
def test_a_query_that_shares_no_word_finds_nothing(query: str):
    assert Ranking(TEXTS).search(query, 3) == []


def test_nothing_is_found_among_no_texts():
    assert Ranking([]).search("pump", 3) == []


def test_no_more_is_returned_than_asked_for():
    assert len(Ranking(TEXTS).search("pump", 1)) == 1


def test_scores_fall_and_are_above_zero():
    scores = [score for _, score in Ranking(TEXTS).search("bearing pump office", 3)]

    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_equal_texts_keep_their_order():
    assert [number for number, _ in Ranking(["pump", "pump"]).search("pump", 2)] == [0, 1]


def test_paths_and_conditions_fall_into_words():
    assert words("Pump-101 bearing_outer_race") == ["pump", "101", "bearing", "outer", "race"]


def test_a_plural_counts_as_its_singular():
    assert words("bearings is glass") == ["bearing", "glass"]

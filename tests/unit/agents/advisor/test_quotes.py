import pytest

from agents.advisor.quotes import MOST, Passage, StatedFinding, quotes

STEPS = Passage("pump.md", "## Change\n\n1. Stop it.\n2. Lock it.\n3. Open it.\n4. Go.", start=100)


def test_the_first_three_steps_of_a_passage_are_quoted():
    assert [each.text for each in quotes([STEPS], [])] == ["Stop it.", "Lock it.", "Open it."]


def test_a_quote_says_where_it_stands():
    first = quotes([STEPS], [])[0]
    start, end = first.citation.start, first.citation.end

    assert start is not None
    assert end is not None
    assert STEPS.text[start - 100 : end - 100] == first.text


def test_responses_of_findings_come_first():
    finding = StatedFinding("Check the strainer", "vibration", "cavitation", "s/a/l/pump")

    assert quotes([STEPS], [finding])[0].citation.finding == "vibration:s/a/l/pump:cavitation"


@pytest.mark.parametrize("text", ["", "Pumps pump.", "- a bullet", "1.no blank", "2026. "])
def test_a_passage_without_steps_gives_no_advice(text: str):
    assert quotes([Passage("x.md", text)], []) == []


def test_a_finding_without_a_response_gives_no_advice():
    assert quotes([], [StatedFinding("  ")]) == []


def test_the_same_words_are_not_said_twice():
    assert len(quotes([STEPS, STEPS], [])) == 3


def test_advice_is_short():
    findings = [StatedFinding(f"Do {number}") for number in range(50)]

    assert len(quotes([], findings)) == MOST

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.knowledge.passages import sections

TEXT = "# Pump\n\nApplies to all.\n\n## Empty\n\n## Change\n\n1. Stop it.\n"


def test_a_passage_is_a_section_with_the_title_of_its_document():
    found = sections("pump.md", TEXT)

    assert [(each.title, each.section) for each in found] == [("Pump", "Pump"), ("Pump", "Change")]


@pytest.mark.parametrize("text", ["", "\n\n", "# Only a heading\n"])
def test_a_document_without_text_has_no_passage(text: str):
    assert sections("x.md", text) == []


def test_text_before_the_first_heading_is_a_passage_too():
    assert sections("x.md", "Mind the step.\n# Pump\nStop.\n")[0].text == "Mind the step."


@given(
    st.lists(st.sampled_from(["# a\n", "word", "\n", "## b\n", "é", " "]), max_size=40).map("".join)
)
def test_a_citation_points_at_the_very_text(text: str):
    assert all(each.text == text[each.start : each.end] for each in sections("x.md", text))

"""Units named by their path in what agents say."""

from pages.widgets import with_unit_links

PUMP = "riverside/utilities/cooling/pump-101"
NAMES = {PUMP: "Cooling pump P-101"}


def name_of(path: str) -> str:
    return NAMES.get(path, "")


def test_a_units_path_becomes_its_name_and_leads_to_its_page():
    html = with_unit_links(f"no diagnosis of {PUMP}: speed is not known", name_of)
    assert html == (
        f'no diagnosis of <a href="/units/{PUMP}" class="mw-link">Cooling pump P-101</a>'
        ": speed is not known"
    )


def test_a_path_of_no_unit_stays_as_it_is():
    words = "cannot read /usr/lib/python3/site.py of a/b/c/d"
    assert with_unit_links(words, name_of) == words


def test_what_an_agent_says_is_escaped():
    assert "<b>" not in with_unit_links(f"<b>{PUMP}</b>", name_of)

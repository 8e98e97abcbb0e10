"""HTML is escaped unless it was built here."""

import pytest

from pages.icons import priority_symbol
from pages.markup import Html, join, tag


def test_text_is_escaped():
    assert tag("p", '<b> & "x"') == "<p>&lt;b&gt; &amp; &quot;x&quot;</p>"


def test_html_is_not_escaped_twice():
    assert tag("p", tag("b", "a & b")) == "<p><b>a &amp; b</b></p>"


def test_attributes_are_escaped():
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'


def test_attribute_names_follow_html():
    assert tag("i", class_="x", data_tag="y", hidden=True, title=None, open=False) == (
        '<i class="x" data-tag="y" hidden></i>'
    )


def test_zero_is_an_attribute_and_a_child():
    assert tag("i", 0, tabindex=0) == '<i tabindex="0">0</i>'


@pytest.mark.parametrize("nothing", [None, False, [], ()])
def test_nothing_leaves_no_trace(nothing: object):
    assert tag("p", nothing) == "<p></p>"


def test_lists_are_joined_at_any_depth():
    assert join(["a", [Html("<br>"), ("b", 1)]]) == "a<br>b1"


def test_an_input_has_no_end():
    assert tag("input", type="text") == '<input type="text">'


def test_a_symbol_has_shape_number_and_word():
    symbol = priority_symbol(2, blinking=True)
    assert "priority 2 high" in symbol
    assert ">2</text>" in symbol
    assert "mw-blink" in symbol

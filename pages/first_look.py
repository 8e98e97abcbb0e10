"""What a page looks like before the scripts are there: the same words, in plain HTML.

NiceGUI builds a page in the browser, once some 300 kB of scripts have come; on a slow network
that is many seconds. So the page carries a copy of itself which the browser can show at once.
Links in it work, nothing else does; `static/first.js` takes it away when the page stands.
The copy has no ids, no data and no live parts, so that no script takes it for the page.
"""

import re
from itertools import count
from typing import cast

from nicegui import ui
from nicegui.element import Element

from pages.markup import Html, join, tag

_MARKS = re.compile(r' (?:id|name|for|tabindex|data-[a-z-]+)="[^"]*"')
_LIVE = re.compile(r"<mw-[a-z-]+[^>]*>")
_LIVE_END = re.compile(r"</mw-[a-z-]+>")
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
ROWS = 40
"""Rows of a table in the copy: more than a screen shows, each of some 700 bytes."""
_LATER = '<span class="mw-later">'
_BOXES = frozenset({"div", "section", "details", "summary", "form"})


def add_first_look(shell: Element) -> None:
    """Put the copy of `shell`, as it stands, into the page being built."""
    note = tag(
        "p",
        tag("span", "Loading… What you see is as of a moment ago; buttons do not work yet."),
        tag("span", "This takes long. Load the page again if nothing comes.", class_="mw-long"),
        class_="mw-first-note",
        role="status",
    )
    look = tag("div", _copy(shell), note, id="mw-first", class_="nicegui-content")
    ui.add_body_html(look)


def _copy(element: Element) -> Html | None:
    if not element.visible:
        return None
    classes = " ".join(element.classes)
    if isinstance(element, ui.html):
        return tag("div", _still(element.content), class_=classes)
    if isinstance(element, ui.input | ui.select | ui.number):
        return tag("div", _field_words(element), class_=f"mw-first-field {classes}")
    if element.tag in _BOXES:
        inside = join(_copy(child) for child in element.default_slot.children)
        return tag(element.tag, inside, class_=classes)
    if isinstance(element, ui.button | ui.label):
        return tag("span", element.text, class_=classes)
    return None


def _still(content: str) -> Html:
    """Return HTML that `pages.markup` made without what scripts look for."""
    rows = count()
    few = _ROW.sub(lambda row: row[0] if next(rows) < ROWS else "", content)
    return Html(_LIVE_END.sub("</span>", _LIVE.sub(_LATER, _MARKS.sub("", few))))


def _field_words(field: ui.input | ui.select | ui.number) -> str:
    value = cast("object", field.value)  # NiceGUI leaves its type open, and that of props
    if isinstance(field, ui.select) and isinstance(field.options, dict):
        titles = cast("dict[object, str]", field.options)
        value = titles.get(value)
    props = cast("dict[str, object]", field.props)
    return str(value or props.get("placeholder") or props.get("label") or "")

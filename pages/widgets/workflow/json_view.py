"""A value as readable JSON, bounded, to be copied."""

import msgspec

from pages.markup import Html, tag

CHARACTERS = 65_536
"""More of one value is not sent to a browser; HTTP gives the whole."""

_LINES = 14
_LONG = 900


def json_text(value: object) -> str:
    """Return a value as indented JSON; a text that is not within something stays a text."""
    if isinstance(value, str):
        return value
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def json_view(title: str, value: object) -> Html | None:
    """Return a titled block with a button that copies; None for no value."""
    if value is None or value == "":
        return None
    text = json_text(value)
    is_long = len(text) > _LONG or text.count("\n") > _LINES
    cut = f"\n… {len(text) - CHARACTERS} more characters; GET /api/runs/{{id}} has all of them"
    shown = text if len(text) <= CHARACTERS else text[:CHARACTERS] + cut
    whole = tag("button", "Show all", type="button", class_="mw-chip", data_whole=True)
    copy = tag("button", "Copy", type="button", class_="mw-chip", data_copy=True)
    return tag(
        "div",
        tag("div", tag("h3", title), whole if is_long else None, copy, class_="mw-json-tools"),
        tag("pre", shown, tabindex="0", data_scroll=True),
        class_="mw-json",
    )

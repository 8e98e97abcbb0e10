"""The section of the health page on what was moved aside because it was damaged."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.core.quarantined import Quarantined
from pages.markup import Html, tag
from pages.widgets import card, number

LOOK_AGAIN_S = 60.0
SHOWN = 50
_MEGABYTE = 1_000_000
_WORDS = (
    "These folders were damaged and a fresh store took their place. "
    "The app never deletes them. Keep each until its content is restored or no longer wanted, "
    "then delete the folder by hand; that needs no stop of the app."
)


def quarantine_card(found: Sequence[Quarantined], zone: str) -> Html:
    """Return the damaged parts of stores, the newest first; nothing where there are none.

    Args:
        found: The newest first.
        zone: The plant's time zone.
    """
    if not found:
        return tag("div")
    head = [tag("th", word) for word in ("Time", "Store", "Reason", "Folder", "Bytes")]
    table = tag(
        "table",
        tag("tr", head),
        [_row(each, zone) for each in found[:SHOWN]],
        class_="mw-table mw-letters",
    )
    megabytes = number(sum(each.size_bytes for each in found) / _MEGABYTE, 1)
    counts = f"{len(found)} kept, {megabytes} MB"
    if len(found) > SHOWN:
        counts += f", the newest {SHOWN} shown"
    return card(
        "Damaged and moved aside",
        tag("p", _WORDS, class_="mw-hint"),
        tag("div", table, class_="mw-scroll"),
        more=tag("span", counts, class_="mw-hint"),
    )


def _row(each: Quarantined, zone: str) -> Html:
    return tag(
        "tr",
        tag("td", f"{each.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"),
        tag("td", each.name),
        tag("td", each.reason or "not noted; see the app's log of that time"),
        tag("td", tag("code", each.path)),
        tag("td", number(each.size_bytes, 0), class_="mw-right"),
    )

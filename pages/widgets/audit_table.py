"""The table of actions: when, who, from where, what, on what, why, and what came of it."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.core.audit_row import AuditRow, Outcome
from app.core.units import unit_words
from pages.markup import Html, join, tag
from pages.widgets.audit_filter import SOURCES
from pages.widgets.links import with_unit_links
from pages.widgets.words import age_words, capitalised
from pages.widgets.workflow.words import run_link

_ID = r"[0-9a-f]{32}|[0-9a-f]{16}-[^\]\s]+"  # the second form is that of a step of a run
_COMMAND = re.compile(rf"\[({_ID})\]")
_MEASURE = re.compile(rf" = (\S+) (\S*) (?=\[(?:{_ID})\])")
_RUN = re.compile(r"\b([0-9a-f]{16})\b")
_HEADS = ("Time", "Who", "From where", "What", "On what", "Why", "Outcome")
_SHAPES = {
    Outcome.DONE: ("Done", "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z"),
    Outcome.REFUSED: ("Refused", "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM4 8h8"),
    Outcome.FAILED: ("Failed", "M8 1 15 14.5H1z"),
    Outcome.UNKNOWN: ("Not known", "M8 1.5 14.5 8 8 14.5 1.5 8z"),
}


def audit_table(
    rows: Sequence[AuditRow], now: datetime, zone: str, name_of: Callable[[str], str]
) -> Html:
    """Return the table, in the order of the rows.

    Args:
        rows: What to show.
        now: The present, for the ages.
        zone: The plant's time zone.
        name_of: The name of a unit by its path, empty for none.
    """
    head = tag("thead", tag("tr", [tag("th", word, scope="col") for word in _HEADS]))
    place = ZoneInfo(zone)
    body = tag("tbody", [_row(row, now, place, name_of) for row in rows])
    return tag("table", head, body, class_="mw-table mw-audit")


def outcome_mark(outcome: Outcome, action: str) -> Html:
    """Return shape and word of an action's outcome; only a failure has a colour."""
    words, shape = _SHAPES[outcome]
    if action == "command" and outcome is Outcome.DONE:
        words = "Accepted"  # its own page says how it ended
    drawing = tag(
        "svg",
        tag("path", d=shape),
        viewBox="0 0 16 16",
        aria_hidden="true",
        class_="mw-outcome-shape",
    )
    return tag("span", drawing, words, class_=f"mw-outcome mw-outcome-{outcome}")


def _row(row: AuditRow, now: datetime, zone: ZoneInfo, name_of: Callable[[str], str]) -> Html:
    age_s = max(0.0, (now - row.at).total_seconds())
    clock = _clock(row.at.astimezone(zone), now.astimezone(zone))
    age = tag("span", f" · {age_words(age_s)}", class_="mw-hint")
    return tag(
        "tr",
        tag("td", clock, age, class_="mw-audit-time", title=f"row {row.number}"),
        tag("td", _breakable(row.actor), class_="mw-audit-who"),
        tag("td", SOURCES.get(row.source, row.source), class_="mw-audit-source"),
        tag("td", capitalised(row.action), class_="mw-audit-what"),
        tag("td", _target(row, name_of), class_="mw-audit-target"),
        tag("td", with_unit_links(row.why, name_of), class_="mw-audit-why"),
        tag(
            "td",
            outcome_mark(row.outcome, row.action),
            tag("div", with_unit_links(row.reason, name_of), class_="mw-hint")
            if row.reason
            else None,
            class_="mw-audit-outcome",
        ),
        id=f"audit-{row.number}",
    )


def _breakable(name: str) -> Html:
    """Return a name that may go on in the next line behind each underscore."""
    first, *others = name.split("_")
    return join([first, *(piece for each in others for piece in ("_", tag("wbr"), each))])


def _clock(at: datetime, now: datetime) -> str:
    if at.date() == now.date():
        return f"{at:%H:%M:%S}"
    return f"{at:%d %b %H:%M:%S}" if at.year == now.year else f"{at:%Y-%m-%d %H:%M:%S}"


def _target(row: AuditRow, name_of: Callable[[str], str]) -> Html:
    if row.action.endswith(" agent"):
        return tag("a", row.target, href="/agents", class_="mw-link")
    if row.action.endswith(" workflow"):
        address = f"/workflows?{urlencode({'find': row.target})}"
        return tag("a", row.target, href=address, class_="mw-link")
    measured = _MEASURE.sub(_measured, row.target)
    pieces = _COMMAND.split(measured)  # texts at even places, ids of commands between them
    return join(
        tag("a", "command", href=f"/commands/{piece}", class_="mw-link", title=piece)
        if place % 2
        else _with_runs(piece, name_of)
        for place, piece in enumerate(pieces)
    )


def _measured(found: re.Match[str]) -> str:
    return f" = {found[1]} {unit_words(found[2])}".rstrip() + " "


def _with_runs(text: str, name_of: Callable[[str], str]) -> Html:
    pieces = _RUN.split(text)  # texts at even places, ids of runs between them
    return join(
        run_link(piece) if place % 2 else with_unit_links(piece, name_of)
        for place, piece in enumerate(pieces)
    )

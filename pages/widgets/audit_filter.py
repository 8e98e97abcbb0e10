"""What a person asks of the audit: the fields of the address, and the form that fills them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.core.audit_row import AuditFilter, AuditRow, Outcome
from pages.markup import Html, join, tag

SOURCES = {
    "": "Anywhere",
    "ui": "Screen",
    "http": "HTTP",
    "cli": "Command line",
    "mqtt": "MQTT",
    "workflow": "Workflow",
    "system": "Millwright itself",
}
OUTCOMES = {
    "": "Any",
    "done": "Done",
    "refused": "Refused",
    "failed": "Failed",
    "unknown": "Not known",
}
_LONGEST = 200


class Asked(NamedTuple):
    """The fields as they stand in the address; times are local to the plant."""

    text: str = ""
    actor: str = ""
    source: str = ""
    action: str = ""
    outcome: str = ""
    start: str = ""
    end: str = ""

    @property
    def is_empty(self) -> bool:
        """Nothing is asked for in particular."""
        return not any(self)

    def filter(self, zone: ZoneInfo) -> AuditFilter:
        """Return what the fields mean.

        Raises:
            ValueError: A field cannot be understood; the message names it.
        """
        if self.outcome not in OUTCOMES:
            raise ValueError(f'Outcome: "{self.outcome[:40]}" is none; choose one of the list')
        return AuditFilter(
            text=self.text.strip()[:_LONGEST],
            actor=self.actor.strip(),
            source=self.source,
            action=self.action.strip(),
            outcome=Outcome(self.outcome) if self.outcome else None,
            start=_moment("From", self.start, zone),
            end=_moment("Until", self.end, zone),
        )


def filter_form(asked: Asked, rows: Sequence[AuditRow], wrong: str) -> Html:
    """Return the form; it sends the page's address anew, which can be kept and shared.

    Args:
        asked: What stands in the fields.
        rows: The rows shown; their actors and actions are proposed.
        wrong: What cannot be understood, empty for nothing.
    """
    fields = (
        _field("Search", _text("text", asked.text, "search", "Part of any text"), "mw-wide"),
        _field("Who", _text("actor", asked.actor, "text", "In full", "mw-actors")),
        _field("From where", _select("source", asked.source, SOURCES)),
        _field("What", _text("action", asked.action, "text", "In full", "mw-actions")),
        _field("Outcome", _select("outcome", asked.outcome, OUTCOMES)),
        _field("From, plant time", _time("start", asked.start), "mw-moment"),
        _field("Until, plant time", _time("end", asked.end), "mw-moment"),
    )
    clear = tag("a", "Clear", href="/audit", class_="mw-link") if not asked.is_empty else None
    go = tag("button", "Search", type="submit", class_="mw-button mw-primary")
    # on a phone the fields would fill the screen, and the actions stand below it
    fold = tag("summary", "Search the actions", class_="mw-button")
    folded = tag("details", fold, class_="mw-filter-fold", open=not asked.is_empty)
    form = tag(
        "form",
        fields,
        tag("div", go, clear, class_="mw-row mw-filter-go"),
        tag("p", wrong, class_="mw-wrong-field", role="alert") if wrong else None,
        _proposals("mw-actors", (row.actor for row in rows)),
        _proposals("mw-actions", (row.action for row in rows)),
        action="/audit",
        method="get",
        role="search",
        aria_label="Search the audit",
        class_="mw-filter",
    )
    return join([folded, form])


def _moment(name: str, text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f'{name}: "{text[:40]}" is no time; write 2026-11-21T14:02') from error
    if not 1970 <= at.year < 9999:
        raise ValueError(f"{name}: the year is not between 1970 and 9998")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _field(words: str, control: Html, more: str = "") -> Html:
    return tag("label", tag("span", words), control, class_=f"mw-field {more}".rstrip())


def _text(name: str, value: str, kind: str, hint: str, proposals: str = "") -> Html:
    return tag(
        "input",
        type=kind,
        name_=name,
        value=value,
        placeholder=hint,
        maxlength=_LONGEST,
        list=proposals or None,
        autocomplete="off",
        class_="mw-control",
    )


def _time(name: str, value: str) -> Html:
    return tag("input", type="datetime-local", name_=name, value=value, class_="mw-control")


def _select(name: str, value: str, choices: dict[str, str]) -> Html:
    known = choices if value in choices else {**choices, value: value}
    options = [
        tag("option", words, value=key, selected=key == value) for key, words in known.items()
    ]
    return tag("select", options, name_=name, class_="mw-control")


def _proposals(identifier: str, words: Iterable[str]) -> Html:
    options = [tag("option", value=word) for word in sorted(set(words)) if word]
    return tag("datalist", options, id=identifier)

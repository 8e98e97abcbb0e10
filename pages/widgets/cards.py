"""Plates that hold things, and what stands there while nothing does."""

from datetime import datetime

from app.core.health import ComponentStatus, Health
from pages.markup import Html, tag
from pages.widgets.words import age_words

_OFF = frozenset({Health.STOPPED, Health.STARTING})


def card(title: str, *body: object, more: object = None) -> Html:
    """Return a plate with a heading; `more` stands at the right of the heading."""
    head = tag("div", tag("h2", title), more, class_="mw-card-title") if title else None
    return tag("section", head, body, class_="mw-card")


def empty_state(title: str, *lines: object) -> Html:
    """Return what stands where nothing is yet: what would be here and how to get it."""
    return tag("div", tag("h2", title), [tag("p", line) for line in lines], class_="mw-empty")


def skeleton(lines: int) -> Html:
    """Return grey lines in the shape of what is loading."""
    return tag("div", [tag("i", class_="mw-bone") for _ in range(lines)], class_="mw-skeleton")


def status_line(status: ComponentStatus, now: datetime) -> Html:
    """Return one component: dot, name, reason and remedy, and since when."""
    looks = {Health.OK: "mw-dot"}
    dot = looks.get(status.state, "mw-dot mw-off" if status.state in _OFF else "mw-dot mw-wrong")
    words = status.state.value if status.state is Health.OK else status.reason or status.state.value
    return tag(
        "div",
        tag("i", class_=dot),
        tag("b", status.name),
        tag("span", words, f". {status.remedy}" if status.remedy else None),
        tag("span", f"for {age_words((now - status.since).total_seconds())}", class_="mw-hint"),
        class_="mw-status-row",
    )

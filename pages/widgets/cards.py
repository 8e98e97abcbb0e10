"""Plates that hold things, and what stands there while nothing does."""

from collections.abc import Callable
from datetime import datetime

from app.core.health import ComponentStatus, Health
from pages.markup import Html, tag
from pages.widgets.links import with_unit_links
from pages.widgets.words import age_words, capitalised

_OFF = frozenset({Health.STOPPED, Health.STARTING})


def card(title: str, *body: object, more: object = None, anchor: str = "") -> Html:
    """Return a plate with a heading, `more` at its right; `anchor` is what a link can lead to."""
    head = tag("div", tag("h2", title), more, class_="mw-card-title") if title else None
    return tag("section", head, body, class_="mw-card", id=anchor or None)


def empty_state(title: str, *lines: object) -> Html:
    """Return what stands where nothing is yet: what would be here and how to get it."""
    return tag("div", tag("h2", title), [tag("p", line) for line in lines], class_="mw-empty")


def skeleton(lines: int) -> Html:
    """Return grey lines in the shape of what is loading, and the word that says so."""
    bones = [tag("i", class_="mw-bone") for _ in range(lines)]
    return tag("div", tag("span", "Loading…", class_="mw-hint"), bones, class_="mw-skeleton")


def status_line(
    status: ComponentStatus,
    now: datetime,
    name_of: Callable[[str], str],
    more: tuple[str, str] | None = None,
) -> Html:
    """Return one component: dot, name, reason and remedy, and since when.

    Args:
        status: What it says.
        now: The present, for how long it has been so.
        name_of: The name of a unit by its path, empty for none.
        more: Words and address of where there is more about it, if there is such a place.
    """
    looks = {Health.OK: "mw-dot"}
    dot = looks.get(status.state, "mw-dot mw-off" if status.state in _OFF else "mw-dot mw-wrong")
    words = status.state.value if status.state is Health.OK else status.reason or status.state.value
    said = words if status.state is Health.OK else capitalised(words)
    remedy = f". {status.remedy}" if status.remedy else None
    return tag(
        "div",
        tag("i", class_=dot),
        tag("b", status.name),
        tag("span", with_unit_links(said, name_of), remedy),
        tag("span", f"for {age_words((now - status.since).total_seconds())}", class_="mw-hint"),
        tag("a", more[0], href=more[1], class_="mw-link mw-more") if more else tag("i"),
        class_="mw-status-row",
    )

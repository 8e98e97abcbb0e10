"""The rail: all pages, in groups; on a phone a bar of those used most and a sheet of all."""

from collections.abc import Iterable
from typing import NamedTuple

from pages.icons import icon
from pages.markup import Html, tag


class Entry(NamedTuple):
    """One page in the rail; `is_first` keeps it in the bar of a phone."""

    href: str
    word: str
    icon: str
    key: str
    is_first: bool = False


GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Plant",
        (
            Entry("/", "Overview", "overview", "o", is_first=True),
            Entry("/alarms", "Alarms", "alarms", "a", is_first=True),
            Entry("/plan", "Action plan", "plan", "l"),
            Entry("/alarms/kpi", "Alarm rate", "kpi", "k"),
            Entry("/trends", "Trends", "trends", "t"),
        ),
    ),
    (
        "Work",
        (
            Entry("/workflows", "Workflows", "workflows", "w"),
            Entry("/runs", "Runs", "runs", "r", is_first=True),
            Entry("/approvals", "Approvals", "approvals", "p", is_first=True),
            Entry("/commands", "Commands", "commands", "c"),
            Entry("/orders", "Orders", "orders", "d"),
        ),
    ),
    (
        "System",
        (
            Entry("/agents", "Agents", "agents", "n"),
            Entry("/simulator", "Simulator", "simulator", "s"),
            Entry("/notifications", "Notifications", "notifications", "m"),
            Entry("/health", "Health", "health", "h"),
            Entry("/audit", "Audit", "audit", "u"),
        ),
    ),
)
ENTRIES = tuple(entry for _, entries in GROUPS for entry in entries)


def rail(active: str) -> Html:
    """Return the rail; the entry of address `active` is shown as chosen."""
    groups = [
        tag("div", _links(entries, active), class_="mw-rail-group", role="group", aria_label=words)
        for words, entries in GROUPS
    ]
    is_shown = any(entry.href == active and entry.is_first for entry in ENTRIES)
    more = tag(
        "button",
        icon("more"),
        tag("span", "More"),
        type="button",
        class_="mw-rail-link mw-rail-more",
        id="mw-more",
        aria_haspopup="dialog",
        aria_current=None if is_shown else "page",
    )
    return tag("nav", groups, more, class_="mw-rail", aria_label="Pages")


def more_sheet(active: str) -> Html:
    """Return all pages by group, which the phone's "More" shows."""
    groups = [
        tag("div", tag("h3", words), _links(entries, active, is_more=True), class_="mw-more-group")
        for words, entries in GROUPS
    ]
    return tag("template", groups, id="mw-more-pages")


def _links(entries: Iterable[Entry], active: str, *, is_more: bool = False) -> list[Html]:
    return [
        tag(
            "a",
            icon(entry.icon),
            tag("span", entry.word),
            tag("b", class_="mw-badge", data_badge=entry.href, hidden=True),
            href=entry.href,
            class_="mw-more-link" if is_more else _link_class(entry),
            title=None if is_more else f"{entry.word} (g {entry.key})",
            data_key=None if is_more else entry.key,
            aria_current="page" if entry.href == active else None,
        )
        for entry in entries
    ]


def _link_class(entry: Entry) -> str:
    return "mw-rail-link mw-first" if entry.is_first else "mw-rail-link"

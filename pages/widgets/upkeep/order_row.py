"""Maintenance orders and shift summaries in tables."""

from datetime import datetime

from app.core.order import Order
from app.core.shift import ShiftSummary
from pages.icons import PRIORITY_WORDS, priority_symbol
from pages.markup import Html, join, tag
from pages.widgets.links import unit_link
from pages.widgets.upkeep.sight import UpkeepSight
from pages.widgets.words import NONE, age_words
from pages.widgets.workflow.words import key_link, run_link, when_words

OPEN_HEADINGS = ("Priority", "Order", "Unit", "Opened", "Due", "From", "")
CLOSED_HEADINGS = ("Order", "Unit", "Closed", "What was done", "From")
SHIFT_HEADINGS = ("Shift", "Alarms", "Opened", "Closed", "Still open", "Most alarms", "Note")
WORST_SHOWN = 3


def open_row(order: Order, sight: UpkeepSight) -> Html:
    """Return an order that is still to be done."""
    close = tag(
        "button",
        "Close",
        type="button",
        class_="mw-button mw-small",
        data_act="close",
        data_id=order.id,
        aria_label=f"Close {order.id}",
    )
    return tag(
        "tr",
        tag(
            "td",
            priority_symbol(order.priority, quiet=True),
            tag("span", PRIORITY_WORDS.get(order.priority, ""), class_="mw-hint"),
            class_="mw-order-priority",
        ),
        tag("td", _title(order)),
        tag("td", _unit(order.equipment, sight)),
        tag("td", _when("opened ", order.opened_at, sight), class_="mw-whole"),
        tag("td", _due(order, sight), class_="mw-whole"),
        tag("td", _origin(order)),
        tag("td", close, class_="mw-right"),
    )


def closed_row(order: Order, sight: UpkeepSight) -> Html:
    """Return an order that is done."""
    return tag(
        "tr",
        tag("td", _title(order)),
        tag("td", _unit(order.equipment, sight)),
        tag("td", _when("closed ", order.closed_at, sight), class_="mw-whole"),
        tag("td", order.note or NONE, class_="mw-order-note"),
        tag("td", _origin(order)),
    )


def shift_row(shift: ShiftSummary, sight: UpkeepSight) -> Html:
    """Return what a shift left behind."""
    counts = [
        tag("span", priority_symbol(priority, quiet=not count), count, class_="mw-row mw-whole")
        for priority, count in enumerate(shift.alarms_by_priority[:4], start=1)
    ]
    span = f"{_time(shift.start, sight)} to {_time(shift.end, sight)}"
    worst = list(shift.worst.items())[:WORST_SHOWN]
    return tag(
        "tr",
        tag("td", span),
        tag("td", tag("div", counts, class_="mw-shift-counts")),
        [
            tag("td", tag("span", f"{words} ", class_="mw-narrow"), count)
            for words, count in (
                ("orders opened", shift.orders_opened),
                ("closed", shift.orders_closed),
                ("still open", shift.orders_open),
            )
        ],
        tag("td", [tag("div", _unit(path, sight), f" {count}") for path, count in worst] or NONE),
        tag("td", shift.note or NONE, class_="mw-hint"),
    )


def table(headings: tuple[str, ...], rows: list[Html], look: str) -> Html:
    """Return a table that is a list of plates on a phone."""
    head = tag("thead", tag("tr", [tag("th", words) for words in headings]))
    body = tag("table", head, tag("tbody", rows), class_=f"mw-table mw-upkeep {look}")
    return tag("div", body, class_="mw-scroll")


def _title(order: Order) -> Html:
    words = join([tag("b", order.title), " ", tag("span", order.id, class_="mw-hint mw-whole")])
    if not order.details:
        return words
    text = tag("p", order.details, class_="mw-order-details")
    return tag("details", tag("summary", words), text, class_="mw-order")


def _unit(path: str, sight: UpkeepSight) -> Html:
    return key_link(path, sight.name_of) or unit_link(path, path)


def _origin(order: Order) -> Html:
    if not order.run:
        return tag("span", "by hand", class_="mw-hint mw-whole")
    return run_link(order.run, "a run")


def _due(order: Order, sight: UpkeepSight) -> Html:
    if order.due_at is None:
        return tag("span", NONE, class_="mw-hint mw-wide-only")
    left_s = (order.due_at - sight.now).total_seconds()
    if left_s < 0:
        return tag("span", f"overdue by {age_words(-left_s)}", class_="mw-overdue")
    return tag("span", f"in {age_words(left_s)}")


def _when(verb: str, at: datetime | None, sight: UpkeepSight) -> Html:
    if at is None:
        return Html(NONE)
    return join([tag("span", verb, class_="mw-narrow"), when_words(at, sight.zone, sight.now)])


def _time(at: datetime, sight: UpkeepSight) -> str:
    return when_words(at, sight.zone, sight.now)

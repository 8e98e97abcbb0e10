"""Routes of the notifier, and what became of notifications."""

from collections.abc import Mapping

from app.core.delivery import Delivery, DeliveryState, RouteState
from pages.icons import PRIORITY_WORDS, priority_symbol
from pages.markup import Html, join, tag
from pages.widgets.upkeep.sight import UpkeepSight
from pages.widgets.words import NONE, age_words, capitalised
from pages.widgets.workflow.marks import marked
from pages.widgets.workflow.words import key_link, when_words

ROUTE_HEADINGS = ("Route", "Takes", "Quiet hours", "Goes on", "State", "")
DELIVERY_HEADINGS = ("Time", "State", "Route", "What", "Unit", "Tries", "Why")
LOOKS: Mapping[DeliveryState, tuple[str, str]] = {
    DeliveryState.QUEUED: ("waiting", "waiting"),
    DeliveryState.SENT: ("done", "sent"),
    DeliveryState.SUPPRESSED: ("off", "held back"),
    DeliveryState.FAILED: ("failed", "failed"),
}


def route_row(route: RouteState, *, is_known: bool) -> Html:
    """Return a route; `is_known` tells whether the notifier itself has told of it."""
    button = tag(
        "button",
        "Send a test",
        type="button",
        class_="mw-button mw-small",
        data_act="test",
        data_id=route.name,
        disabled=not (is_known and route.is_usable),
        aria_label=f"Send a test by {route.name}",
    )
    service = tag("span", f" {route.service}", class_="mw-hint") if route.service else None
    return tag(
        "tr",
        tag("td", tag("b", route.name), service),
        tag("td", _priorities(route)),
        tag("td", _quiet(route)),
        tag("td", _escalation(route)),
        tag("td", _route_state(route, is_known=is_known)),
        tag("td", button, class_="mw-right"),
    )


def _priorities(route: RouteState) -> Html:
    if not route.priorities:
        return tag("span", "only what goes on from others", class_="mw-hint")
    each = [
        tag("span", priority_symbol(priority, quiet=True), PRIORITY_WORDS[priority])
        for priority in sorted(set(route.priorities))
    ]
    return tag("div", each, class_="mw-route-takes")


def _quiet(route: RouteState) -> str:
    if not route.quiet_hours:
        return NONE
    return f"{route.quiet_hours}, {'all' if route.quiet_critical else 'but for critical'}"


def _escalation(route: RouteState) -> str:
    if not route.escalate_to:
        return NONE
    return f"to {route.escalate_to} after {age_words(route.escalate_after_s)}"


def _route_state(route: RouteState, *, is_known: bool) -> Html:
    if not is_known:
        return tag("span", "not known", class_="mw-hint")
    if route.is_usable and not route.problem:
        return marked(("done", "ready"))
    word = "does not deliver" if route.is_usable else "not usable"
    return join(
        [marked(("failed", word)), tag("div", capitalised(route.problem), class_="mw-hint")]
    )


def delivery_row(delivery: Delivery, sight: UpkeepSight) -> Html:
    """Return what became of one notification on one route."""
    told = delivery.notification
    words = f"/alarms#{told.alarm}" if told.alarm else ""
    title = tag("a", told.title, href=words, class_="mw-link") if words else told.title
    return tag(
        "tr",
        tag("td", when_words(delivery.at, sight.zone, sight.now), class_="mw-whole"),
        tag("td", marked(LOOKS[delivery.state])),
        tag("td", delivery.route or NONE),
        tag("td", priority_symbol(told.priority, quiet=True), " ", title, class_="mw-told"),
        tag("td", key_link(told.equipment, sight.name_of) or NONE),
        tag("td", tag("span", "tries ", class_="mw-narrow"), delivery.tries),
        tag("td", capitalised(delivery.reason) or NONE, class_="mw-told-why"),
    )

"""Whom to tell of what, and whom not and why; pure functions of memory and clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from agents.notifier.routes import Route
from app.core.alarm import Priority
from app.core.delivery import DeliveryState, Notification, RouteAnswer

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Past:
    """One sending that was not suppressed, of whatever outcome."""

    route: str
    matter: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a notification on one route."""

    route: str
    state: DeliveryState
    reason: str = ""


def choose(
    routes: Mapping[str, Route],
    priority: Priority,
    wanted: str,
    problems: Sequence[str] = (),
) -> list[str] | Verdict:
    """Return the routes to try, or why there is none: FAILED is the fault of who asked.

    Args:
        routes: All usable routes.
        priority: Of the notification.
        wanted: Name of the only route to use; empty takes those for the priority.
        problems: Why further routes are not usable.
    """
    also = f"; {'; '.join(problems)}" if problems else ""
    if wanted:
        if wanted in routes:
            return [wanted]
        known = f"usable are {', '.join(routes)}" if routes else "add [[notify.routes]]"
        reason = f'there is no usable route "{wanted[:60]}"; {known}{also}'
        return Verdict(wanted, DeliveryState.FAILED, reason)
    names = [name for name, route in routes.items() if priority in route.settings.priorities]
    if names:
        return names
    reason = f"no route for priority {int(priority)} is configured; add [[notify.routes]]{also}"
    return Verdict("", DeliveryState.SUPPRESSED, reason)


def judge(
    route: Route, notification: Notification, past: Iterable[Past], now: datetime, zone: tzinfo
) -> Verdict:
    """Tell whether a notification goes out on `route` now.

    Args:
        route: The route.
        notification: What is to be told.
        past: What went out before, on any route, for an hour or `dedupe_s` at least.
        now: UTC.
        zone: Clock of the plant, for quiet hours.
    """
    mine = [each for each in past if each.route == route.name]
    reason = (
        _repeated(route, notification, mine, now)
        or _quiet(route, notification, now, zone)
        or _too_many(route, notification, mine, now)
    )
    state = DeliveryState.SUPPRESSED if reason else DeliveryState.QUEUED
    return Verdict(route.name, state, reason)


def nobody_told(answers: Sequence[RouteAnswer]) -> str:
    """Return the warning that nobody has been told, and why; "" if somebody has.

    Args:
        answers: What became of a notification on each route, at least one.
    """
    states = {each.state for each in answers}
    if DeliveryState.SENT in states:
        return ""
    head = "Nobody is told yet" if DeliveryState.QUEUED in states else "Nobody is told"
    whys = (
        f"{each.name}: {each.reason or each.state.value}" if each.name else each.reason
        for each in answers
    )
    return f"{head}: {'; '.join(whys)}"


def keep_s(routes: Mapping[str, Route]) -> float:
    """Return for how long the past matters, s."""
    spans = [route.settings.dedupe_s for route in routes.values()]
    return max([HOUR.total_seconds(), *spans])


def _repeated(route: Route, notification: Notification, past: Iterable[Past], now: datetime) -> str:
    span = timedelta(seconds=route.settings.dedupe_s)
    for each in past:
        if each.matter == notification.matter and now - each.at < span:
            ago = (now - each.at).total_seconds()
            return f"the same went out {ago:.0f} s ago; again after {span.total_seconds():g} s"
    return ""


def _quiet(route: Route, notification: Notification, now: datetime, zone: tzinfo) -> str:
    is_spared = notification.priority is Priority.CRITICAL and not route.settings.quiet_critical
    if is_spared or not route.is_quiet(now, zone):
        return ""
    return f"quiet hours {route.settings.quiet_hours}"


def _too_many(route: Route, notification: Notification, past: Sequence[Past], now: datetime) -> str:
    # A flood of lesser ones must not keep a critical one from going out.
    factor = 2 if notification.priority is Priority.CRITICAL else 1
    limit = route.settings.max_per_hour * factor
    count = sum(now - each.at < HOUR for each in past)
    return f"{count} went out in the last hour; {limit} are allowed" if count >= limit else ""

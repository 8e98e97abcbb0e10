"""The ways to reach people, from settings and environment; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import NamedTuple
from urllib.parse import quote

from app.core.delivery import RouteListing, RouteState
from app.settings_notify import SMS, NotifySettings, RouteSettings, quiet_span

TWILIO: tuple[str, ...] = (
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_FROM_NUMBER",
    "TWILIO_TO_NUMBER",
)
"""The variables of the seeds; together they make the route "sms" for critical and high."""


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """One way to reach people. It has no `repr`, because its URL is a secret."""

    url: str
    settings: RouteSettings
    quiet: tuple[time, time] | None = None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.settings.name

    def is_quiet(self, at: datetime, zone: tzinfo) -> bool:
        """Tell whether the plant's clock shows a quiet hour."""
        if self.quiet is None:
            return False
        start, end = self.quiet
        now = at.astimezone(zone).time()
        return start <= now < end if start < end else now >= start or now < end


class Routes(NamedTuple):
    """The usable routes by name, and why others are not usable."""

    usable: dict[str, Route]
    problems: tuple[str, ...]


def find_routes(settings: NotifySettings, environment: Mapping[str, str]) -> Routes:
    """Return the routes of the settings, and that of Twilio's variables if all are set."""
    usable: dict[str, Route] = {}
    problems: list[str] = []
    for route in settings.routes:
        url = route.url.get_secret_value() or environment.get(route.url_env, "")
        if url:
            quiet = quiet_span(route.quiet_hours) if route.quiet_hours else None
            usable[route.name] = Route(url, route, quiet)
        else:
            problems.append(f'route "{route.name}": environment variable {route.url_env} is empty')
    is_named = any(route.name == SMS for route in settings.routes)
    missing = [name for name in TWILIO if not environment.get(name)]
    if not is_named and not missing:
        usable[SMS] = _twilio(environment)
    elif not is_named and len(missing) < len(TWILIO):
        problems.append(f'route "{SMS}": {", ".join(missing)} not set, the other variables are')
    problems += [
        f'route "{route.name}" escalates to "{route.settings.escalate_to}", which is not usable'
        for route in usable.values()
        if route.settings.escalate_to and route.settings.escalate_to not in usable
    ]
    return Routes(usable, tuple(problems))


def listing(
    settings: NotifySettings, usable: Mapping[str, Route], problems: Sequence[str]
) -> RouteListing:
    """Return the routes as people may see them: without their URLs.

    Args:
        settings: Those of the settings, usable or not.
        usable: Those that something can be sent by.
        problems: What is wrong; one that begins with 'route "name": ' is shown at that route.
    """
    named = {route.name: route for route in settings.routes}
    named |= {name: route.settings for name, route in usable.items()}
    own = {name: _problem(name, problems) for name in named}
    of_routes = {f'route "{name}": {problem}' for name, problem in own.items() if problem}
    routes = [_state(route, usable.get(name), own[name]) for name, route in named.items()]
    return RouteListing(tuple(routes), tuple(each for each in problems if each not in of_routes))


def _state(settings: RouteSettings, route: Route | None, problem: str) -> RouteState:
    scheme, is_url, _ = route.url.partition("://") if route else ("", "", "")
    return RouteState(
        name=settings.name,
        priorities=settings.priorities,
        service=scheme if is_url else "",
        quiet_hours=settings.quiet_hours,
        quiet_critical=settings.quiet_critical,
        escalate_after_s=settings.escalate_after_s,
        escalate_to=settings.escalate_to,
        problem=problem,
        is_usable=route is not None,
    )


def _problem(name: str, problems: Sequence[str]) -> str:
    head = f'route "{name}": '
    return next((each.removeprefix(head) for each in problems if each.startswith(head)), "")


def _twilio(environment: Mapping[str, str]) -> Route:
    account, token, sender, receiver = (quote(environment[name], safe="") for name in TWILIO)
    url = f"twilio://{account}:{token}@{sender}/{receiver}"
    return Route(url, RouteSettings(name=SMS, url_env=TWILIO[1], priorities=(1, 2)))

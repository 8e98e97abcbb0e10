"""What became of notifications, and the routes they go by; the notifier agent keeps both."""

from enum import StrEnum

import msgspec

from app.core.alarm import Priority
from app.core.clock import AwareTime


class DeliveryState(StrEnum):
    """What became of a notification on one route."""

    QUEUED = "queued"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


class Notification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that people should know.

    Attributes:
        title: One line.
        message: The rest.
        priority: 1 critical to 4 low.
        key: What two notifications of the same matter have in common; empty compares the texts.
        equipment: Path of the unit, for the reader.
        alarm: Id of the alarm, for the reader.
    """

    title: str
    message: str
    priority: Priority
    key: str = ""
    equipment: str = ""
    alarm: str = ""

    @property
    def matter(self) -> str:
        """What makes two notifications the same; a worse priority is news."""
        return f"{self.key or f'{self.title}|{self.message}'}#{int(self.priority)}"


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One notification on one route.

    Attributes:
        number: Grows by one a delivery.
        id: The same for all routes of one notification.
        route: Name of the route; empty if none was found.
        notification: What is told.
        state: Queued, sent, suppressed or failed.
        reason: Why it is suppressed or failed, or what went wrong at the last try.
        at: When it was decided, UTC.
        changed_at: When the state or the count of tries last changed, UTC.
        tries: How often it was tried.
        next_at: When it is tried next, UTC; None unless it is queued.
    """

    number: int
    id: str
    route: str
    notification: Notification
    state: DeliveryState
    reason: str
    at: AwareTime
    changed_at: AwareTime
    tries: int = 0
    next_at: AwareTime | None = None


class DeliveryListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of `deliveries`: the newest first."""

    deliveries: tuple[Delivery, ...]


class RouteState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One route as people may see it: all but its URL, which may hold a secret.

    Attributes:
        name: What it is called.
        priorities: Those it takes, 1 critical to 4 low; none if only others escalate to it.
        service: Scheme of its URL, such as "mailtos"; empty unless something can be sent by it.
        quiet_hours: Plant time at which it stays silent; empty for never.
        quiet_critical: Quiet hours hold back critical ones too.
        escalate_after_s: Until an alarm nobody acknowledged goes on; 0 is never.
        escalate_to: Name of the route it then goes to.
        problem: Why it cannot be used, or what the service said at the last try; empty if well.
        is_usable: Something can be sent by it.
    """

    name: str
    priorities: tuple[int, ...]
    service: str = ""
    quiet_hours: str = ""
    quiet_critical: bool = False
    escalate_after_s: float = 0
    escalate_to: str = ""
    problem: str = ""
    is_usable: bool = True


class RouteListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of `routes`: each route of the settings or of the environment.

    Attributes:
        routes: In the order of the settings.
        problems: What is wrong beyond single routes.
    """

    routes: tuple[RouteState, ...]
    problems: tuple[str, ...] = ()


class RouteAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one notification on one route.

    Attributes:
        name: Name of the route; empty if none was found.
        state: Where it stands after the first try.
        reason: Why it did not go out, or what the service said.
    """

    name: str
    state: DeliveryState
    reason: str


class NotifyAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of `notify`.

    Attributes:
        delivery: Id in the delivery log.
        routes: What became of it on each route.
        warning: That nobody has been told, and why; "" if somebody has.
    """

    delivery: str
    routes: tuple[RouteAnswer, ...]
    warning: str = ""

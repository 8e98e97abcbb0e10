"""What every component says of its own health, for the Health page and `millwright health`."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Health(StrEnum):
    """How a component is."""

    OK = "ok"
    STARTING = "starting"
    DEGRADED = "degraded"
    FAILED = "failed"
    STOPPED = "stopped"


class ComponentStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """State of one component with its reason and what to do about it.

    Attributes:
        name: What it is called on screen ("Broker").
        state: How it is.
        since: When this state began, UTC.
        reason: Why, in words an operator reads; empty when ok.
        remedy: What to do; empty when nothing is to be done.
    """

    name: str
    state: Health
    since: datetime
    reason: str = ""
    remedy: str = ""

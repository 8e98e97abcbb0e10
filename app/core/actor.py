"""Who does something to the plant; stands in every journal line."""

from enum import StrEnum

import msgspec

from app.core.errors import InputError


class Role(StrEnum):
    """What a person may do; each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)

    def lesser(self, other: "Role") -> "Role":
        """Return the one of both that may do less."""
        return other if self.covers(other) else self


class Actor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a peer that changes state.

    Attributes:
        name: Login name; "operator" until login exists; "system" for the app itself.
        source: Where the action came from ("ui", "http", "mqtt", "cli", "workflow", "system").
        role: What the person may do.
    """

    name: str
    source: str
    role: Role = Role.OPERATOR


SYSTEM = Actor(name="system", source="system")

MQTT = "mqtt"
"""Name of a program that asks on MQTT and does not say who it is."""
COMPENSATION = "compensation"
"""Agrees that a tag becomes what it was before the step that is taken back."""

_OWN = frozenset({SYSTEM.name, MQTT, COMPENSATION, "app", "gateway", "millwright", "unknown"})
_WORKFLOW = "workflow"
_CLAIM = frozenset({"ui", "http", "cli", MQTT})


def folded_name(name: str) -> str:
    """Return a name as names are compared: case and the number of blanks make no difference."""
    return " ".join(name.split()).casefold()


def check_name(name: str) -> None:
    """Check the name that a person or a program gives itself.

    The app acts under names, too, as "system" or "workflow NAME" where no person stands behind a
    run. Who took one would be nobody, and could agree to their own wish as a second person.

    Raises:
        InputError: It is empty, or one of the app's own.
    """
    folded = folded_name(name)
    if not folded:
        raise InputError("The name is empty; say who you are")
    if folded in _OWN or folded.split(" ", 1)[0] == _WORKFLOW:
        raise InputError(f'"{name.strip()[:80]}" is a name of the app itself; use your own')


def check_actor(actor: Actor) -> None:
    """Check the name of who acts from outside; what the app itself does passes.

    Raises:
        InputError: It is empty, or one of the app's own.
    """
    is_unnamed = actor.source == MQTT and actor.name == MQTT
    if actor.source in _CLAIM and not is_unnamed:
        check_name(actor.name)

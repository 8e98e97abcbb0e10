"""Who does something to the plant; stands in every journal line."""

from enum import StrEnum

import msgspec


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

"""Who does something to the plant; stands in every journal line."""

import msgspec


class Actor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a peer that changes state.

    Attributes:
        name: Login name; "operator" until login exists; "system" for the app itself.
        source: Where the action came from ("ui", "http", "mqtt", "cli", "system").
    """

    name: str
    source: str


SYSTEM = Actor(name="system", source="system")

"""Where the broker is, and what to tell an operator when it is not."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.core.agent import PARENT_VARIABLE
from app.settings import BrokerSettings

_DEFAULT_PORT = 1883  # IANA, MQTT without TLS


@dataclass(frozen=True, slots=True)
class Address:
    """Host, port and login of the broker, and which settings say so.

    Attributes:
        setting: Name of the setting.
        in_app: The reader is the app, which shows a broker of its own as a component.
        in_child: The reader is a process that the app started.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    setting: str
    in_app: bool = False
    in_child: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def remedy_unreachable(self) -> str:
        """What to do when nothing answers there."""
        is_alone = not (self.in_app or self.in_child)
        if self.setting == "broker.url":
            by_hand = "--broker or " if is_alone else ""
            return f"Start that broker or correct {by_hand}the setting broker.url"
        if self.in_app:
            return "Look at the component Broker, which this app runs on the port broker.port"
        if self.in_child:
            return "Look at Broker on the Health page of the app, which runs it on broker.port"
        return "Start the app, which runs the broker on broker.port, or name another by --broker"

    @property
    def remedy_refused(self) -> str:
        """What to do when the broker does not let us in."""
        twice = "that no other client has this one's id, as an agent run twice"
        if self.setting == "broker.port":  # the embedded broker asks nobody for a login
            return f"See that the app's own broker listens on {self} (broker.port), and {twice}"
        return (
            f"See that an MQTT 3.1.1 broker listens on {self}, {twice}, and if it wants a login, "
            "check the user in broker.url and MILLWRIGHT_BROKER__PASSWORD"
        )


def broker_address(settings: BrokerSettings, *, in_app: bool = False) -> Address:
    """Return the external broker's address, or that of the embedded one.

    Args:
        settings: Where it is.
        in_app: The caller is the app, which runs the embedded one.
    """
    password, in_child = settings.password.get_secret_value(), PARENT_VARIABLE in os.environ
    if not settings.url:
        return Address("127.0.0.1", settings.port, "", password, "broker.port", in_app, in_child)
    parts = urlsplit(settings.url)
    host, port, user = parts.hostname or "", parts.port or _DEFAULT_PORT, parts.username or ""
    return Address(host, port, user, password, "broker.url", in_app, in_child)

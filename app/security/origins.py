"""Which hosts this server answers to, and which web pages may call it."""

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Address(NamedTuple):
    """A host name in lower case with its port; the port is None where none was given."""

    host: str
    port: int | None


class Origins:
    """The rules, made once from the settings.

    A browser resolves any name its page's owner likes to 127.0.0.1 (DNS rebinding), so a request
    is answered only when its Host header names this machine's loopback, the bound host, or the
    host of an allowed origin. A page may call when it came from the very host and port it calls,
    or is listed in `server.allowed_origins`. Programs that are no browser send no Origin.
    """

    def __init__(self, host: str, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed)
        listed = {parsed.host for origin in self._allowed if (parsed := _of_origin(origin))}
        self._hosts = {"localhost", host.lower().strip("[]")} | listed

    def knows_host(self, host_header: str) -> bool:
        """Tell whether the Host header names this server."""
        address = _of_host(host_header)
        return address is not None and (address.host in self._hosts or _is_loopback(address.host))

    def allows(self, origin: str, host_header: str) -> bool:
        """Tell whether a page of `origin` may call the server it reached as `host_header`."""
        if self.is_listed(origin):
            return True
        page, own = _of_origin(origin), _of_host(host_header)
        if page is None or own is None:
            return False
        scheme = origin.partition(":")[0].lower()
        default = _DEFAULT_PORTS.get(scheme)
        return page.host == own.host and (page.port or default) == (own.port or default)

    def is_listed(self, origin: str) -> bool:
        """Tell whether `origin` stands in `server.allowed_origins`."""
        return origin.lower() in self._allowed


def _of_origin(origin: str) -> Address | None:
    scheme, separator, rest = origin.partition("://")
    if not separator or scheme.lower() not in {"http", "https"}:
        return None
    return _of_host(rest)


def _of_host(host: str) -> Address | None:
    try:
        parts = urlsplit(f"//{host}")
        address = Address((parts.hostname or "").lower(), parts.port)
    except ValueError:
        return None
    is_plain = parts.netloc == host and "@" not in host
    return address if address.host and is_plain else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

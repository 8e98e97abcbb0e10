"""The one gate in front of pages, API and websockets, as pure ASGI.

`BaseHTTPMiddleware` never sees a websocket, so a gate built on it leaves /live open to any web page
the operator's browser shows (docs/security.md).
"""

import logging
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.clock import Clock
from app.security.body_limit import BodyTooLargeError, LimitedBody
from app.security.headers import with_headers
from app.security.origins import Origins
from app.security.rate_limit import RateLimits
from app.security.refusal import Refusal, refusal, send_refusal
from app.settings import ServerSettings

logger = logging.getLogger(__name__)

_CORS_METHODS = b"GET, POST, DELETE"
_CORS_HEADERS = b"authorization, content-type"


class Gate:
    """Checks host, origin, rate and size of each request and adds security headers to each answer.

    An error that nothing below has answered becomes a 500 without internals here, so that it too
    carries the headers; the traceback goes to the log.
    """

    def __init__(self, app: ASGIApp, server: ServerSettings, clock: Clock) -> None:
        self._app = app
        self._rates = RateLimits(server, clock)
        self._origins = Origins(server.host, server.allowed_origins)
        self._limit_bytes = server.body_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        origin = _header(scope, b"origin")
        is_listed = origin is not None and self._origins.is_listed(origin)
        send = with_headers(send, scope["path"], origin if origin and is_listed else "")
        refused = self._refused(scope, origin)
        if refused is not None:
            await send_refusal(scope, send, refused)
        elif is_listed and scope["type"] == "http" and scope["method"] == "OPTIONS":
            await _answer_preflight(send)
        elif scope["type"] == "http":
            await self._limited(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refused(self, scope: Scope, origin: str | None) -> Refusal | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1") if len(hosts) == 1 else ""
        if not self._origins.knows_host(host):
            return refusal(
                403,
                "host_not_allowed",
                f'This server does not answer as "{host[:120]}"',
                "Use http://127.0.0.1 and the port, or list the origin in server.allowed_origins",
            )
        if origin is not None and not self._origins.allows(origin, host):
            return refusal(
                403,
                "origin_not_allowed",
                f'Pages of "{origin[:120]}" may not call this server',
                "List the origin in server.allowed_origins if you trust it",
            )
        return self._rates.refused(scope)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = LimitedBody(scope, receive, send, self._limit_bytes)
        if body.declared_too_large:
            await send_refusal(scope, send, body.refused)
            return
        answer = _Answer(body.send)
        try:
            await self._app(scope, body.receive, answer.send)
        except BodyTooLargeError:
            logger.debug("%s %s sent too large a body", scope["method"], scope["path"])
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if answer.is_half_sent:
                raise
            if not answer.has_started:
                await send_refusal(scope, answer.send, UNEXPECTED)
        await body.finish()


class _Answer:
    """Remembers how far an answer has gone, so that a failure can still be told."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False
        self._is_complete = False

    @property
    def is_half_sent(self) -> bool:
        """It began and did not end; only cutting the connection tells the caller."""
        return self.has_started and not self._is_complete

    async def send(self, message: Message) -> None:
        self.has_started = True
        self._is_complete = not message.get("more_body", message["type"].endswith("start"))
        await self._send(message)


UNEXPECTED = refusal(
    500,
    "internal",
    "The server could not answer because of a fault of its own",
    "Try again; if it stays, look into the log of the app at this moment",
)


async def _answer_preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", _CORS_METHODS),
        (b"access-control-allow-headers", _CORS_HEADERS),
        (b"access-control-max-age", b"600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _header(scope: Scope, name: bytes) -> str | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    found = [value for key, value in headers if key == name]
    return found[0].decode("latin-1") if found else None

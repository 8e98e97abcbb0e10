"""Security headers of every answer, chosen by path."""

from starlette.types import Message, Send

# NiceGUI compiles Vue templates and runs `run_javascript` with eval, and writes its import map and
# boot script into the page, so both "unsafe" words must stay (nicegui/static/nicegui.js 3.18, lines
# 253-335). What remains closed: any other host for script, style, picture, font, frame or socket.
PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
API = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
API_DOCS = f"{API}; script-src 'self'; style-src 'self'; connect-src 'self'"

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
_API_PREFIXES = ("/api/", "/metrics", "/healthz")


def content_policy(path: str) -> str:
    """Return the content security policy of a path."""
    if path == "/api/docs":
        return API_DOCS
    return API if path.startswith(_API_PREFIXES) else PAGES


def with_headers(send: Send, path: str, cors_origin: str = "") -> Send:
    """Wrap `send` so that each answer carries the headers; one a route set itself stays.

    `cors_origin` is an origin of another host that may read the answer; empty if none may.
    """
    wanted = [*_ALWAYS, (b"content-security-policy", content_policy(path).encode())]
    if path.startswith(_API_PREFIXES):
        wanted.append((b"cache-control", b"no-store"))
    if cors_origin:
        wanted += [(b"access-control-allow-origin", cors_origin.encode()), (b"vary", b"Origin")]
        wanted.remove((b"cross-origin-resource-policy", b"same-origin"))

    async def send_with_headers(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.http.response.start"}:
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in wanted if name not in present]
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers

"""The body of every error answer, and how to send one below any framework."""

import msgspec
from starlette.types import Scope, Send


class ErrorBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller gets instead of what it asked for.

    Attributes:
        error: Kind of error, one word a program can compare.
        message: What failed and which thing, for a person.
        hint: What to do about it; empty when the message says it.
        fields: What is wrong by field, where several are.
    """

    error: str
    message: str
    hint: str = ""
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class Refusal(msgspec.Struct, frozen=True):
    """A status code with its error body, and when to ask again, s; 0 says nothing of it."""

    status: int
    body: ErrorBody
    retry_after_s: int = 0


def refusal(
    status: int, error: str, message: str, hint: str = "", *, retry_after_s: int = 0
) -> Refusal:
    """Make a refusal."""
    return Refusal(status, ErrorBody(error, message, hint), retry_after_s)


async def send_refusal(scope: Scope, send: Send, refused: Refusal) -> None:
    """Answer a request, or refuse a websocket before it is accepted."""
    prefix = scope["type"]
    if prefix == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": refused.body.message[:120]})
        return
    start = "http.response" if prefix == "http" else "websocket.http.response"
    payload = msgspec.json.encode(refused.body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(payload)).encode()),
        (b"connection", b"close"),
    ]
    if refused.retry_after_s:
        headers.append((b"retry-after", str(refused.retry_after_s).encode()))
    await send({"type": f"{start}.start", "status": refused.status, "headers": headers})
    await send({"type": f"{start}.body", "body": payload})

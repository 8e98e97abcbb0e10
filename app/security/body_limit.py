"""Refuses a request body that is too large, by its declared length and while it streams."""

from starlette.types import Message, Receive, Scope, Send

from app.security.refusal import Refusal, refusal, send_refusal


class BodyTooLargeError(Exception):
    """The body passed the limit; raised inside the application that reads it."""


class LimitedBody:
    """One request's body, counted as it arrives; one object a request.

    A framework may catch the error that `receive` raises and answer 400; `send` then answers 413
    in its place.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit_bytes: int) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limit_bytes = limit_bytes
        self._seen_bytes = 0
        self._is_exceeded = False
        self._has_started = False

    @property
    def declared_too_large(self) -> bool:
        """The Content-Length header alone passes the limit, or is no number."""
        lengths = [value for name, value in self._scope["headers"] if name == b"content-length"]
        return any(not value.isdigit() or int(value) > self._limit_bytes for value in lengths)

    @property
    def refused(self) -> Refusal:
        """The answer to a body that is too large."""
        return refusal(
            413,
            "body_too_large",
            f"The request body is larger than {self._limit_bytes} bytes",
            "Send less at a time, or raise server.body_limit_bytes",
        )

    async def receive(self) -> Message:
        """Pass on the next part of the body.

        Raises:
            BodyTooLargeError: The limit is passed.
        """
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen_bytes += len(message.get("body", b""))
            if self._seen_bytes > self._limit_bytes:
                self._is_exceeded = True
                raise BodyTooLargeError
        return message

    async def send(self, message: Message) -> None:
        """Pass on the answer, or 413 in its place once the limit is passed."""
        if not self._is_exceeded or self._has_started:
            self._has_started = True
            await self._send(message)

    async def finish(self) -> None:
        """Answer 413 if the limit was passed before an answer began."""
        if self._is_exceeded and not self._has_started:
            self._has_started = True
            await send_refusal(self._scope, self._send, self.refused)

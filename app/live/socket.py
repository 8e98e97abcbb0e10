"""The websocket `/live`: one a browser tab, text JSON, everything a browser sends is bounded.

Browser to server, every field optional: `{"tags": [path…], "alarms": true, "history": [path…],
"seconds": 900, "points": 180, "find": "pump"}`. Server to browser, by `k`: `hello` (description
of the view; `boot` changes when the server was restarted), `f` (values), `a` (alarms), `s`
(status line), `r` (recent history of one tag), `q` (things found), `e` (what was wrong with a
message), `h` (heartbeat). Login and Origin are checked by the middleware before this is reached.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.core.clock import Clock
from app.live import frames
from app.live.hub import LiveHub
from app.live.search import search
from app.live.tags import TagTable
from app.live.view import Subscriber

logger = logging.getLogger(__name__)

TABS_LIMIT = 500
TAGS_LIMIT = 2_000
HISTORY_LIMIT = 64
HITS_LIMIT = 20
MESSAGE_LIMIT_CHARS = 262_144
MISTAKES_LIMIT = 10
MESSAGES_PER_S = 20.0
BURST = 60.0
SEND_TIMEOUT_S = 10.0
BAD = 2  # quality in a Series

CLOSE_POLICY = 1008  # RFC 6455, 7.4.1
CLOSE_TOO_BIG = 1009
CLOSE_TRY_LATER = 1013


class Series(Protocol):
    """What is read of `app.store.history.Series`."""

    @property
    def times_us(self) -> NDArray[np.int64]:
        """Microseconds since 1970."""
        ...

    @property
    def values(self) -> NDArray[np.float64]:
        """NaN where there is none."""
        ...

    @property
    def qualities(self) -> NDArray[np.uint8]:
        """0 good, 1 uncertain, 2 bad."""
        ...


class RecentHistory(Protocol):
    """The historian's memory of the last minutes."""

    def recent(self, tag: str, since: datetime) -> Series:
        """Return what is kept of a tag since then."""
        ...


class LiveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser may send; see the module's docstring."""

    tags: list[str] | None = None
    alarms: bool | None = None
    history: list[str] | None = None
    seconds: float = 900.0
    points: int = 180
    find: str | None = None


class _Allowance:
    """A token bucket against floods."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = BURST
        self._at = clock.monotonic()

    def take(self) -> bool:
        """Use one message; False when too many came."""
        now = self._clock.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * MESSAGES_PER_S) - 1
        self._at = now
        return self._left >= 0


class _Refused(Exception):  # noqa: N818  ends one connection, not an error of ours
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def live_endpoint(
    hub: LiveHub, tags: TagTable, history: RecentHistory | None, clock: Clock
) -> Callable[[WebSocket], Awaitable[None]]:
    """Return the handler of `/live`; mount it with `app.add_websocket_route("/live", …)`."""

    async def live(websocket: WebSocket) -> None:
        await websocket.accept()
        if hub.subscribers >= TABS_LIMIT:
            await websocket.close(CLOSE_TRY_LATER, f"{TABS_LIMIT} tabs are the limit")
            return
        await _Connection(websocket, hub, tags, history, clock).serve()

    return live


class _Connection:
    def __init__(
        self,
        websocket: WebSocket,
        hub: LiveHub,
        tags: TagTable,
        history: RecentHistory | None,
        clock: Clock,
    ) -> None:
        self._websocket = websocket
        self._hub = hub
        self._tags = tags
        self._history = history
        self._clock = clock
        self._subscriber: Subscriber = hub.join()
        self._mistakes = 0

    async def serve(self) -> None:
        """Serve one tab until it goes, stalls or misbehaves."""
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(), name="live-writer")
                try:
                    await self._read()
                finally:
                    writer.cancel()
        except* _Refused as refused:
            for error in refused.exceptions:
                if isinstance(error, _Refused):
                    await self._close(error)
        except* (WebSocketDisconnect, TimeoutError, OSError):
            logger.debug("a browser tab is gone")
        finally:
            self._hub.leave(self._subscriber)

    async def _close(self, refused: _Refused) -> None:
        logger.info("a browser tab was refused: %s", refused.reason)
        try:
            await self._websocket.close(refused.code, refused.reason)
        except (WebSocketDisconnect, RuntimeError, OSError):
            logger.debug("it was gone already")

    async def _write(self) -> None:
        while True:
            for text in await self._hub.messages(self._subscriber):
                await self._send(text)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._websocket.send_text(text)

    async def _read(self) -> None:
        allowance = _Allowance(self._clock)
        while True:
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                return
            if not allowance.take():
                raise _Refused(CLOSE_POLICY, "too many messages")
            content = event.get("text") or event.get("bytes") or ""
            if len(content) > MESSAGE_LIMIT_CHARS:
                raise _Refused(CLOSE_TOO_BIG, f"more than {MESSAGE_LIMIT_CHARS} characters")
            try:
                request = msgspec.json.decode(content, type=LiveRequest)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                await self._complain("not_understood", str(error)[:200])
            else:
                await self._answer(request)

    async def _complain(self, code: str, why: str) -> None:
        self._mistakes += 1
        if self._mistakes > MISTAKES_LIMIT:
            raise _Refused(CLOSE_POLICY, f"too many mistakes, last {code}")
        await self._tell("e", {"code": code, "message": why})

    async def _tell(self, kind: str, fields: dict[str, object]) -> None:
        now_ms = int(self._clock.now().timestamp() * 1000)
        await self._send(frames.message(kind, now_ms, fields))

    async def _answer(self, request: LiveRequest) -> None:
        if request.alarms is not None:
            self._hub.watch_alarms(self._subscriber, wanted=request.alarms)
        if request.tags is not None:
            if len(request.tags) > TAGS_LIMIT:
                await self._complain("too_many_tags", f"{TAGS_LIMIT} tags a tab are the limit")
            else:
                self._hub.look(self._subscriber, request.tags)
        if request.find is not None:
            hits = search(self._tags.equipment(), request.find[:80], HITS_LIMIT)
            await self._tell("q", {"text": request.find[:80], "hits": hits})
        if request.history is not None:
            await self._tell_history(request.history, request.seconds, request.points)

    async def _tell_history(self, paths: list[str], seconds: float, points: int) -> None:
        if len(paths) > HISTORY_LIMIT:
            await self._complain("too_many_tags", f"{HISTORY_LIMIT} histories a message")
            return
        since = self._clock.now() - timedelta(seconds=min(max(seconds, 1.0), 86_400.0))
        for path in paths:
            times, values = self._recent(path, since, min(max(points, 2), 2_000))
            await self._tell(
                "r",
                {
                    "path": path,
                    "seconds": seconds,
                    "points": points,
                    "times": times,
                    "values": values,
                },
            )

    def _recent(
        self, path: str, since: datetime, points: int
    ) -> tuple[list[int], list[float | None]]:
        if self._history is None or not self._tags.has(path):
            return [], []
        series = self._history.recent(path, since)
        values = np.where(series.qualities == BAD, np.nan, series.values)
        return frames.thin(series.times_us, values, points)

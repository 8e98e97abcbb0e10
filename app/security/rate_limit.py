"""How often one caller may ask: token buckets, one a caller and kind of request.

A bucket holds as many tokens as its rate gives in `server.burst_s` seconds, so that thirty tabs
that come back after a restart pass, and a loop that never rests does not.
"""

import logging
import math
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum

from starlette.types import Scope

from app.core.clock import Clock
from app.security.refusal import Refusal, refusal
from app.settings import ServerSettings

logger = logging.getLogger(__name__)

_CALLERS_KEPT = 1024
_FREE = ("/_nicegui/", "/_nicegui_ws/", "/static/")
_API = ("/api", "/api/", "/metrics", "/live", "/ws/")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Kind(StrEnum):
    """What a request costs the plant; each kind has its own rate."""

    PAGES = "pages"
    READS = "reads"
    QUERIES = "queries"
    CHANGES = "changes"


def kind_of(scope: Scope) -> Kind | None:
    """Return the kind of a request or websocket, None for what is never refused.

    Free are the liveness check, static files, and the sockets of pages: each belongs to a page
    that was counted.
    """
    path: str = scope["path"].rstrip("/") or "/"
    if path == "/healthz" or scope["path"].startswith(_FREE):
        return None
    if scope["type"] == "http" and scope["method"] not in _READING:
        return Kind.CHANGES
    if not scope["path"].startswith(_API):
        return Kind.PAGES  # also one that does not exist: its 404 is a page
    is_query = path == "/api/export" or path.endswith("/history")
    return Kind.QUERIES if is_query else Kind.READS


@dataclass(frozen=True, slots=True)
class Bucket:
    """Tokens there were at a moment of the monotonic clock, s."""

    tokens: float
    at: float


def take(bucket: Bucket, now: float, rate: float, capacity: float) -> tuple[Bucket, float]:
    """Take one token; return the bucket after it and the seconds until there is one, 0 if taken."""
    tokens = min(capacity, bucket.tokens + (now - bucket.at) * rate)
    if tokens >= 1:
        return Bucket(tokens - 1, now), 0.0
    return Bucket(tokens, now), (1 - tokens) / rate


class RateLimits:
    """The buckets of all callers; the caller unseen for longest is forgotten first."""

    def __init__(self, server: ServerSettings, clock: Clock) -> None:
        self._clock = clock
        self._rates: dict[Kind, float] = {
            Kind.PAGES: server.pages_per_s,
            Kind.READS: server.reads_per_s,
            Kind.QUERIES: server.queries_per_s,
            Kind.CHANGES: server.changes_per_s,
        }
        self._burst_s = server.burst_s
        self._buckets: OrderedDict[tuple[str, Kind], Bucket] = OrderedDict()
        self._refused: set[tuple[str, Kind]] = set()

    def refused(self, scope: Scope) -> Refusal | None:
        """Count a request; return the answer if it is one too many."""
        kind = kind_of(scope)
        if kind is None:
            return None
        key = (scope["client"][0] if scope.get("client") else "", kind)
        rate, now = self._rates[kind], self._clock.monotonic()
        capacity = max(1.0, rate * self._burst_s)
        bucket = self._buckets.pop(key, Bucket(capacity, now))
        self._buckets[key], wait_s = take(bucket, now, rate, capacity)
        if len(self._buckets) > _CALLERS_KEPT:
            forgotten, _ = self._buckets.popitem(last=False)
            self._refused.discard(forgotten)
        is_rested = self._buckets[key].tokens >= capacity / 2
        self._say(key, is_refused=wait_s > 0, is_rested=is_rested)
        return _refusal(kind, rate, wait_s) if wait_s > 0 else None

    def _say(self, key: tuple[str, Kind], *, is_refused: bool, is_rested: bool) -> None:
        """Log once when a caller passes a limit; anew only after it has slowed down."""
        if is_refused and key not in self._refused:
            self._refused.add(key)
            logger.warning("%s asks for too many %s, refused until it slows down", *key)
        elif is_rested:
            self._refused.discard(key)


def _refusal(kind: Kind, rate: float, wait_s: float) -> Refusal:
    seconds = math.ceil(wait_s)
    return refusal(
        429,
        "too_many_requests",
        f"More than {rate:g} {kind} a second",
        f"Wait {seconds} s and ask less often, or raise server.{kind}_per_s",
        retry_after_s=seconds,
    )

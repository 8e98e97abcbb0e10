"""The last shift summaries that were heard."""

from collections.abc import Sequence
from datetime import datetime

from app.bus.client import Bus, Received
from app.core import topics
from app.core.shift import ShiftSummary

KEPT = 9
"""Three days of three shifts."""


class ShiftBoard:
    """Keeps the summaries heard since the app started, one a span of time."""

    def __init__(self) -> None:
        self._by_span: dict[tuple[datetime, datetime], ShiftSummary] = {}

    def subscribe(self, bus: Bus) -> None:
        """Listen to the backlog agent; call before the bus starts."""
        bus.subscribe(topics.SHIFT_SUMMARY, ShiftSummary, self._take, qos=1)

    @property
    def latest(self) -> tuple[ShiftSummary, ...]:
        """The summaries, the latest shift first."""
        newest = sorted(self._by_span.values(), key=lambda each: each.end, reverse=True)
        return tuple(newest)

    def _take(self, batch: Sequence[Received[ShiftSummary]]) -> None:
        for received in batch:
            summary = received.message
            self._by_span[summary.start, summary.end] = summary
        for gone in self.latest[KEPT:]:
            del self._by_span[gone.start, gone.end]

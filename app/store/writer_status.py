"""What the historian tells of itself: well, or refused, since when, and when it tries again."""

import logging

from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.store.remedy import remedy

logger = logging.getLogger(__name__)

_BACKOFF_S = (1.0, 2.0, 4.0, 8.0)


class WriterStatus:
    """State of the one writer; logs a trouble when it begins and when it is over.

    Attributes:
        shown: State with its reason, for people.
        failures: Turns that failed since the last good one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._notes: list[str] = []
        self._next_try = 0.0
        self._unforeseen = ""
        self.shown = ComponentStatus("Historian", Health.STOPPED, clock.now())
        self.failures = 0

    @property
    def next_try_in_s(self) -> float:
        """Seconds until a turn that failed is tried again."""
        return self._next_try - self._clock.monotonic()

    def set(self, state: Health, reason: str = "", remedy: str = "") -> None:
        """Show a state; it lasts since it was first shown."""
        since = self.shown.since if self.shown.state is state else self._clock.now()
        self.shown = ComponentStatus("Historian", state, since, reason, remedy)

    def fail(self, error: StoreError, waiting: str) -> None:
        """Count a turn that failed; `waiting` says what has to wait for the next one."""
        wait_s = _BACKOFF_S[min(self.failures, len(_BACKOFF_S) - 1)]
        if not self.failures:
            logger.warning("History not written, trying again: %s", error)
        self.failures += 1
        self._next_try = self._clock.monotonic() + wait_s
        self.set(Health.DEGRADED, f"{error}; {waiting}", error.hint or remedy(error))

    def fail_unforeseen(self, error: Exception, waiting: str) -> StoreError:
        """Count a turn that failed in a way nobody foresaw; return it as a StoreError."""
        if self._unforeseen != repr(error):
            self._unforeseen = repr(error)
            logger.error("historian failed", exc_info=error)
        told = StoreError(f"The history failed unexpectedly: {error!r}", hint=remedy(error))
        self.fail(told, waiting)
        return told

    def succeed(self, dropped: int) -> None:
        """Count a good turn; `dropped` readings were given up so far."""
        if self.failures:
            logger.info("History is written again, %d readings were dropped", dropped)
        self.failures = 0
        self._unforeseen = ""
        if self._notes:
            self.set(Health.DEGRADED, "; ".join(self._notes), "Restore it from a backup")
        else:
            self.set(Health.OK)

    def note(self, note: str) -> None:
        """Keep a lasting trouble in the state until the next start."""
        logger.warning("%s", note)
        self._notes.append(note)

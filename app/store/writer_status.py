"""What the historian tells of itself: well, or what of its work fails and why, since when."""

import logging
from collections.abc import Sequence

from app.core.clock import Clock
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.store.remedy import remedy

logger = logging.getLogger(__name__)


class WriterStatus:
    """State of the one writer.

    Attributes:
        shown: State with its reason, for people.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._notes: list[str] = []
        self.shown = ComponentStatus("Historian", Health.STOPPED, clock.now())

    def set(self, state: Health, reason: str = "", remedy: str = "") -> None:
        """Show a state; it lasts since it was first shown."""
        since = self.shown.since if self.shown.state is state else self._clock.now()
        self.shown = ComponentStatus("Historian", state, since, reason, remedy)

    def show(self, errors: Sequence[StoreError], waiting: str = "") -> None:
        """Show what fails now and what was noted; `waiting` says what waits for a commit."""
        reasons = [str(error) for error in errors]
        reasons += [waiting] if waiting else []
        reasons += self._notes
        if errors:
            what_to_do = errors[0].hint or remedy(errors[0])
        else:
            what_to_do = "Restore it from a backup" if self._notes else ""
        self.set(Health.DEGRADED if reasons else Health.OK, "; ".join(reasons), what_to_do)

    def note(self, note: str) -> None:
        """Keep a lasting trouble in the state until the next start."""
        logger.warning("%s", note)
        self._notes.append(note)

"""Where the alarms tell what changed: each listener's trouble stays its own."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Outlet(Generic[T]):
    """One listener. What it misses while it fails is lost to it: news are not told again.

    Attributes:
        failed: News it failed at since the start.
    """

    def __init__(self, listener: Callable[[T], None]) -> None:
        self._listener = listener
        self._in_a_row = 0
        self.failed = 0

    def tell(self, news: T) -> None:
        """Call the listener; log the first failure of a row, and its end."""
        try:
            self._listener(news)
        except Exception as error:  # noqa: BLE001  the alarms live on; logged once a row, counted
            self._note_failure(error)
        else:
            self._note_success()

    def _note_failure(self, error: Exception) -> None:
        if not self._in_a_row:
            logger.error("A listener of the alarms failed: %r", self._listener, exc_info=error)
        self._in_a_row += 1
        self.failed += 1

    def _note_success(self) -> None:
        if self._in_a_row:
            logger.info("A listener of the alarms works again, it missed %d news", self._in_a_row)
        self._in_a_row = 0

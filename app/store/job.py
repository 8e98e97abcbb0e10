"""One thing the historian does again and again, with the failures and the back-off of its own."""

import logging
from collections.abc import Awaitable, Callable

from app.core.clock import Clock
from app.core.errors import StoreError
from app.store.remedy import remedy

logger = logging.getLogger(__name__)

_BACKOFF_S = (1.0, 2.0, 4.0, 8.0)


class Job:
    """Work that may fail and is tried again; logs a trouble when it begins and when it is over.

    Attributes:
        failures: Times it failed since it last went well.
        error: Why it failed the last time; None after it went well.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        wanted_in_s: Callable[[], float],
        work: Callable[[], Awaitable[None]],
    ) -> None:
        """Prepare.

        Args:
            name: What is done, for the log ("Committing").
            clock: Time.
            wanted_in_s: Seconds until there is work, as long as it goes well.
            work: Does it; for a failure it raises.
        """
        self._name = name
        self._clock = clock
        self._wanted_in_s = wanted_in_s
        self._work = work
        self._next_try = 0.0
        self._unforeseen = ""
        self.failures = 0
        self.error: StoreError | None = None

    @property
    def due_in_s(self) -> float:
        """Seconds until it is to be done; after a failure, until the back-off is over."""
        if self.failures:
            return self._next_try - self._clock.monotonic()
        return self._wanted_in_s()

    async def attempt(self) -> StoreError | None:
        """Do it once; return why it failed."""
        try:
            await self._work()
        except StoreError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  the one writer must live on; logged, counted, backs off
            self._fail_unforeseen(error)
        else:
            self._succeed()
        return self.error

    def _fail(self, error: StoreError) -> None:
        if not self.failures:
            logger.warning("%s fails, trying again: %s", self._name, error)
        self._next_try = self._clock.monotonic() + _BACKOFF_S[min(self.failures, 3)]
        self.failures += 1
        self.error = error

    def _fail_unforeseen(self, error: Exception) -> None:
        if self._unforeseen != repr(error):
            self._unforeseen = repr(error)
            logger.error("historian failed", exc_info=error)
        told = f"{self._name} failed unexpectedly: {error!r}"
        self._fail(StoreError(told, hint=remedy(error)))

    def _succeed(self) -> None:
        if self.failures:
            logger.info("%s goes well again, failures: %d", self._name, self.failures)
        self.failures = 0
        self.error = None
        self._unforeseen = ""

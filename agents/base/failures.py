"""Units whose decision failed in a way the agent did not foresee."""

import logging
from typing import NamedTuple

from app.core.backoff import backoff_s

logger = logging.getLogger(__name__)

_PAUSE_S = (1.0, 60.0)


class _Failing(NamedTuple):
    in_a_row: int
    next_s: float
    reason: str


class Failures:
    """Pauses a unit ever longer while its decision fails; logs the first failure of a row.

    Attributes:
        total: Decisions that failed since the start.
    """

    def __init__(self) -> None:
        self._units: dict[str, _Failing] = {}
        self.total = 0

    @property
    def reason(self) -> str:
        """Unit and error of one that fails, "" if none does."""
        return next((f"{path}: {each.reason}" for path, each in self._units.items()), "")

    def is_paused(self, path: str, now_s: float) -> bool:
        """Tell whether the unit is to be left alone for now."""
        failing = self._units.get(path)
        return failing is not None and now_s < failing.next_s

    def failed(self, path: str, error: Exception, now_s: float) -> None:
        """Take note of a decision that failed."""
        known = self._units.get(path)
        in_a_row = known.in_a_row + 1 if known else 1
        if not known:
            logger.error("No decision on %s", path, exc_info=error)
        next_s = now_s + backoff_s(in_a_row, *_PAUSE_S, 1.0)
        self._units[path] = _Failing(in_a_row, next_s, repr(error))
        self.total += 1

    def worked(self, path: str) -> None:
        """Take note of one that did not."""
        self._units.pop(path, None)

    def keep(self, paths: set[str]) -> None:
        """Forget units that are gone."""
        for path in self._units.keys() - paths:
            del self._units[path]

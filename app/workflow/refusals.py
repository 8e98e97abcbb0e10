"""Events that started no run: kept for the catalogue, and told in the log without filling it."""

import logging
import math
from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from app.core.clock import Clock
from app.core.workflow_entry import Refused

logger = logging.getLogger(__name__)

KEPT = 5
"""Reasons of one workflow; a person reads no more."""
SHOWN_FOR = timedelta(days=1)
_LOG_EVERY_S = 60.0
"""A message that comes a thousand times a second must not fill the log."""


class Refusals:
    """Keeps, in memory, the latest reasons why events started no run, by workflow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, dict[str, Refused]] = {}
        self._logged_at: dict[tuple[str, str], float] = {}
        self._unlogged: Counter[tuple[str, str]] = Counter()

    def note(self, workflow: str, why: str, fault: Exception | None = None) -> None:
        """Take an event that started no run; a fault of the app is logged with its traceback."""
        kept = self._kept.setdefault(workflow, {})
        before = kept.pop(why, None)
        kept[why] = Refused(self._clock.now(), why, before.count + 1 if before else 1)
        if len(kept) > KEPT:
            del kept[next(iter(kept))]
        self.log("start no run", workflow, why, fault)

    def of(self, workflow: str) -> tuple[Refused, ...]:
        """Return what was refused of a workflow within SHOWN_FOR, the latest first."""
        now = self._clock.now()
        kept = self._kept.get(workflow, {}).values()
        return tuple(each for each in reversed(kept) if now - each.at <= SHOWN_FOR)

    def keep(self, workflows: Collection[str]) -> None:
        """Forget what is told of other workflows: they are gone, or switched off."""
        self._kept = {name: kept for name, kept in self._kept.items() if name in workflows}

    def log(self, what: str, workflow: str, why: str, fault: Exception | None = None) -> None:
        """Log the first of a kind, and then a count a minute."""
        kind, now_s = (what, workflow), self._clock.monotonic()
        self._unlogged[kind] += 1
        if now_s - self._logged_at.get(kind, -math.inf) >= _LOG_EVERY_S:
            count = self._unlogged.pop(kind)
            said = "%d events %s of %s, the last: %s"
            logger.warning(said, count, what, workflow, why, exc_info=fault)
            self._logged_at[kind] = now_s

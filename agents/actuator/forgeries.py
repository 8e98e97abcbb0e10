"""Orders that are not the app's, as one alarm a unit and not one an order; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from app.core.alarm import Finding, Priority
from app.core.topics import is_segment

CONDITION = "order_not_believed"
UNITS = 20
"""Units with an alarm at a time: who sends orders under names of his own cannot fill the list."""
QUIET = timedelta(minutes=10)
"""After so long without another one the condition is absent; the alarm stays until it is reset."""
RESPONSE = (
    "Nothing was changed. Find out who can publish to the broker besides the app; the log of the "
    "actuator on the Agents page names the orders."
)


class _Seen(msgspec.Struct):
    reason: str
    at: datetime
    count: int


class Forgeries:
    """Remembers by unit what was refused; call `findings` about once a second."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._seen: dict[str, _Seen] = {}

    def recall(self, stated: Mapping[str, int | None], now: datetime) -> None:
        """Take over what a former life stated, so that it ends in time."""
        for key, priority in stated.items():
            agent, unit, condition = key.split(":")
            if (agent, condition) == (self._agent, CONDITION) and priority is not None:
                self._seen[unit] = _Seen("before a restart of the actuator", now, 0)

    def take(self, unit: str, reason: str, now: datetime) -> None:
        """Remember that an order to `unit` was refused, and why; a path of no unit is left out."""
        if not all(is_segment(part) for part in unit.split("/")):
            return
        known = self._seen.get(unit)
        if known is not None:
            self._seen[unit] = _Seen(reason, now, known.count + 1)
        elif len(self._seen) < UNITS:
            self._seen[unit] = _Seen(reason, now, 1)

    def findings(self, now: datetime) -> Iterator[Finding]:
        """Yield what holds of each unit with refused orders; the end of it is yielded once."""
        for unit, seen in list(self._seen.items()):
            if now - seen.at >= QUIET:
                del self._seen[unit]
                yield Finding(self._agent, CONDITION, unit, now, latching=True)
            else:
                yield self._finding(unit, seen, now)

    def _finding(self, unit: str, seen: _Seen, now: datetime) -> Finding:
        count = f"{seen.count} orders" if seen.count > 1 else "An order"
        return Finding(
            self._agent,
            CONDITION,
            unit,
            now,
            Priority.HIGH,
            message=f"{count} that the app did not send refused: {seen.reason}",
            response=RESPONSE,
            latching=True,
        )

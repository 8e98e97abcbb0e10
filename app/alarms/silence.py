"""Units that stop sending: hatched values alone would leave nobody warned."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.alarm import Finding, Priority

PLANT = "system/app/host/Telemetry"
_UNIT_RESPONSE = (
    "Go and see whether {name} runs, then check power and network of what sends its values. "
    "Its alarm limits are not watched meanwhile, so look at it every 15 minutes."
)
_PLANT_RESPONSE = (
    "Look for the common cause first: the broker on the Health page, the plant network, the "
    "gateway. No alarm limit of these units is watched, so have somebody walk the plant now."
)


class UnitSilence(NamedTuple):
    """Whether a unit that has sent values sends none now."""

    path: str
    name: str
    is_silent: bool


class SilenceWatch:
    """States which units are silent for longer than `after_s`; one finding for a common cause.

    When more than half of the units are silent the cause is not in them, so a single finding
    of high priority stands for all (first-out grouping against floods, EEMUA 191).
    """

    def __init__(self, after_s: float) -> None:
        self._after = timedelta(seconds=after_s)
        self._since: dict[str, datetime] = {}
        self._stated: dict[str, bool] = {}

    def is_silent(self, unit: str) -> bool:
        """Tell whether a unit was silent at the last look, however short a time."""
        return unit in self._since

    def changes(self, units: Sequence[UnitSilence], now: datetime) -> Iterator[Finding]:
        """Yield what changed; the first look at a unit that sends states that it is well."""
        known = {PLANT, *(unit.path for unit in units)}  # others were forgotten
        self._since = {path: at for path, at in self._since.items() if path in known}
        self._stated = {path: stated for path, stated in self._stated.items() if path in known}
        for unit in units:
            if unit.is_silent:
                self._since.setdefault(unit.path, now)
            else:
                self._since.pop(unit.path, None)
        overdue = {path for path, since in self._since.items() if now - since >= self._after}
        is_common = len(overdue) > 1 and len(overdue) * 2 > len(units)
        plant = f"No values from {len(overdue)} of {len(units)} units"
        yield from self._state(
            PLANT, plant, Priority.HIGH, now, _PLANT_RESPONSE, is_present=is_common
        )
        for unit in units:
            is_present = unit.path in overdue and not is_common
            message = f"No values from {unit.name}"
            response = _UNIT_RESPONSE.format(name=unit.name)
            yield from self._state(
                unit.path, message, Priority.MEDIUM, now, response, is_present=is_present
            )

    def _state(
        self,
        equipment: str,
        message: str,
        priority: Priority,
        now: datetime,
        response: str,
        *,
        is_present: bool,
    ) -> Iterator[Finding]:
        if self._stated.get(equipment) is is_present:
            return
        self._stated[equipment] = is_present
        yield Finding(
            agent="limits",
            condition="no_values",
            equipment=equipment,
            found_at=now,
            priority=priority if is_present else None,
            message=message if is_present else "Values come in again",
            response=response if is_present else "",
        )

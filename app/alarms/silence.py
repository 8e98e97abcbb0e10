"""Units that stop sending: hatched values alone would leave nobody warned."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment
from app.core.limit_watch import AGENT
from app.core.reading import Reading, Reason

PLANT = "system/app/host/Telemetry"
_SILENT = frozenset({Reason.STALE, Reason.COMM_LOST})
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


def unit_silences(
    units: Iterable[Equipment], newest: Callable[[str], Reading | None]
) -> list[UnitSilence]:
    """Look at the units whose sources declared them; the rate of other rows is not known.

    Args:
        units: All units with their tags.
        newest: Returns the newest reading of a tag, None if it has none.
    """
    silences: list[UnitSilence] = []
    for unit in units:
        regular = [tag for tag in unit.tags if tag.low < tag.high]
        # A controller goes on echoing what it was told when all of its sensors are cut off.
        measured = [tag for tag in regular if tag.write is None] or regular
        awaited = [newest(tag.path) for tag in measured]
        heard = [reading for reading in awaited if reading]
        if heard:
            is_silent = all(reading.reason in _SILENT for reading in heard)
            silences.append(UnitSilence(unit.path, unit.name, is_silent))
    return silences


class SilenceWatch:
    """States which units are silent for longer than `after_s`; one finding for a common cause.

    When more than half of the units are silent the cause is not in them, so a single finding
    of high priority stands for all (first-out grouping against floods, EEMUA 191). A unit's
    own finding that stands by then stays until the unit sends; one that is held back comes
    when the common one ends and the unit is still silent.
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
        self._stated = {path: stated for path, stated in self._stated.items() if path in known}
        self._since = {
            unit.path: self._since.get(unit.path, now) for unit in units if unit.is_silent
        }
        overdue = {path for path, since in self._since.items() if now - since >= self._after}
        is_common = len(overdue) > 1 and len(overdue) * 2 > len(units)
        yield from self._state(self._plant(len(overdue), len(units), now, is_common=is_common))
        for unit in units:
            if not unit.is_silent:
                yield from self._state(_finding(unit.path, now, "Values come in again"))
            elif unit.path in overdue and not is_common:
                yield from self._state(_unit_finding(unit, now))

    def _plant(self, overdue: int, units: int, now: datetime, *, is_common: bool) -> Finding | None:
        sending = units - len(self._since)
        if is_common:
            message = f"No values from {overdue} of {units} units"
            return _finding(PLANT, now, message, Priority.HIGH, _PLANT_RESPONSE)
        if sending or self._stated.get(PLANT):
            return _finding(PLANT, now, f"Values come in from {sending} of {units} units")
        return None  # an alarm of an earlier run stands until a unit sends

    def _state(self, finding: Finding | None) -> Iterator[Finding]:
        if finding is None:
            return
        is_present = finding.priority is not None
        if self._stated.get(finding.equipment) is not is_present:
            self._stated[finding.equipment] = is_present
            yield finding


def _unit_finding(unit: UnitSilence, now: datetime) -> Finding:
    response = _UNIT_RESPONSE.format(name=unit.name)
    return _finding(unit.path, now, f"No values from {unit.name}", Priority.MEDIUM, response)


def _finding(
    equipment: str,
    now: datetime,
    message: str,
    priority: Priority | None = None,
    response: str = "",
) -> Finding:
    return Finding(
        agent=AGENT,
        condition="no_values",
        equipment=equipment,
        found_at=now,
        priority=priority,
        message=message,
        response=response,
    )

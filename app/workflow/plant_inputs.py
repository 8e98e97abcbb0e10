"""Whether the units and tags that a run is started with are there in the plant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import islice

from app.core.alarm import Alarm
from app.core.clock import Clock
from app.core.equipment import unit_of
from app.core.errors import FieldsError
from app.core.workflow import Input, InputKind, Workflow
from app.core.workflow_input import misfit
from app.live.tags import TagTable

_COMPARED = 100
"""Paths that one which is not known is compared with."""


class PlantInputs:
    """Knows the units and tags of the plant, and those that an alarm stands for."""

    def __init__(
        self,
        tags: TagTable,
        standing: Callable[[], Sequence[Alarm]],
        clock: Clock,
        settled_at: datetime,
    ) -> None:
        """Build it.

        Args:
            tags: The units and tags.
            standing: Gives the alarms that stand; a unit may be known by one of them alone.
            clock: Clock.
            settled_at: Until then, UTC, a unit may not have spoken yet and nothing is judged.
        """
        self._tags = tags
        self._standing = standing
        self._clock = clock
        self._settled_at = settled_at

    def check(self, workflow: Workflow, given: Mapping[str, object]) -> None:
        """Check that each unit and tag among the inputs exists.

        What is missing or no path at all is left to `checked_input`.

        Raises:
            FieldsError: One does not exist; its details name each of them and what to do.
        """
        if self._clock.now() < self._settled_at:
            return
        found = {
            name: self._wrong(field, field.default if given.get(name) is None else given[name])
            for name, field in workflow.inputs.items()
        }
        details = {name: why for name, why in found.items() if why}
        if details:
            words = "; ".join(f"{name}: {why}" for name, why in details.items())
            raise FieldsError(f'Workflow "{workflow.name}" cannot start: {words}', details)

    def _wrong(self, field: Input, value: object) -> str:
        if not isinstance(value, str) or misfit(field, value):
            return ""
        match field.kind:
            case InputKind.EQUIPMENT:
                return "" if self._is_unit(value) else _no("unit", value, self._units())
            case InputKind.TAG:
                return "" if self._tags.has(value) else _no("tag", value, self._tags.paths())
            case _:
                return ""

    def _is_unit(self, path: str) -> bool:
        if self._tags.unit(path) is not None:
            return True
        return any(unit_of(each.finding.equipment) == path for each in self._standing())

    def _units(self) -> list[str]:
        return [unit.path for unit in self._tags.equipment()]


def _no(what: str, path: str, known: Iterable[str]) -> str:
    near = get_close_matches(path, _alike(path, known), 1)
    meant = f'; did you mean "{near[0]}"?' if near else "."
    where = "GET /api/equipment" if what == "unit" else "GET /api/tags"
    return f'there is no {what} "{path[:120]}" in this plant{meant} {where} and the pages name all'


def _alike(path: str, known: Iterable[str]) -> list[str]:
    """Return a bounded number of paths that share place or name with one, as comparing is slow."""
    place, _, name = path.rpartition("/")
    alike = (each for each in known if place in each or each.endswith(name))
    return list(islice(alike, _COMPARED))

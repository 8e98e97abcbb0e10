"""The newest reading of every tag, ageing by clock."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from app.core.clock import Clock
from app.core.equipment import Equipment, Tag, check_equipment, split_path
from app.core.errors import InputError, NotFoundError, TopicError
from app.core.health import ComponentStatus, Health
from app.core.reading import Quality, Reading, Reason

UNDECLARED_STALE_AFTER_S = 60.0
"""An undeclared tag's rate is unknown; a row a minute is the slowest the seeds' publishers send."""

AHEAD = timedelta(seconds=5)
"""How far a source's clock may be ahead of ours."""

NO_UNIT = "1"
UNIT_LIMIT = 32
"""Characters; the longest UCUM codes in use have about 20."""

TOO_MANY = "A tag of it is not shown: there are as many tags as live.max_tags allows"
"""Reason of a dead letter."""

Listener = Callable[[Sequence[str]], None]


@dataclass(slots=True)
class _Row:
    tag: Tag
    reading: Reading | None = None
    fresh_until: float = 0.0


@dataclass(slots=True)
class _Unit:
    equipment: Equipment
    declared: bool = False
    undeclared_tags: dict[str, Tag] = field(default_factory=dict[str, Tag])


class TagTable:
    """Holds at most `max_tags` tags with their units and newest readings.

    A good reading becomes uncertain when its age exceeds the tag's `stale_after_s`. Age counts
    from the reading's `received_time`; who hands in a value that the broker had kept (retained)
    sets its `received_time` to its source time, so that an old value never looks fresh.

    Attributes:
        refused: Readings and declared tags that were one too many.
    """

    def __init__(self, clock: Clock, max_tags: int) -> None:
        self._clock = clock
        self._max_tags = max_tags
        self._rows: dict[str, _Row] = {}
        self._units: dict[str, _Unit] = {}
        self._listeners: list[Listener] = []
        self._declare_listeners: list[Listener] = []
        self.refused = 0
        self._refused_since: datetime | None = None

    def __len__(self) -> int:
        """Return the number of tags."""
        return len(self._rows)

    @property
    def status(self) -> ComponentStatus | None:
        """State for Health from the first tag that was refused until a unit is forgotten."""
        if self._refused_since is None:
            return None
        reason = f"{self._max_tags} tags are the limit; further ones are not shown"
        remedy = (
            "Stop the source that makes up tags and forget its units on their pages, "
            "or raise live.max_tags and start again"
        )
        return ComponentStatus("Tags", Health.DEGRADED, self._refused_since, reason, remedy)

    def declare(self, equipment: Equipment) -> None:
        """Take over a unit with its tags; readings of tags it had before are kept.

        Raises:
            TopicError: A path is malformed or a tag stands under another unit.
            InputError: The table would hold more than `max_tags`.
        """
        check_equipment(equipment)
        added = sum(tag.path not in self._rows for tag in equipment.tags)
        if len(self._rows) + added > self._max_tags:
            self._refuse(added)
            raise InputError(
                f'Unit "{equipment.path}" is refused: {self._max_tags} tags are the limit',
                hint="Raise live.max_tags in settings.toml",
            )
        before = self._units.get(equipment.path)
        kept = {tag.path for tag in equipment.tags} | set(before.undeclared_tags if before else ())
        for tag in before.equipment.tags if before else ():
            if tag.path not in kept:
                del self._rows[tag.path]
        for tag in equipment.tags:
            self._hold(tag)
        undeclared = before.undeclared_tags if before else {}
        for tag in equipment.tags:
            undeclared.pop(tag.path, None)
        self._units[equipment.path] = _Unit(equipment, declared=True, undeclared_tags=undeclared)
        self._declared([tag.path for tag in equipment.tags])

    def _hold(self, tag: Tag) -> None:
        row = self._rows.get(tag.path)
        if row is None:
            self._rows[tag.path] = _Row(tag)
        else:
            row.tag = tag

    def equipment(self) -> list[Equipment]:
        """Return all units with all their tags, sorted by path."""
        return [self._complete(self._units[path]) for path in sorted(self._units)]

    def unit(self, path: str) -> Equipment | None:
        """Return one unit with all its tags, or None if nobody has spoken of it."""
        unit = self._units.get(path)
        return self._complete(unit) if unit else None

    def declared(self, path: str) -> Equipment | None:
        """Return one unit as it was declared, None if only readings have spoken of it."""
        unit = self._units.get(path)
        return unit.equipment if unit and unit.declared else None

    def is_sending(self, path: str) -> bool:
        """Tell whether a unit has a tag whose newest reading is not past its age."""
        unit, clock_s = self._units.get(path), self._clock.monotonic()
        tags = self._complete(unit).tags if unit else ()
        return any(self._rows[tag.path].fresh_until > clock_s for tag in tags)

    def forget(self, path: str) -> None:
        """Forget a unit with its tags; nothing if nobody has spoken of it."""
        unit = self._units.pop(path, None)
        if unit is None:
            return
        tags = [tag.path for tag in self._complete(unit).tags]
        for tag in tags:
            del self._rows[tag]
        self._refused_since = None  # there is room again; told anew if there is not
        self._declared(tags)

    def unit_name(self, path: str) -> str:
        """Return what operators call a unit, "" if nobody has spoken of it."""
        unit = self._units.get(path)
        return unit.equipment.name if unit else ""

    @staticmethod
    def _complete(unit: _Unit) -> Equipment:
        if not unit.undeclared_tags:
            return unit.equipment
        tags = unit.equipment.tags + tuple(unit.undeclared_tags.values())
        return msgspec.structs.replace(unit.equipment, tags=tags)

    def tag(self, path: str) -> Tag:
        """Return a tag.

        Raises:
            NotFoundError: Nobody has spoken of it.
        """
        row = self._rows.get(path)
        if row is None:
            raise NotFoundError(f'Tag "{path[:120]}" is not known', hint="GET /api/tags lists all")
        return row.tag

    def has(self, path: str) -> bool:
        """Tell whether the tag is known."""
        return path in self._rows

    def value(self, path: str) -> Reading | None:
        """Return the newest reading, or None if there is none yet or the tag is not known."""
        row = self._rows.get(path)
        return row.reading if row else None

    def paths(self, prefix: str = "") -> list[str]:
        """Return the tag paths that begin with `prefix`, sorted."""
        return sorted(path for path in self._rows if path.startswith(prefix))

    def apply(self, readings: Iterable[Reading]) -> list[str]:
        """Take readings in order and return the paths that changed.

        An undeclared tag is made with defaults. A reading older than a fresh one held is passed
        over, unless the one held came from the future; one that would exceed the limit or has a
        malformed path is counted in `refused`.
        """
        now, clock_s = self._clock.now(), self._clock.monotonic()
        changed: dict[str, None] = {}
        for reading in readings:
            row = self._rows.get(reading.tag) or self._make(reading.tag)
            if row is None:
                self._refuse(1)
                continue
            held = row.reading
            if row.fresh_until > clock_s and held and _overtakes(held, reading):
                continue
            age_s = max(0.0, (now - reading.received_time).total_seconds())
            row.fresh_until = clock_s + row.tag.stale_after_s - age_s
            row.reading = reading if row.fresh_until > clock_s else _stale(reading)
            changed[reading.tag] = None
        return self._tell(changed)

    def _refuse(self, count: int) -> None:
        self.refused += count
        self._refused_since = self._refused_since or self._clock.now()

    def _make(self, path: str) -> _Row | None:
        if len(self._rows) >= self._max_tags:
            return None
        try:
            split_path(path)
        except TopicError:
            return None
        # low == high says that the range is not known; screens then scale by the values they see
        tag = Tag(path=path, low=0.0, high=0.0, decimals=2, stale_after_s=UNDECLARED_STALE_AFTER_S)
        unit = self._units.get(tag.equipment)
        if unit is None:
            name = tag.equipment.rpartition("/")[2]
            unit = self._units[tag.equipment] = _Unit(Equipment(path=tag.equipment, name=name))
        unit.undeclared_tags[path] = tag
        row = self._rows[path] = _Row(tag)
        self._declared([path])
        return row

    def note_unit(self, path: str, unit: str) -> None:
        """Give a tag nobody declared the unit that its readings name, once."""
        row = self._rows.get(path)
        if row is None or row.tag.unit != NO_UNIT or len(unit) > UNIT_LIMIT or unit == NO_UNIT:
            return
        undeclared = self._units[row.tag.equipment].undeclared_tags
        if path in undeclared:
            row.tag = undeclared[path] = msgspec.structs.replace(row.tag, unit=unit)
            self._declared([path])

    def _declared(self, paths: Sequence[str]) -> None:
        for listener in self._declare_listeners:
            listener(paths)

    def sweep(self) -> list[str]:
        """Make readings past their age uncertain and return their paths; call once a second."""
        clock_s = self._clock.monotonic()
        changed: dict[str, None] = {}
        for path, row in self._rows.items():
            reading = row.reading
            if row.fresh_until <= clock_s and reading and reading.quality is Quality.GOOD:
                row.reading = _stale(reading)
                changed[path] = None
        return self._tell(changed)

    def _tell(self, changed: dict[str, None]) -> list[str]:
        paths = list(changed)
        if paths:
            for listener in self._listeners:
                listener(paths)
        return paths

    def on_change(self, listener: Listener) -> None:
        """Call `listener` with the paths of each batch of changed readings."""
        self._listeners.append(listener)

    def on_declare(self, listener: Listener) -> None:
        """Call `listener` with the paths of tags that were added, described anew or forgotten."""
        self._declare_listeners.append(listener)


def _overtakes(held: Reading, reading: Reading) -> bool:
    """Tell whether `held` is the newer one; a clock that ran ahead must not hold back the rest."""
    return reading.source_time < held.source_time <= held.received_time + AHEAD


def _stale(reading: Reading) -> Reading:
    if reading.quality is not Quality.GOOD:
        return reading
    return msgspec.structs.replace(reading, quality=Quality.UNCERTAIN, reason=Reason.STALE)

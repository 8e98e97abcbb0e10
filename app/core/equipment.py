"""The plant as a tree: site, area, line, unit and the unit's tags (ISA-95)."""

from enum import StrEnum

import msgspec

from app.core.errors import InputError, TopicError
from app.core.response import LIMIT_NAMES, LimitName, Responses, check_responses
from app.core.topics import is_segment
from app.core.write_rule import WriteRule, check_write_rule


class TagKind(StrEnum):
    """What a tag's number means."""

    ANALOG = "analog"
    BINARY = "binary"
    STATE = "state"
    COUNTER = "counter"


class EquipmentKind(StrEnum):
    """What a unit is; pages and models choose by it."""

    MOTOR_PUMP = "motor_pump"
    COMPRESSOR = "compressor"
    CNC_SPINDLE = "cnc_spindle"
    OVEN = "oven"
    CONVEYOR = "conveyor"
    ENERGY_METER = "energy_meter"
    NETWORK = "network"
    SCHEDULE = "schedule"
    HVAC = "hvac"
    OTHER = "other"


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Alarm limits in the tag's unit, None where there is none (ISA-18.2)."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None

    def names(self) -> tuple[LimitName, ...]:
        """Return the limits there are."""
        return tuple(name for name in LIMIT_NAMES if getattr(self, name) is not None)


class Tag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One measured or set value of one unit.

    Attributes:
        path: `site/area/line/unit/tag`.
        description: What an operator calls it.
        unit: UCUM code ("Cel", "bar", "mm/s"); "1" for a pure number.
        kind: What the number means.
        low: Lower end of the measuring range, in `unit`.
        high: Upper end of the measuring range, in `unit`.
        normal_low: Lower end of the normal band shown in grey; None if not known.
        normal_high: Upper end of the normal band.
        limits: Alarm limits.
        deadband: How far a value must come back from a limit, in `unit`.
        on_delay_s: How long beyond a limit before the alarm, s.
        off_delay_s: How long back within a limit before the alarm returns, s.
        decimals: Digits behind the point on screens.
        stale_after_s: Age at which the value is uncertain, s.
        states: Words for the numbers of a STATE or BINARY tag.
        responses: What to do when a limit is passed, and how urgent that is.
        plan: Name of the tag of the same unit that holds what this value should be by now.
        target: Name of the tag of the same unit that holds what it should reach in the period.
        write: How it may be changed; None for a tag that nobody may change.
        limits_while: Name of the tag of the same unit while which is not 0 the limits count
            (ISA-18.2, suppression by design): a pump that stands has no flow. Empty is always.
    """

    path: str
    description: str = ""
    unit: str = "1"
    kind: TagKind = TagKind.ANALOG
    low: float = 0.0
    high: float = 100.0
    normal_low: float | None = None
    normal_high: float | None = None
    limits: Limits = Limits()
    deadband: float = 0.0
    on_delay_s: float = 0.0
    decimals: int = 1
    stale_after_s: float = 5.0
    states: dict[int, str] = {}
    off_delay_s: float = 0.0
    responses: Responses = Responses()
    plan: str = ""
    target: str = ""
    write: WriteRule | None = None
    limits_while: str = ""

    @property
    def name(self) -> str:
        """The last segment of the path."""
        return self.path.rpartition("/")[2]

    @property
    def equipment(self) -> str:
        """The path of the unit the tag belongs to."""
        return self.path.rpartition("/")[0]


class Equipment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A unit with its tags, as its source declares it, retained, on the bus.

    Attributes:
        path: `site/area/line/unit`.
        name: What an operator calls it ("Cooling pump P-102").
        kind: What it is.
        tags: All tags of the unit; every path begins with the unit's path.
        nameplate: Fixed figures by name ("bearing": "6205", "rated_speed_rpm": "1480").
    """

    path: str
    name: str
    kind: EquipmentKind = EquipmentKind.OTHER
    tags: tuple[Tag, ...] = ()
    nameplate: dict[str, str] = {}

    @property
    def area(self) -> str:
        """The path `site/area` the unit stands in."""
        return "/".join(self.path.split("/")[:2])


def unit_of(path: str) -> str:
    """Return the path of the unit that the path of a unit or of one of its tags speaks of."""
    return "/".join(path.split("/")[:4])


def split_path(path: str) -> tuple[str, str, str, str, str]:
    """Split a tag path into site, area, line, unit and tag.

    Raises:
        TopicError: The path has not five segments, or a segment is not allowed.
    """
    parts = path.split("/")
    if len(parts) != 5 or not all(is_segment(part) for part in parts):
        raise TopicError(
            f'Tag path "{path[:120]}" is not site/area/line/unit/tag; '
            "use five segments of letters, digits, _ and -"
        )
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def check_equipment(equipment: Equipment) -> None:
    """Check that the unit's path, those of its tags and what they point at belong together.

    Raises:
        TopicError: A path is malformed, a tag stands under another unit, or its plan or target is
            no tag of the unit.
        InputError: A response to a limit is not allowed; names the tag and the field.
    """
    for path in [f"{equipment.path}/x", *(tag.path for tag in equipment.tags)]:
        split_path(path)
        if path.rpartition("/")[0] != equipment.path:
            raise TopicError(f'Tag "{path}" does not belong to unit "{equipment.path}"')
    _check_plans(equipment)
    for tag in equipment.tags:
        try:
            check_responses(tag.responses, tag.limits.names())
            if tag.write:
                check_write_rule(tag.write, {each.name for each in equipment.tags})
        except InputError as error:
            raise InputError(f'Tag "{tag.path}": {error}') from error


def _check_plans(equipment: Equipment) -> None:
    names = {tag.name for tag in equipment.tags}
    for tag in equipment.tags:
        named = (("plan", tag.plan), ("target", tag.target), ("limits_while", tag.limits_while))
        for field, wanted in named:
            if wanted and wanted not in names:
                raise TopicError(
                    f'{field} of tag "{tag.path}": "{wanted[:120]}" is no tag of its unit; '
                    "name one of them or leave it out"
                )

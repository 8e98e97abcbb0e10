"""Which tags of a unit stand for it where there is room for a few only."""

from app.core.equipment import Equipment, EquipmentKind, Tag, TagKind

# what an operator looks at first, by kind; other kinds show what has alarm limits
_FIRST = {
    EquipmentKind.MOTOR_PUMP: (
        "flow",
        "discharge_pressure",
        "bearing_temperature",
        "vibration_velocity",
    ),
    EquipmentKind.COMPRESSOR: (
        "receiver_pressure",
        "discharge_temperature",
        "bearing_temperature",
        "vibration_velocity",
    ),
    EquipmentKind.CNC_SPINDLE: (
        "cutting_force",
        "tool_wear",
        "bearing_temperature",
        "vibration_velocity",
    ),
    EquipmentKind.OVEN: (
        "zone1_temperature",
        "zone2_temperature",
        "zone3_temperature",
        "charge_mass",
    ),
    EquipmentKind.CONVEYOR: (
        "throughput",
        "belt_slip",
        "gearbox_temperature",
        "vibration_velocity",
    ),
    EquipmentKind.ENERGY_METER: ("power", "power_factor", "voltage"),
    EquipmentKind.HVAC: ("room_temperature", "co2", "humidity", "power"),
    EquipmentKind.NETWORK: ("packets", "failed_logins", "distinct_ports", "poll_latency"),
}


def key_tags(unit: Equipment, count: int) -> list[Tag]:
    """Return up to `count` analogue tags, the most telling first; none that belongs to a plan."""
    names = _FIRST.get(unit.kind, ())
    planned = {tag.path for tag in plan_tags(unit)}
    analog = [tag for tag in unit.tags if tag.kind is TagKind.ANALOG and tag.path not in planned]
    first = sorted((tag for tag in analog if tag.name in names), key=lambda t: names.index(t.name))
    rest = [tag for tag in analog if tag.name not in names]
    rest.sort(key=lambda tag: (not _has_limits(tag), tag.normal_low is None))
    return (first + rest)[:count]


def plan_tags(unit: Equipment) -> list[Tag]:
    """Return the tags that have a plan, with their plans and targets, in the source's order."""
    planned = [tag for tag in unit.tags if tag.plan]
    names = {name for tag in planned for name in (tag.name, tag.plan, tag.target)}
    return [tag for tag in unit.tags if tag.name in names]


def state_tags(unit: Equipment) -> list[Tag]:
    """Return the tags whose numbers stand for words, in the source's order."""
    return [tag for tag in unit.tags if tag.kind in {TagKind.STATE, TagKind.BINARY}]


def counter_tags(unit: Equipment) -> list[Tag]:
    """Return the tags that only grow."""
    return [tag for tag in unit.tags if tag.kind is TagKind.COUNTER]


def energy_tag(unit: Equipment) -> Tag | None:
    """Return the power a meter shows, None if the unit is no meter."""
    if unit.kind is not EquipmentKind.ENERGY_METER:
        return None
    return next((tag for tag in unit.tags if tag.unit in {"kW", "W", "MW"}), None)


def kind_words(kind: EquipmentKind) -> str:
    """Return a kind as operators say it: "motor pump"."""
    if kind is EquipmentKind.OTHER:
        return ""
    if kind is EquipmentKind.HVAC:
        return "air conditioning"
    return kind.value.replace("_", " ").replace("cnc", "CNC")


def _has_limits(tag: Tag) -> bool:
    limits = tag.limits
    edges = (limits.low_low, limits.low, limits.high, limits.high_high)
    return any(edge is not None for edge in edges)

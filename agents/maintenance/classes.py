"""The failure modes the model tells apart, in the order of its outputs."""

from typing import NamedTuple

from app.core.equipment import EquipmentKind

NORMAL = "normal"
_PUMP, _SPINDLE, _OVEN = (
    EquipmentKind.MOTOR_PUMP,
    EquipmentKind.CNC_SPINDLE,
    EquipmentKind.OVEN,
)
_ALL = frozenset({_PUMP, _SPINDLE, _OVEN, EquipmentKind.COMPRESSOR, EquipmentKind.CONVEYOR})


class Mode(NamedTuple):
    """A failure mode as an operator reads it.

    Attributes:
        title: What it is called.
        response: What to do.
        kinds: Kinds of unit it can happen to; of others it is never stated.
    """

    title: str
    response: str
    kinds: frozenset[EquipmentKind]


MODES = {
    "overheating": Mode(
        "Overheating", "Check cooling, filters and fans; reduce load until temperatures fall", _ALL
    ),
    "tool_wear": Mode(
        "Worn tool",
        "Change the tool after this part and check the last parts made",
        frozenset({_SPINDLE}),
    ),
    "heating_element_loss": Mode(
        "Heating element lost",
        "Measure the elements of the weak zone at the next stop",
        frozenset({_OVEN}),
    ),
    "cavitation": Mode(
        "Cavitation risk",
        "Check the suction strainer and the level before the pump",
        frozenset({_PUMP}),
    ),
    "sensor_bias": Mode(
        "Sensor reads wrong", "Compare the unit's sensors with a portable instrument", _ALL
    ),
}
CLASSES = (NORMAL, *MODES)


def modes_of(kind: EquipmentKind) -> tuple[str, ...]:
    """Return the failure modes that a kind of unit can have."""
    return tuple(name for name, mode in MODES.items() if kind in mode.kinds)

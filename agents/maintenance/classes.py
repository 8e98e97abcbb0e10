"""The failure modes the model tells apart, in the order of its outputs."""

from typing import NamedTuple

NORMAL = "normal"


class Mode(NamedTuple):
    """A failure mode as an operator reads it."""

    title: str
    response: str


MODES = {
    "overheating": Mode(
        "Overheating", "Check cooling, filters and fans; reduce load until temperatures fall"
    ),
    "tool_wear": Mode("Worn tool", "Change the tool after this part and check the last parts made"),
    "heating_element_loss": Mode(
        "Heating element lost", "Measure the elements of the weak zone at the next stop"
    ),
    "cavitation": Mode(
        "Cavitation risk", "Check the suction strainer and the level before the pump"
    ),
    "sensor_bias": Mode(
        "Sensor reads wrong", "Compare the unit's sensors with a portable instrument"
    ),
}
CLASSES = (NORMAL, *MODES)

"""What a process value can be at all: beyond these bounds a sensor, a unit or a row is wrong.

They are wide: any motor, pump, compressor, spindle, conveyor or oven on the market fits. What the
model has seen is narrower and stands on its card.
"""

from collections.abc import Mapping
from typing import NamedTuple

from app.core.units import unit_words


class Bound(NamedTuple):
    """Least and greatest possible value, in a UCUM unit."""

    low: float
    high: float
    unit: str


_HEAT = Bound(-90, 500, "Cel")
_OVEN_HEAT = Bound(-90, 2000, "Cel")
_CURRENT = Bound(0, 10_000, "A")
_SHARE = Bound(0, 100, "%")
_RATED_LEAST = 0.001
BOUNDS: Mapping[str, Bound] = {
    "speed": Bound(0, 200_000, "{rev}/min"),
    "torque": Bound(-100_000, 100_000, "N.m"),  # negative while it brakes
    "power": Bound(-10_000, 10_000, "kW"),  # negative while it feeds back
    "winding_temperature": _HEAT,
    "bearing_temperature": _HEAT,
    "ambient_temperature": Bound(-90, 100, "Cel"),
    "flow": Bound(-100_000, 100_000, "m3/h"),  # negative when it runs back
    "suction_pressure": Bound(-1.1, 1000, "bar"),  # gauge: vacuum and a sensor's tolerance
    "discharge_pressure": Bound(-1.1, 1000, "bar"),
    "npsh_margin": Bound(-100, 1000, "m"),
    "vibration_acceleration": Bound(0, 10_000, "m/s2"),
    "air_flow": Bound(-1, 10_000, "m3/min"),
    "oil_temperature": _HEAT,
    "discharge_temperature": _HEAT,
    "receiver_pressure": Bound(-1.1, 1000, "bar"),
    "cutting_force": Bound(-1_000_000, 1_000_000, "N"),
    "feed_rate": Bound(0, 1_000_000, "mm/min"),
    "tool_wear": Bound(0, 100_000, "um"),
    "tool_time": Bound(0, 1_000_000, "min"),
    "coolant_temperature": _HEAT,
    "belt_speed": Bound(-100, 100, "m/s"),
    "belt_slip": Bound(-100, 100, "%"),
    "goods": Bound(-100, 1_000_000, "kg"),  # a scale may stand a little below its zero
    "gearbox_temperature": _HEAT,
    "door": Bound(0, 1, "1"),
    "set_point": _OVEN_HEAT,
    **{f"zone{zone}_temperature": _OVEN_HEAT for zone in (1, 2, 3)},
    **{f"zone{zone}_duty": _SHARE for zone in (1, 2, 3)},
    **{f"zone{zone}_current": _CURRENT for zone in (1, 2, 3)},
    "rated_power_kw": Bound(_RATED_LEAST, 100_000, "kW"),
    "rated_speed_rpm": Bound(_RATED_LEAST, 200_000, "{rev}/min"),
    "rated_flow_m3_h": Bound(_RATED_LEAST, 100_000, "m3/h"),
    "rated_head_m": Bound(_RATED_LEAST, 10_000, "m"),
    "delivery_m3_min": Bound(_RATED_LEAST, 10_000, "m3/min"),
    "zone_power_kw": Bound(_RATED_LEAST, 100_000, "kW"),
}


def problem(name: str, value: float) -> str:
    """Return why `value` cannot be, "" if it can."""
    low, high, unit = BOUNDS[name]
    if low <= value <= high:
        return ""
    return f"{value:g} is not between {low:g} and {high:g} {unit_words(unit)}".rstrip()

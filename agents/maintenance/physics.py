"""Process values of each kind of unit to figures that stay the same while the unit is well.

Each kind has signals (a moment's values, made comparable between units by the nameplate) and
features (from the running means of the signals). Ratios of heat to what makes it, of work to what
it costs: load, speed, product and weather move both sides and cancel, a failure moves one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.maintenance.averages import Averages
from app.core.equipment import EquipmentKind

Values = Mapping[str, float]
_GRAVITY = 9.80665  # m/s2 (ISO 80000-3)
_VOLTAGE = 400.0  # between phases (IEC 60038)


@dataclass(frozen=True, slots=True)
class Physics:
    """What one kind of unit is judged by.

    Attributes:
        tags: Tags needed, by name.
        nameplate: Rated figures needed, by name.
        signals: (values by tag, rated figures) to a moment's signals.
        features: Means of the signals to features, in the order of `names`.
        names: Feature names with their unit.
    """

    tags: tuple[str, ...]
    nameplate: tuple[str, ...]
    signals: Callable[[Values, Values], dict[str, float]]
    features: Callable[[Averages], dict[str, float]]
    names: dict[str, str]


_DRIVE_TAGS = (
    "speed", "torque", "power", "winding_temperature", "bearing_temperature",
    "ambient_temperature",
)  # fmt: skip
_DRIVE_PLATE = ("rated_power_kw", "rated_speed_rpm")
_DRIVE_NAMES = {
    "drive_load": "1",
    "drive_speed": "1",
    "winding_rise_per_loss": "K",
    "bearing_rise_per_friction": "K",
    "power_over_shaft_power": "1",
}


def _drive_signals(values: Values, plate: Values) -> dict[str, float]:
    rated_kw, rated_rpm = plate["rated_power_kw"], plate["rated_speed_rpm"]
    speed = values["speed"] / rated_rpm
    shaft_kw = values["torque"] * values["speed"] * math.pi / 30_000
    load = shaft_kw / rated_kw / speed if speed > 0.02 else 0.0
    running = 1.0 if speed > 0.02 else 0.0
    return {
        "speed": speed,
        "load": load,
        "power": values["power"] / rated_kw,
        "shaft_power": shaft_kw / rated_kw,
        # Copper losses grow with torque squared, iron and fan losses stay (IEC 60034-2-1).
        "loss": running * (0.3 + 0.7 * load * load),
        "friction": speed * (0.5 + 0.5 * load),
        "winding_rise": values["winding_temperature"] - values["ambient_temperature"],
        "bearing_rise": values["bearing_temperature"] - values["ambient_temperature"],
    }


def _drive_features(means: Averages) -> dict[str, float]:
    fast, slow = means.fast, means.slow
    return {
        "drive_load": slow["load"],
        "drive_speed": slow["speed"],
        "winding_rise_per_loss": fast["winding_rise"] / max(slow["loss"], 0.1),
        "bearing_rise_per_friction": fast["bearing_rise"] / max(slow["friction"], 0.1),
        "power_over_shaft_power": slow["power"] / max(slow["shaft_power"], 0.05),
    }


def _pump_signals(values: Values, plate: Values) -> dict[str, float]:
    lift_pa = (values["discharge_pressure"] - values["suction_pressure"]) * 1e5
    return {
        **_drive_signals(values, plate),
        "flow": values["flow"] / plate["rated_flow_m3_h"],
        "lift": lift_pa / (1000 * _GRAVITY * plate["rated_head_m"]),
        "hydraulic": lift_pa * values["flow"] / 3600 / 1000 / plate["rated_power_kw"],
        "margin": values["npsh_margin"],
        "noise": values["vibration_acceleration"],
    }


def _pump_features(means: Averages) -> dict[str, float]:
    fast = means.fast
    speed = max(fast["speed"], 0.1)
    return {
        **_drive_features(means),
        "pump_flow_coefficient": fast["flow"] / speed,
        "pump_head_coefficient": fast["lift"] / speed**2,
        "pump_efficiency": fast["hydraulic"] / max(fast["shaft_power"], 0.05),
        "pump_npsh_margin": fast["margin"],
        "pump_noise": fast["noise"] / speed,
    }


def _compressor_signals(values: Values, plate: Values) -> dict[str, float]:
    return {
        **_drive_signals(values, plate),
        "air": values["air_flow"] / plate["delivery_m3_min"],
        "oil_rise": values["oil_temperature"] - values["ambient_temperature"],
        "air_end_rise": values["discharge_temperature"] - values["oil_temperature"],
        "pressure": values["receiver_pressure"],
    }


def _compressor_features(means: Averages) -> dict[str, float]:
    fast, slow = means.fast, means.slow
    return {
        **_drive_features(means),
        # Shafts deliver to the oil within minutes: between the fast and the slow mean.
        "oil_rise_per_power": fast["oil_rise"]
        / max((fast["shaft_power"] + slow["shaft_power"]) / 2, 0.1),
        "air_end_rise_per_power": fast["air_end_rise"] / max(fast["shaft_power"], 0.1),
        "specific_power": slow["shaft_power"] / max(slow["air"], 0.05),
        "receiver_pressure": slow["pressure"],
    }


def _spindle_signals(values: Values, plate: Values) -> dict[str, float]:
    return {
        **_drive_signals(values, plate),
        "force": values["cutting_force"],
        "feed": values["feed_rate"],
        "wear": values["tool_wear"],
        "wear_torque": values["tool_wear"] * values["torque"],
        "coolant_rise": values["coolant_temperature"] - values["ambient_temperature"],
        "tool_time": values["tool_time"],
    }


def _spindle_features(means: Averages) -> dict[str, float]:
    fast, slow = means.fast, means.slow
    return {
        **_drive_features(means),
        "tool_wear": fast["wear"],
        "tool_wear_torque": slow["wear_torque"],
        "tool_time": fast["tool_time"],
        "cutting_force_per_feed": slow["force"] / max(slow["feed"], 10.0),
        "coolant_rise_per_power": fast["coolant_rise"] / max(slow["power"], 0.1),
    }


def _conveyor_signals(values: Values, plate: Values) -> dict[str, float]:
    return {
        **_drive_signals(values, plate),
        "belt": values["belt_speed"],
        "slip": values["belt_slip"],
        "goods": values["goods"],
        "gear_rise": values["gearbox_temperature"] - values["ambient_temperature"],
    }


def _conveyor_features(means: Averages) -> dict[str, float]:
    fast, slow = means.fast, means.slow
    return {
        **_drive_features(means),
        "belt_slip": fast["slip"],
        "belt_speed_per_speed": slow["belt"] / max(slow["speed"], 0.05),
        "gearbox_rise_per_power": fast["gear_rise"] / max(slow["power"], 0.05),
    }


_ZONES = (1, 2, 3)


def _oven_signals(values: Values, plate: Values) -> dict[str, float]:
    rated_a = plate["zone_power_kw"] * 1000 / (math.sqrt(3) * _VOLTAGE)
    signals: dict[str, float] = {"door": values["door"]}
    for zone in _ZONES:
        signals[f"current{zone}"] = values[f"zone{zone}_current"] / rated_a
        signals[f"duty{zone}"] = values[f"zone{zone}_duty"] / 100
        signals[f"error{zone}"] = values[f"zone{zone}_temperature"] - values["set_point"]
    return signals


def _oven_features(means: Averages) -> dict[str, float]:
    fast, slow = means.fast, means.slow
    excess = [fast[f"current{zone}"] - fast[f"duty{zone}"] for zone in _ZONES]
    share = [slow[f"current{zone}"] / max(slow[f"duty{zone}"], 0.05) for zone in _ZONES]
    errors = [fast[f"error{zone}"] for zone in _ZONES]
    duties = [slow[f"duty{zone}"] for zone in _ZONES]
    return {
        "oven_least_current_per_duty": min(share),
        "oven_most_current_per_duty": max(share),
        "oven_least_excess_current": min(excess),
        "oven_most_excess_current": max(excess),
        "oven_lowest_error": min(errors),
        "oven_highest_error": max(errors),
        "oven_duty_spread": max(duties) - min(duties),
        "oven_duty": sum(duties) / len(duties),
        "oven_door": slow["door"],
    }


PHYSICS: dict[EquipmentKind, Physics] = {
    EquipmentKind.MOTOR_PUMP: Physics(
        (*_DRIVE_TAGS, "flow", "suction_pressure", "discharge_pressure", "npsh_margin",
         "vibration_acceleration"),
        (*_DRIVE_PLATE, "rated_flow_m3_h", "rated_head_m"),
        _pump_signals,
        _pump_features,
        {**_DRIVE_NAMES, "pump_flow_coefficient": "1", "pump_head_coefficient": "1",
         "pump_efficiency": "1", "pump_npsh_margin": "m", "pump_noise": "m/s2"},
    ),
    EquipmentKind.COMPRESSOR: Physics(
        (*_DRIVE_TAGS, "air_flow", "oil_temperature", "discharge_temperature",
         "receiver_pressure"),
        (*_DRIVE_PLATE, "delivery_m3_min"),
        _compressor_signals,
        _compressor_features,
        {**_DRIVE_NAMES, "oil_rise_per_power": "K", "air_end_rise_per_power": "K",
         "specific_power": "1", "receiver_pressure": "bar"},
    ),
    EquipmentKind.CNC_SPINDLE: Physics(
        (*_DRIVE_TAGS, "cutting_force", "feed_rate", "tool_wear", "tool_time",
         "coolant_temperature"),
        _DRIVE_PLATE,
        _spindle_signals,
        _spindle_features,
        {**_DRIVE_NAMES, "tool_wear": "um", "tool_wear_torque": "um.N.m", "tool_time": "min",
         "cutting_force_per_feed": "N.min/mm", "coolant_rise_per_power": "K"},
    ),
    EquipmentKind.CONVEYOR: Physics(
        (*_DRIVE_TAGS, "belt_speed", "belt_slip", "goods", "gearbox_temperature"),
        _DRIVE_PLATE,
        _conveyor_signals,
        _conveyor_features,
        {**_DRIVE_NAMES, "belt_slip": "%", "belt_speed_per_speed": "m/s",
         "gearbox_rise_per_power": "K"},
    ),
    EquipmentKind.OVEN: Physics(
        ("door", "set_point",
         *(f"zone{zone}_{what}" for zone in _ZONES for what in ("temperature", "duty", "current"))),
        ("zone_power_kw",),
        _oven_signals,
        _oven_features,
        {"oven_least_current_per_duty": "1", "oven_most_current_per_duty": "1",
         "oven_least_excess_current": "1", "oven_most_excess_current": "1",
         "oven_lowest_error": "K", "oven_highest_error": "K", "oven_duty_spread": "1",
         "oven_duty": "1", "oven_door": "1"},
    ),
}  # fmt: skip

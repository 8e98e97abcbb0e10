"""The model's features as operators call them."""

_WORDS = {
    "drive_load": "load of the drive",
    "drive_speed": "speed of the drive",
    "winding_rise_per_loss": "winding temperature at this load",
    "bearing_rise_per_friction": "bearing temperature at this speed",
    "power_over_shaft_power": "electric power at this shaft power",
    "pump_flow_coefficient": "flow at this speed",
    "pump_head_coefficient": "head at this speed",
    "pump_npsh_margin": "NPSH margin",
    "pump_noise": "vibration acceleration at this speed",
    "oil_rise_per_power": "oil temperature at this power",
    "air_end_rise_per_power": "air end temperature at this power",
    "specific_power": "power for the air delivered",
    "tool_wear_torque": "tool wear and torque together",
    "tool_time": "time of the tool in use",
    "cutting_force_per_feed": "cutting force at this feed",
    "coolant_rise_per_power": "coolant temperature at this power",
    "belt_speed_per_speed": "belt speed at this motor speed",
    "gearbox_rise_per_power": "gearbox temperature at this power",
    "oven_least_current_per_duty": "lowest heater current at its duty",
    "oven_most_current_per_duty": "highest heater current at its duty",
    "oven_least_excess_current": "lowest heater current against its duty",
    "oven_most_excess_current": "highest heater current against its duty",
    "oven_lowest_error": "coldest zone against its set point",
    "oven_highest_error": "hottest zone against its set point",
    "oven_duty_spread": "different duty of the zones",
    "oven_duty": "duty of the heaters",
    "oven_door": "oven door",
}


def feature_words(name: str) -> str:
    """Return a feature as it stands in a message."""
    return _WORDS.get(name, name.replace("_", " "))

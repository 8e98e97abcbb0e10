"""What the operators of the demo plant do when a machine passes a limit, by tag name.

Each text says what to look at first, what to do, and by when. Priorities differ from the usual
ones where the time to act does: low is what the next shift may still do.
"""

from collections.abc import Mapping

from app.core.alarm import Priority
from app.core.response import Response, Responses

Words = Mapping[str, Responses]


def _drive(ease: str, stop: str, loose: str) -> dict[str, Responses]:
    """Return the responses of a motor with its shaft.

    Args:
        ease: How to take load off the machine, as it follows "If it still climbs, ".
        stop: How to stop it without harm to the process, as a sentence without its end.
        loose: What may have come loose on it.
    """
    return {
        "winding_temperature": Responses(
            high=Response(
                "Clear the motor's fan and air inlet, and compare its current with the nameplate. "
                f"If it still climbs in 15 minutes, {ease}."
            ),
            high_high=Response(
                f"{stop} within 5 minutes. The winding burns otherwise: have fan, phases and load "
                "checked before it starts again."
            ),
        ),
        "bearing_temperature": Responses(
            high=Response(
                "Listen to the drive-end bearing, and check its grease and cooling. If it still "
                f"climbs in 15 minutes, {ease}; have the bearing inspected this shift."
            ),
            high_high=Response(
                f"{stop} within 5 minutes. The bearing may seize: do not restart before bearing, "
                "grease and alignment have been checked."
            ),
        ),
        "vibration_velocity": Responses(
            high=Response(
                f"Look at the unit's findings for the cause, then check {loose}. Plan the repair "
                "within the week, as it must not run like this for long."
            ),
            high_high=Response(
                f"{stop} within 10 minutes. This vibration breaks parts: stay clear of what "
                "turns, and do not restart before the cause is found."
            ),
        ),
    }


COOLING_PUMP: Words = {
    "flow": Responses(
        low=Response(
            "Check that the control valve is open and the suction strainer clear. Get the flow "
            "back within 15 minutes or change over to the other cooling pump, as too little flow "
            "heats this one."
        ),
    ),
    "suction_pressure": Responses(
        low=Response(
            "Check the suction strainer and the water level before the pump. Clean the one or "
            "raise the other within the hour, before the pump cavitates."
        ),
        low_low=Response(
            "Throttle the discharge valve now until the suction pressure holds. If it does not "
            "within 5 minutes, change over to the other cooling pump, stop this one and clean its "
            "strainer."
        ),
    ),
    "discharge_pressure": Responses(
        low=Response(
            "Check shaft speed and suction pressure, then walk the line for a burst or an open "
            "drain. If water is being lost, close it off and change over within 10 minutes."
        ),
    ),
    "npsh_margin": Responses(
        low=Response(
            "Check the suction strainer and the water level, as the pump is about to cavitate. "
            "Throttle the discharge valve a little now and clean the strainer this shift."
        ),
        low_low=Response(
            "Throttle the discharge valve now until the pump stops rattling. If the margin is not "
            "back in 5 minutes, change over to the other cooling pump before the impeller erodes."
        ),
    ),
    **_drive(
        "throttle the discharge valve",
        "Change over to the other cooling pump and stop this one",
        "foot bolts and coupling",
    ),
}

FEED_PUMP: Words = {
    "flow": Responses(
        low=Response(
            "Look at the boiler's water level first, then at control valve and strainer. If the "
            "level falls, lower the firing now and get the flow back within 5 minutes."
        ),
    ),
    "suction_pressure": Responses(
        low=Response(
            "Check level and temperature of the feed tank, then the suction strainer. Put it "
            "right within 30 minutes, as hot feed water flashes to steam when its pressure falls."
        ),
        low_low=Response(
            "Lower the firing now and throttle the feed until the suction pressure holds. If it "
            "does not within 2 minutes, stop the burner and then the pump, before it runs dry."
        ),
    ),
    "discharge_pressure": Responses(
        low=Response(
            "Look at the boiler's water level and the pump's speed, then for a leak in the feed "
            "line. Keep your distance from it, and lower the firing now if the level falls."
        ),
    ),
    "npsh_margin": Responses(
        low=Response(
            "Check the feed tank: level up, temperature down. Lower the firing a little now and "
            "clean the suction strainer this shift, as the pump is about to cavitate."
        ),
        low_low=Response(
            "Lower the firing now and throttle the feed until the pump stops rattling. If the "
            "margin is not back in 5 minutes, stop the burner and then the pump."
        ),
    ),
    **_drive(
        "lower the firing and with it the feed",
        "Stop the burner, then the pump,",
        "foot bolts and coupling",
    ),
}

COMPRESSOR: Words = {
    "receiver_pressure": Responses(
        low=Response(
            "See that this compressor runs loaded, then look for a burst hose or an open drain. If "
            "the pressure falls on for 10 minutes, shut off air users that can wait."
        ),
        low_low=Response(
            "Shut off air users that can wait now. Stop machines that clamp by air before they let "
            "go, then find out why the compressor does not keep up."
        ),
        high=Response(
            "See that the compressor unloads, and unload it by hand if it does not. Have pressure "
            "switch and unloading valve checked this shift."
        ),
        high_high=Response(
            "Stop the compressor now and keep people away from the receiver and its safety valve. "
            "Do not restart before the pressure control has been repaired.",
            Priority.CRITICAL,
        ),
    ),
    "discharge_temperature": Responses(
        high=Response(
            "Check oil level, oil cooler and its fan, and the air inlet of the room. If it still "
            "climbs in 10 minutes, let the other compressor carry the air and unload this one."
        ),
        high_high=Response(
            "Stop the compressor now, as hot oil in the air end can ignite. Leave it closed to "
            "cool, then have oil level, thermostat and cooler checked.",
        ),
    ),
    "oil_temperature": Responses(
        high=Response(
            "Blow out the oil cooler and check its fan and the oil level. Do it within the hour, "
            "before the discharge temperature stops the compressor."
        ),
    ),
    "filter_drop": Responses(
        high=Response(
            "Change the inlet filter by the end of the next shift. Until then it only costs power; "
            "above 60 mbar, have it done now.",
            Priority.LOW,
        ),
    ),
    **_drive(
        "let the other compressor carry the air and unload this one",
        "Let the other compressor carry the air and stop this one",
        "foot bolts and coupling",
    ),
}

SPINDLE: Words = {
    "tool_wear": Responses(
        high=Response(
            "Change the tool after this part and measure the last parts made. Find out why it was "
            "not changed at 200 µm."
        ),
        high_high=Response(
            "Stop at the end of this cut and change the tool before it breaks. Set aside all parts "
            "made since the last good measurement."
        ),
    ),
    "coolant_temperature": Responses(
        high=Response(
            "Check coolant level, pump and cooler, and measure the next part. Put it right this "
            "shift, as a warm machine cuts out of size.",
            Priority.LOW,
        ),
    ),
    **_drive("lower the feed", "Finish this cut and stop the spindle", "tool, holder and clamping"),
}

OVEN_ZONE = Responses(
    low_low=Response(
        "Charge nothing more, and mark the goods inside, as they did not get their heat. Have the "
        "fuses, contactor and elements of this zone checked within 30 minutes."
    ),
    low=Response(
        "See that the door is shut, then compare the zone's current with its duty. Less current "
        "than usual at the same duty means burnt-out elements: hold the next charge and call the "
        "electrician this shift."
    ),
    high=Response(
        "Compare the zone's duty with its current: current at no duty is a stuck contactor. Then, "
        "or if it still climbs in 10 minutes, switch the zone off at the panel."
    ),
    high_high=Response(
        "Switch the zone off at the main switch now and let the fans run. Look for smoke before "
        "anybody opens the door, and raise the fire alarm if there is any."
    ),
)

CONVEYOR: Words = {
    "belt_slip": Responses(
        high=Response(
            "Look for goods that jam and for a belt that runs to one side. Tension and track the "
            "belt at the next break.",
            Priority.LOW,
        ),
        high_high=Response(
            "Stop the belt within 5 minutes and take off what jams it, before it wears through. "
            "Lock it out first, then tension and track it."
        ),
    ),
    "gearbox_temperature": Responses(
        high=Response(
            "Check the gearbox for leaks, oil level and a clear vent. Put fewer goods on the belt "
            "now, and stop it within the hour if the temperature still climbs."
        ),
    ),
    **_drive(
        "put fewer goods on the belt", "Run the belt empty and stop it", "foot bolts and pulley"
    ),
}

METER: Words = {
    "power": Responses(
        high=Response(
            "See which unit of the area draws more than usual. Start no further large load for 15 "
            "minutes, as the highest quarter of an hour sets the price.",
            Priority.LOW,
        ),
    ),
    "voltage": Responses(
        low=Response(
            "See by the other areas' meters whether it is the grid or a fuse or feeder here. Call "
            "the electrician, and within 10 minutes stop motors that can wait, as they run hot."
        ),
        high=Response(
            "Compare the other areas' meters and call the electrician now. If it lasts for 10 "
            "minutes, switch off drives and controls that can wait, before they are damaged."
        ),
    ),
}

HVAC: Words = {
    "room_temperature": Responses(
        low=Response(
            "See that the unit is on, in heating or automatic mode, and that gates are shut. Send "
            "people to a warm room if it is not back in 30 minutes."
        ),
        high=Response(
            "See that the unit is on, in cooling or automatic mode, then check filters and cooler. "
            "If it is not back in 30 minutes, see that people drink and rest."
        ),
    ),
    "co2": Responses(
        high=Response(
            "Raise the fan speed and open gates until the air is better. If it is not within 30 "
            "minutes, have the fresh air damper checked this shift.",
            Priority.LOW,
        ),
    ),
}

"""The air conditioning of a hall: heat, moisture, air to breathe, and the people in it."""

import math
from dataclasses import dataclass

from agents.simulator.commands import Commands
from agents.simulator.declare import ECHO_TOLERANCE, Design, analog, later, setting, state, switch
from agents.simulator.dynamics import Lag, Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import HVAC
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import PEOPLE, CommandSource, Confirm, Interlock, WriteRule

OFF, HEAT, COOL, AUTO = 0.0, 1.0, 2.0, 3.0
_AIR_KG_M3 = 1.2
_AIR_KJ_KG_K = 1.006
_EVAPORATION_KJ_G = 2.45
_OUTDOOR_PPM = 420.0
# A person at light work: 0.13 kW, 0.06 g/s of water, 20 l/h of CO2 (VDI 2078, EN 13779).
_PERSON_KW, _PERSON_G_S, _PERSON_CO2_M3_S = 0.13, 0.06, 20 / 3.6e6
_GAIN, _INTEGRAL_S = 0.5, 900.0
_COP = 3.2  # heat moved a unit of electric power, of an air heat pump at these temperatures
_LEAST_FAN = 20.0


@dataclass(frozen=True, slots=True)
class HvacDesign:
    """What an air conditioning was built for.

    Attributes:
        volume_m3: Volume of the hall.
        heat_kj_k: Heat capacity of air, floor and goods that follow within hours, kJ/K.
        loss_kw_k: Heat loss of the walls, kW/K.
        capacity_kw: Heating and cooling power at full fan speed.
        air_m3_h: Air moved at full fan speed.
        fresh: Share of it taken from outside.
        fan_kw: Power of the fans at full speed.
        people: In the hall in a full shift.
        machines_kw: Heat of machines and light in a full shift.
    """

    volume_m3: float = 6000.0
    heat_kj_k: float = 16_000.0
    loss_kw_k: float = 1.1
    capacity_kw: float = 75.0
    air_m3_h: float = 18_000.0
    fresh: float = 0.25
    fan_kw: float = 7.5
    people: float = 45.0
    machines_kw: float = 14.0


class Hvac:
    """The state of one hall and its air conditioning."""

    kind = EquipmentKind.HVAC
    main_tag = "room_temperature"

    def __init__(self, design: HvacDesign, noise: Noise) -> None:
        self._design = design
        self._room = 21.0
        self._moisture = 7.0  # g/kg
        self._co2 = 650.0
        self._integral = 0.0
        self._weather = Wander(noise, 1.2, 3600.0)
        self._crowd = Wander(noise, 0.06, 600.0)
        self._fan = Lag(0.7, 4.0)
        self._valve = Lag(0.0, 12.0)
        self._power_kw = 0.0
        self.commands = Commands({"temperature_setpoint": 21.0, "fan_speed": 70.0, "mode": AUTO})

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        design = self._design
        full_kw = design.fan_kw + design.capacity_kw / _COP
        measured = [
            analog("room_temperature", "Hall temperature", "Cel", (-10, 50), (18, 26),
                   limits=Limits(low=14, high=30), decimals=1, noise=0.05,
                   responses=HVAC["room_temperature"]),
            analog("outdoor_temperature", "Outdoor temperature", "Cel", (-40, 60), (-15, 35),
                   noise=0.08),
            analog("humidity", "Relative humidity of the hall", "%", (0, 100), (25, 65),
                   noise=0.3),
            analog("co2", "Carbon dioxide in the hall", "[ppm]", (0, 5000), (400, 1000),
                   limits=Limits(high=1400), decimals=0, noise=5, responses=HVAC["co2"]),
            analog("valve_position", "Heating or cooling valve opening", "%", (0, 100), (0, 95),
                   noise=0.1),
            analog("fan_feedback", "Fan speed, measured", "%", (0, 110), (20, 100), noise=0.2),
            state("stage", "What the unit does", {0: "off", 1: "heats", 2: "cools", 3: "blows"}),
            analog("power", "Electric power", "kW", (0, full_kw * 1.3), (0, full_kw), decimals=2,
                   noise=0.03),
        ]  # fmt: skip
        return [*map(later, measured), *_set_tags()]

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        design = self._design
        return {
            "hall_m3": f"{design.volume_m3:g}",
            "capacity_kw": f"{design.capacity_kw:g}",
            "air_flow_m3_h": f"{design.air_m3_h:g}",
            "fan_power_kw": f"{design.fan_kw:g}",
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        del faults  # no physical fault of it is simulated, only those of its sensors
        # The halls follow the weather damped; this undoes the damping.
        outdoor = 9.0 + 1.9 * (around.air - 21) + self._weather.step(around.dt_s)
        people = self._occupancy(around)
        drive = self._control(around)
        mode = self.commands["mode"]
        fan = self._fan.step(0.0 if mode == OFF else self.commands["fan_speed"] / 100, around.dt_s)
        fan = fan if fan > 0.01 else 0.0
        # A coil gives less at less air, but not in proportion.
        heat_kw = self._design.capacity_kw * drive * math.pow(fan, 0.6)
        self._breathe(outdoor, people, fan, heat_kw, around)
        self._power_kw = self._design.fan_kw * fan**3 + abs(heat_kw) / _COP
        return {
            "room_temperature": self._room,
            "outdoor_temperature": outdoor,
            "humidity": relative_humidity(self._moisture, self._room),
            "co2": self._co2,
            "valve_position": 100 * abs(drive),
            "fan_feedback": 100 * fan,
            "stage": _stage(drive, fan),
            "power": self._power_kw,
            **self.commands.values(),
        }

    def _occupancy(self, around: Surroundings) -> float:
        shift, crowd = around.shift, 1 + self._crowd.step(around.dt_s)
        present = shift.load if shift.is_working else 0.4 * shift.load
        return self._design.people * present * crowd

    def _control(self, around: Surroundings) -> float:
        """Return how far the valve is open: above 0 it heats, below it cools, -1 to 1."""
        mode = self.commands["mode"]
        low = -1.0 if mode in {COOL, AUTO} else 0.0
        high = 1.0 if mode in {HEAT, AUTO} else 0.0
        error = self.commands["temperature_setpoint"] - self._room
        wanted = self._integral + _GAIN * error
        bounded = max(low, min(high, wanted))
        if wanted == bounded:
            self._integral += _GAIN * error * around.thermal_dt_s / _INTEGRAL_S
        self._integral = max(low, min(high, self._integral))
        # A valve at rest leaks nothing: what is left of it after closing is nought.
        valve = self._valve.step(bounded, around.dt_s)
        return valve if abs(valve) > 0.002 else 0.0

    def _breathe(
        self, outdoor: float, people: float, fan: float, heat_kw: float, around: Surroundings
    ) -> None:
        """Balance heat, water and carbon dioxide of the hall."""
        design, dt_s = self._design, around.thermal_dt_s
        # Doors and joints change a fifth of the air an hour (DIN 1946-6, leaky halls).
        fresh_m3_s = (0.2 * design.volume_m3 + design.fresh * design.air_m3_h * fan) / 3600
        fresh_kg_s = fresh_m3_s * _AIR_KG_M3
        loss_kw_k = design.loss_kw_k + fresh_kg_s * _AIR_KJ_KG_K
        machines_kw = design.machines_kw * (0.2 + 0.8 * around.shift.load)
        gains_kw = _PERSON_KW * people + machines_kw + heat_kw
        steady = outdoor + gains_kw / loss_kw_k
        keep = math.exp(-dt_s * loss_kw_k / design.heat_kj_k)
        self._room = steady + (self._room - steady) * keep
        air_kg = design.volume_m3 * _AIR_KG_M3
        # A cooling coil gives a quarter of its power to water it condenses.
        condensed_g_s = 0.25 * max(0.0, -heat_kw) / _EVAPORATION_KJ_G
        outside = min(saturation(outdoor), 0.55 * saturation(outdoor) + 0.8)
        brought = outside + (_PERSON_G_S * people - condensed_g_s) / fresh_kg_s
        change = math.exp(-dt_s * fresh_kg_s / air_kg)
        moisture = brought + (self._moisture - brought) * change
        self._moisture = max(0.5, min(saturation(self._room), moisture))
        breathed = _OUTDOOR_PPM + 1e6 * _PERSON_CO2_M3_S * people / fresh_m3_s
        self._co2 = breathed + (self._co2 - breathed) * change

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor; no meter of the plant counts it."""
        return self._power_kw, 0.92

    @property
    def shaking(self) -> Signature | None:
        """Its fans carry no accelerometer."""
        return None


def saturation(celsius: float) -> float:
    """Return the water that air can hold at 1013 hPa, g/kg (Magnus formula, WMO-No. 8)."""
    pressure_hpa = 6.112 * math.exp(17.62 * celsius / (243.12 + celsius))
    return 622 * pressure_hpa / (1013.25 - pressure_hpa)


def relative_humidity(moisture: float, celsius: float) -> float:
    """Return the relative humidity of air with `moisture` g/kg, %."""
    return min(100.0, 100 * moisture / saturation(celsius))


def _stage(drive: float, fan: float) -> float:
    if fan == 0:
        return 0.0
    return 3.0 if drive == 0 else 1.0 if drive > 0 else 2.0


def _set_tags() -> list[Design]:
    """Declare what can be commanded: comfort, so nobody has to agree, and a message will do."""
    anybody = (*PEOPLE, CommandSource.MQTT)
    echoed = WriteRule(
        sources=anybody, min_interval_s=2.0, confirm=Confirm.NONE, tolerance=ECHO_TOLERANCE
    )
    measured = WriteRule(
        sources=anybody,
        min_interval_s=2.0,
        confirm=Confirm.NONE,
        interlocks=(Interlock("mode", "!=", OFF),),
        verify_tag="fan_feedback",
        tolerance=2.0,  # ten times the noise of the feedback
        verify_s=45.0,
    )
    # Off ends ventilation with people in the hall, so somebody looks before it is done.
    mode = WriteRule(sources=anybody, min_interval_s=5.0, confirm=Confirm.SELF)
    words = {0: "off", 1: "heat", 2: "cool", 3: "auto"}
    return [
        setting("temperature_setpoint", "Hall temperature, set point", "Cel", (16, 28), echoed),
        setting("fan_speed", "Fan speed, set", "%", (_LEAST_FAN, 100), measured),
        switch("mode", "Operating mode", words, mode),
    ]

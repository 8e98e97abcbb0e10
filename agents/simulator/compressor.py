"""An oil-injected screw compressor with its receiver: load and unload, stage, cooling."""

import math
from dataclasses import dataclass

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog, counter, run_tags, speed_limit, state
from agents.simulator.drive import Drive, DriveDesign
from agents.simulator.dynamics import Lag, Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import COMPRESSOR
from agents.simulator.unit import drive_nameplate
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import Interlock

STOPPED, UNLOADED, LOADED = 0.0, 1.0, 2.0
_ATMOSPHERE = 1.013
_KAPPA = 1.4
_AIR_KG_M3 = 1.19
_AIR_J_KG_K = 1005.0
_SLOWEST, _FASTEST = 60.0, 105.0  # below, rotors of a screw leak back too much


@dataclass(frozen=True, slots=True)
class CompressorDesign:
    """What a compressor was chosen for.

    Attributes:
        drive: Motor, rotor, bearing.
        delivery: Free air delivered when loaded, m3/min.
        receiver: Volume of the receiver, m3.
        load_below: Gauge pressure at which it loads, bar.
        unload_above: Gauge pressure at which it unloads, bar.
        idle_stop_s: Seconds unloaded after which it stops.
        stage_efficiency: Adiabatic efficiency of the stage.
    """

    drive: DriveDesign
    delivery: float
    receiver: float
    load_below: float = 6.6
    unload_above: float = 7.4
    idle_stop_s: float = 240.0
    stage_efficiency: float = 0.72

    def stage_power_kw(self, receiver_bar: float, inlet_drop_mbar: float = 0.0) -> float:
        """Return the shaft power when loaded against a gauge pressure, kW (adiabatic)."""
        inlet = _ATMOSPHERE - inlet_drop_mbar / 1000
        pressure_ratio = (receiver_bar + 0.35 + _ATMOSPHERE) / inlet
        lift = math.pow(pressure_ratio, (_KAPPA - 1) / _KAPPA) - 1
        mass_flow = self.delivery / 60 * _AIR_KG_M3
        return mass_flow * _AIR_J_KG_K * 293 * lift / self.stage_efficiency / 1000


class Compressor:
    """The state of one compressor."""

    kind = EquipmentKind.COMPRESSOR
    main_tag = "receiver_pressure"

    def __init__(self, design: CompressorDesign, noise: Noise) -> None:
        self._design = design
        self._noise = noise
        self._drive = Drive(design.drive, noise)
        self._state = LOADED
        self._since_s = 0.0
        self._pressure = (design.load_below + design.unload_above) / 2
        self._speed = Lag(design.drive.motor.speed_rpm, 2.0)
        self._shaft_kw = Lag(design.drive.motor.power_kw * 0.8, 1.5)
        self._oil = Lag(60.0, 260.0)
        self._air_end = Lag(78.0, 45.0)
        self._demand = Wander(noise, 0.1, 180.0)
        self._filter_mbar = 12.0 + 8 * noise.events.random()
        self._loaded_s = 3600.0 * noise.events.randrange(3000, 9000)
        self.commands = Commands({"speed_limit": _FASTEST, "run_command": 1.0})

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        design = self._design
        return [
            state("state", "Operating state", {0: "stopped", 1: "unloaded", 2: "loaded"}),
            analog("receiver_pressure", "Receiver pressure, gauge", "bar", (0, 10),
                   (design.load_below - 0.2, design.unload_above + 0.2),
                   limits=Limits(low=5.8, low_low=5.2, high=8.0, high_high=8.6),
                   decimals=2, noise=0.01, responses=COMPRESSOR["receiver_pressure"]),
            analog("air_flow", "Air delivered", "m3/min", (0, design.delivery * 1.3),
                   (0, design.delivery * 1.05), decimals=2, noise=design.delivery * 0.004),
            analog("discharge_temperature", "Air end discharge temperature", "Cel", (0, 150),
                   (20, 95), limits=Limits(high=105, high_high=115), noise=0.2,
                   responses=COMPRESSOR["discharge_temperature"]),
            analog("oil_temperature", "Oil temperature", "Cel", (0, 120), (18, 80),
                   limits=Limits(high=90), noise=0.15, responses=COMPRESSOR["oil_temperature"]),
            analog("filter_drop", "Inlet filter pressure drop", "mbar", (0, 80), (0, 35),
                   limits=Limits(high=50), noise=0.2, responses=COMPRESSOR["filter_drop"]),
            counter("loaded_hours", "Hours loaded", "h", 1),
            analog("ambient_temperature", "Ambient temperature", "Cel", (-20, 60), (8, 34),
                   noise=0.08),
            *design.drive.tags(COMPRESSOR),
            speed_limit(_SLOWEST, _FASTEST, Interlock("drive_on", "==", 1)),
            *run_tags(),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        design, motor = self._design, self._design.drive.motor
        return {
            "delivery_m3_min": f"{design.delivery:g}",
            "receiver_m3": f"{design.receiver:g}",
            "lobes": str(design.drive.rotor.passing),
            **drive_nameplate(motor.power_kw, motor.speed_rpm, design.drive.rotor.bearing.name),
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        design, dt_s = self._design, around.dt_s
        pace = min(1.0, self.commands["speed_limit"] / 100)
        delivered = self._deliver(around, pace)
        self._switch(dt_s)
        running = self._state != STOPPED
        speed = self._speed.step(design.drive.motor.speed_rpm * pace if running else 0.0, dt_s)
        turning = speed > 0.02 * design.drive.motor.speed_rpm
        full_kw = design.stage_power_kw(self._pressure, self._filter_mbar) * pace
        wanted_kw = full_kw if self._state == LOADED else 0.24 * full_kw if running else 0.0
        shaft_kw = self._shaft_kw.step(wanted_kw, dt_s)
        torque = shaft_kw * 1000 / (speed * math.pi / 30) if turning else 0.0
        self._heat(shaft_kw, around, faults)
        hiss = 0.9 * self._noise.normal() ** 2 if self._state == LOADED else 0.0
        speed = speed if turning else 0.0
        values = self._drive.step(torque, speed, around, faults, hiss=min(hiss, 1.5))
        return values | {
            "state": self._state,
            "receiver_pressure": self._pressure,
            "air_flow": delivered,
            "discharge_temperature": self._air_end.value,
            "oil_temperature": self._oil.value,
            "filter_drop": self._filter_mbar * (0.15 + 0.85 * delivered / design.delivery),
            "loaded_hours": self._loaded_s / 3600,
            "ambient_temperature": around.air,
            **self.commands.values(),
            "drive_on": 1.0 if self.commands.is_on or turning else 0.0,
        }

    def _deliver(self, around: Surroundings, pace: float) -> float:
        """Fill and empty the receiver; return what is delivered, m3/min of free air."""
        design, dt_s = self._design, around.dt_s
        use = 0.28 + 0.42 * around.shift.load * (1.0 if around.shift.is_working else 0.7)
        share = max(0.15, min(0.9, use * (1 + self._demand.step(dt_s))))
        delivered = 0.0
        if self._state == LOADED:
            delivered = design.delivery * (1 - 0.012 * (self._pressure - 7)) * pace
            self._loaded_s += dt_s
            self._filter_mbar += 2e-6 * dt_s * delivered
        change = (delivered - share * design.delivery) / 60 / design.receiver * _ATMOSPHERE
        self._pressure = max(0.0, self._pressure + change * dt_s)
        return delivered

    def _switch(self, dt_s: float) -> None:
        self._since_s += dt_s
        before = self._state
        if not self.commands.is_on:
            self._state = STOPPED
        elif self._pressure <= self._design.load_below:
            self._state = LOADED
        elif self._pressure >= self._design.unload_above and self._state == LOADED:
            self._state = UNLOADED
        elif self._state == UNLOADED and self._since_s > self._design.idle_stop_s:
            self._state = STOPPED
        if self._state != before:
            self._since_s = 0.0

    def _heat(self, shaft_kw: float, around: Surroundings, faults: Faults) -> None:
        """Nearly all shaft power goes into the oil; the cooler carries it to the hall."""
        rated_kw = self._design.drive.motor.power_kw
        share = shaft_kw / rated_kw
        fouled = 1 + 1.1 * faults.overheating
        self._oil.step(around.air + 4 + 38 * share * fouled, around.thermal_dt_s)
        self._air_end.step(self._oil.value + 20 * share * fouled, around.thermal_dt_s)

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        return self._drive.motor.power_kw, self._drive.motor.power_factor

    @property
    def shaking(self) -> Signature | None:
        """What shakes at the moment."""
        return self._drive.shaking

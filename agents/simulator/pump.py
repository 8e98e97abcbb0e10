"""A centrifugal pump with its motor: curves, affinity laws, suction and cavitation."""

import math
from dataclasses import dataclass, field

from agents.simulator.commands import Commands
from agents.simulator.declare import (
    ECHO_TOLERANCE,
    RUN_VERIFY_S,
    Design,
    analog,
    setting,
    speed_limit,
    state,
    switch,
)
from agents.simulator.drive import Drive, DriveDesign
from agents.simulator.dynamics import Lag, Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import COOLING_PUMP, Words
from agents.simulator.unit import drive_nameplate
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import Confirm, Interlock, WriteRule

_GRAVITY = 9.81
_RATED_VALVE = 0.85
_RUN_DOWN = 3.0  # a pump without power stops this many times as fast as its control slows it
_STANDSTILL = 0.02  # of rated speed
_FASTEST = 105.0  # the automatic control stays below it
_LEAST_VALVE = 40.0  # below it the flow passes its low limit


@dataclass(frozen=True, slots=True)
class PumpDesign:
    """What a pump was chosen for.

    Attributes:
        drive: Motor, rotor, bearing.
        flow: Rated flow, m3/h.
        head: Rated head, m.
        static_head: Height and counter-pressure of the plant, m.
        suction: Absolute pressure before the strainer at no flow, bar.
        water: Temperature of the water, Cel.
        npsh_required: At rated flow, m.
        words: What to do when one of its limits is passed.
        slowest: Lowest speed limit, % of rated speed; below it the head hardly meets the plant's.
        stop: Who must agree that it stops or starts.
    """

    drive: DriveDesign
    flow: float
    head: float
    static_head: float
    suction: float = 1.45
    water: float = 24.0
    npsh_required: float = 3.2
    words: Words = field(default_factory=lambda: COOLING_PUMP)
    slowest: float = 65.0
    stop: Confirm = Confirm.SELF

    def density(self) -> float:
        """Density of water, kg/m3: within 0.3 % of the steam tables from 5 to 100 Cel."""
        return 1000.6 - 0.0128 * math.pow(self.water, 1.76)

    def vapour_bar(self) -> float:
        """Vapour pressure of water, bar (Antoine equation, 1 to 100 Cel)."""
        return math.pow(10, 8.07131 - 1730.63 / (233.426 + self.water)) / 750.062

    def head_at(self, flow: float, speed_ratio: float) -> float:
        """Return the head at a flow (m3/h) and a speed over rated speed, m (affinity laws)."""
        return self.head * (1.25 * speed_ratio**2 - 0.25 * (flow / self.flow) ** 2)

    def duty_flow(self, speed_ratio: float, valve: float, loss: float = 0.0) -> float:
        """Return the flow at which pump and plant agree, m3/h.

        Args:
            speed_ratio: Speed over rated speed.
            valve: Opening of the control valve, 0 to 1.
            loss: Share of the head lost to cavitation.
        """
        resistance = (self.head - self.static_head) * (_RATED_VALVE / valve) ** 2
        surplus = 1.25 * self.head * speed_ratio**2 * (1 - loss) - self.static_head
        return self.flow * math.sqrt(max(0.0, surplus) / (resistance + 0.25 * self.head))

    def efficiency_at(self, flow: float, speed_ratio: float) -> float:
        """Return the hydraulic efficiency, 0 to 1; best (0.76) at rated flow over speed."""
        if speed_ratio < 0.05:
            return 0.3
        away = flow / speed_ratio / self.flow - 1
        return max(0.3, 0.76 * (1 - 0.9 * away * away))

    def npsh_margin(self, flow: float, suction_bar: float) -> float:
        """Return the head before the impeller over what it needs, m."""
        available = (suction_bar - self.vapour_bar()) * 1e5 / (self.density() * _GRAVITY)
        return available - self.npsh_required * (0.5 + 0.5 * (flow / self.flow) ** 2)


class Pump:
    """The state of one motor-pump."""

    kind = EquipmentKind.MOTOR_PUMP
    main_tag = "discharge_pressure"

    def __init__(self, design: PumpDesign, noise: Noise) -> None:
        self._design = design
        self._noise = noise
        self._drive = Drive(design.drive, noise)
        self._speed = Lag(design.drive.motor.speed_rpm * 0.9, 6.0)
        self._flow = Lag(design.flow * 0.85, 2.5)
        self._demand = Wander(noise, 0.05, 400.0)
        self._valve = Wander(noise, 0.03, 240.0)
        self._suction = Wander(noise, 0.015, 300.0)
        self._starved = 0.0
        self.commands = Commands(
            {"speed_limit": _FASTEST, "valve_limit": 100.0, "run_command": 1.0}
        )

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        design, words = self._design, self._design.words
        flow, lift = design.flow, design.head * design.density() * _GRAVITY / 1e5
        return [
            state("running", "Pump running", {0: "stopped", 1: "running"}),
            analog("flow", "Flow", "m3/h", (0, flow * 1.4), (flow * 0.5, flow * 1.1),
                   limits=Limits(low=flow * 0.4), noise=flow * 0.004,
                   responses=words["flow"],
                   counts_while="running"),
            analog("suction_pressure", "Suction pressure, absolute", "bar", (0, 4),
                   (design.suction - 0.35, design.suction + 0.15),
                   limits=Limits(low=design.suction - 0.65, low_low=design.suction - 0.95),
                   decimals=2, noise=0.006, responses=words["suction_pressure"],
                   counts_while="running"),
            analog("discharge_pressure", "Discharge pressure, absolute", "bar",
                   (0, (lift + design.suction) * 1.6),
                   (design.suction + lift * 0.55, design.suction + lift * 1.15),
                   limits=Limits(low=design.suction + lift * 0.42), decimals=2, noise=0.012,
                   responses=words["discharge_pressure"],
                   counts_while="running"),
            analog("npsh_margin", "NPSH margin", "m", (-5, 20), (2.5, 15),
                   limits=Limits(low=1.5, low_low=0.5), decimals=1, noise=0.06,
                   responses=words["npsh_margin"],
                   counts_while="running"),
            analog("valve_position", "Control valve opening", "%", (0, 100), (60, 100),
                   noise=0.1),
            analog("efficiency", "Pump efficiency", "%", (0, 100), (60, 80), noise=0.4),
            analog("ambient_temperature", "Ambient temperature", "Cel", (-20, 60), (8, 34),
                   noise=0.08),
            *design.drive.tags(words),
            *self._set_tags(),
        ]  # fmt: skip

    def _set_tags(self) -> list[Design]:
        """Declare what can be commanded; only a limit that shows its effect may be changed."""
        runs = Interlock("running", "==", 1)
        throttle = WriteRule(min_interval_s=5.0, interlocks=(runs,), tolerance=ECHO_TOLERANCE)
        # Stopping has no interlock: nothing may keep a person from stopping a machine.
        run = WriteRule(
            min_interval_s=5.0,
            confirm=self._design.stop,
            verify_tag="running",
            verify_s=RUN_VERIFY_S,
        )
        return [
            speed_limit(self._design.slowest, _FASTEST, runs),
            setting("valve_limit", "Control valve opening, limit", "%", (_LEAST_VALVE, 100),
                    throttle),
            switch("run_command", "Run command", {0: "stop", 1: "run"}, run),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        design, motor = self._design, self._design.drive.motor
        return {
            "rated_flow_m3_h": f"{design.flow:g}",
            "rated_head_m": f"{design.head:g}",
            "vanes": str(design.drive.rotor.passing),
            **drive_nameplate(motor.power_kw, motor.speed_rpm, design.drive.rotor.bearing.name),
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        design, dt_s = self._design, around.dt_s
        rated_rpm = design.drive.motor.speed_rpm
        heat = max(-0.06, min(0.06, (around.air - 21) * 0.006))
        demand = around.shift.load + heat + self._demand.step(dt_s)
        ratio = max(0.7, min(1.03, 0.72 + 0.26 * demand))
        speed = self._turn(min(ratio, self.commands["speed_limit"] / 100), dt_s)
        ratio = speed / rated_rpm
        valve = _RATED_VALVE + self._valve.step(dt_s)
        valve = min(valve, self.commands["valve_limit"] / 100)
        flow = self._flow.step(design.duty_flow(ratio, valve, 0.3 * self._starved), dt_s)
        square = (flow / design.flow) ** 2
        suction = design.suction + self._suction.step(dt_s)
        suction -= (0.12 + 1.6 * faults.cavitation) * square
        suction = max(design.vapour_bar() + 0.02, suction)
        margin = design.npsh_margin(flow, suction)
        self._starved = starvation(margin)
        head = max(0.0, design.head_at(flow, ratio)) * (1 - 0.3 * self._starved)
        efficiency = design.efficiency_at(flow, ratio) * (1 - 0.15 * self._starved)
        hydraulic_w = design.density() * _GRAVITY * flow / 3600 * head
        omega = speed * math.pi / 30
        friction = 0.03 * design.drive.motor.torque
        torque = hydraulic_w / efficiency / omega + friction if omega > 0 else 0.0
        bursts = 1 + 0.15 * self._noise.normal()
        hiss = 7.0 * self._starved * ratio**2 * bursts
        values = self._drive.step(
            torque, speed, around, faults, hiss=hiss, passing_share=1 + self._starved
        )
        return values | {
            "running": 1.0 if speed > 0 else 0.0,
            "flow": flow,
            "suction_pressure": suction,
            "discharge_pressure": suction + head * design.density() * _GRAVITY / 1e5,
            "npsh_margin": margin,
            "valve_position": 100 * valve,
            "efficiency": 100 * hydraulic_w / (torque * omega) if omega > 0 else 0.0,
            "ambient_temperature": around.air,
            **self.commands.values(),
        }

    def _turn(self, ratio: float, dt_s: float) -> float:
        """Return the shaft speed after a step at which the control wants a share of rated speed."""
        rated_rpm = self._design.drive.motor.speed_rpm
        if self.commands.is_on:
            return self._speed.step(rated_rpm * ratio, dt_s)
        speed = self._speed.step(0.0, dt_s * _RUN_DOWN)
        return speed if speed > _STANDSTILL * rated_rpm else 0.0

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        return self._drive.motor.power_kw, self._drive.motor.power_factor

    @property
    def shaking(self) -> Signature | None:
        """What shakes at the moment."""
        return self._drive.shaking


def starvation(npsh_margin: float) -> float:
    """Return how far the pump cavitates, 0 to 1: half of it at a margin of 0.6 m."""
    return 1 / (1 + math.exp(min(50.0, (npsh_margin - 0.6) / 0.35)))

"""A belt conveyor with a gear motor: belt friction, goods, slip, and jams that are no faults."""

import math
from dataclasses import dataclass

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog, counter, run_tags, speed_limit, state
from agents.simulator.drive import Drive, DriveDesign
from agents.simulator.dynamics import Lag, Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import CONVEYOR
from agents.simulator.unit import drive_nameplate
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import Interlock

STOPPED, RUNNING, JAMMED = 0.0, 1.0, 2.0
_GRAVITY = 9.81
# Slider bed with a textile belt: 0.2 to 0.3 (manufacturers' tables for PVC belts on steel).
_FRICTION = 0.25
_GEAR_EFFICIENCY = 0.9
_JAM_EVERY_S = 3 * 3600.0
_SLOWEST, _FASTEST = 40.0, 105.0


@dataclass(frozen=True, slots=True)
class ConveyorDesign:
    """What a conveyor was built for.

    Attributes:
        drive: Motor, rotor, bearing.
        belt_kg: Moving mass of the belt, kg.
        goods_kg: Goods on the belt at full load, kg.
        speed: Belt speed at rated motor speed, m/s.
        pulley_m: Radius of the drive pulley, m.
        pieces_per_min: Pieces at full load.
    """

    drive: DriveDesign
    belt_kg: float
    goods_kg: float
    speed: float
    pulley_m: float
    pieces_per_min: float

    @property
    def ratio(self) -> float:
        """Turns of the motor a turn of the pulley."""
        return self.drive.motor.speed_rpm * math.pi / 30 * self.pulley_m / self.speed

    def torque(self, goods_kg: float) -> float:
        """Return the motor torque that moves belt and goods, N.m."""
        force = _FRICTION * (self.belt_kg + goods_kg) * _GRAVITY
        drag = 0.05 * self.drive.motor.torque
        return force * self.pulley_m / self.ratio / _GEAR_EFFICIENCY + drag


class Conveyor:
    """The state of one conveyor."""

    kind = EquipmentKind.CONVEYOR
    main_tag = "belt_speed"

    def __init__(self, design: ConveyorDesign, noise: Noise) -> None:
        self._design = design
        self._noise = noise
        self._drive = Drive(design.drive, noise)
        self._speed = Lag(0.0, 2.5)
        self._torque = Lag(0.0, 0.8)
        self._goods = Lag(0.4 * design.goods_kg, 40.0)
        self._gear = Lag(22.0, 1800.0)
        self._flow = Wander(noise, 0.1, 90.0)
        self._state = RUNNING
        self._jam_s = 0.0
        self._jams = 0
        self._pieces = float(noise.events.randrange(10_000, 90_000))
        self.commands = Commands({"speed_limit": _FASTEST, "run_command": 1.0})

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        design = self._design
        return [
            state("state", "Belt state", {0: "stopped", 1: "running", 2: "jammed"}),
            analog("belt_speed", "Belt speed", "m/s", (0, design.speed * 1.4),
                   (0, design.speed * 1.05), decimals=2, noise=design.speed * 0.002),
            analog("belt_slip", "Belt slip", "%", (0, 20), (0, 3.5),
                   limits=Limits(high=6, high_high=10), decimals=2, noise=0.04,
                   responses=CONVEYOR["belt_slip"]),
            analog("goods", "Goods on the belt", "kg", (0, design.goods_kg * 1.6),
                   (0, design.goods_kg * 1.1), decimals=0, noise=design.goods_kg * 0.004),
            analog("throughput", "Pieces a minute", "1/min", (0, design.pieces_per_min * 1.6),
                   (0, design.pieces_per_min * 1.15), noise=0.2),
            counter("pieces", "Pieces moved"),
            counter("jams", "Jams cleared"),
            analog("gearbox_temperature", "Gearbox temperature", "Cel", (0, 120), (12, 65),
                   limits=Limits(high=80), noise=0.12, responses=CONVEYOR["gearbox_temperature"]),
            analog("ambient_temperature", "Ambient temperature", "Cel", (-20, 60), (8, 34),
                   noise=0.08),
            *design.drive.tags(CONVEYOR),
            # Somebody may have a hand in a jammed belt.
            speed_limit(_SLOWEST, _FASTEST, Interlock("state", "!=", JAMMED)),
            *run_tags(),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        motor, rotor = self._design.drive.motor, self._design.drive.rotor
        return {
            "gear_ratio": f"{self._design.ratio:.1f}",
            "pinion_teeth": str(rotor.passing),
            **drive_nameplate(motor.power_kw, motor.speed_rpm, rotor.bearing.name),
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        design, dt_s = self._design, around.dt_s
        self._switch(around)
        moving = self._state == RUNNING
        flow = around.shift.load * (0.8 + self._flow.step(dt_s))
        goods = self._goods.step(design.goods_kg * flow, dt_s) if moving else self._goods.value
        pace = min(1.0, 0.7 + 0.3 * around.shift.load, self.commands["speed_limit"] / 100)
        target = design.drive.motor.speed_rpm * pace if moving else 0.0
        speed = self._speed.step(target, dt_s)
        speed = speed if speed > 10 else 0.0
        wanted = design.torque(goods) * (1 + 0.12 * faults.misalignment)
        if self._state == JAMMED:
            wanted *= 1.5
        torque = self._torque.step(wanted, dt_s) if speed else 0.0
        slip = self._slip(torque, faults) if speed else 0.0
        belt = speed / design.drive.motor.speed_rpm * design.speed * (1 - slip / 100)
        rate = design.pieces_per_min * flow * pace if moving and speed else 0.0
        self._pieces += rate * dt_s / 60
        values = self._drive.step(torque, speed, around, faults)
        heat = values["power"] / design.drive.motor.power_kw * (1 + 0.8 * faults.overheating)
        self._gear.step(around.air + 26 * heat, around.thermal_dt_s)
        return values | {
            "state": self._state,
            "belt_speed": belt,
            "belt_slip": slip,
            "goods": goods,
            "throughput": rate,
            "pieces": float(int(self._pieces)),
            "jams": float(self._jams),
            "gearbox_temperature": self._gear.value,
            "ambient_temperature": around.air,
            **self.commands.values(),
            "drive_on": 1.0 if self.commands.is_on or speed else 0.0,
        }

    def _slip(self, torque: float, faults: Faults) -> float:
        load = torque / self._design.drive.motor.torque
        return 0.6 + 1.2 * load + 5.5 * faults.misalignment + 0.05 * self._noise.normal()

    def _switch(self, around: Surroundings) -> None:
        if self._state == JAMMED:
            self._jam_s -= around.dt_s
            if self._jam_s > 0:
                return
            self._jams += 1
        works = around.shift.is_working and self.commands.is_on
        self._state = RUNNING if works else STOPPED
        if self._state == RUNNING and self._noise.happens(_JAM_EVERY_S, around.dt_s):
            self._state = JAMMED
            self._jam_s = self._noise.events.uniform(15, 45)

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        return self._drive.motor.power_kw, self._drive.motor.power_factor

    @property
    def made(self) -> float:
        """Pieces moved, also in part."""
        return self._pieces

    @property
    def shaking(self) -> Signature | None:
        """What shakes at the moment."""
        return self._drive.shaking

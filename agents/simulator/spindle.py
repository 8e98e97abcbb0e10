"""A CNC milling spindle: programs, products, cutting torque, tool wear and tool changes."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog, counter, run_tags, speed_limit, state
from agents.simulator.drive import Drive, DriveDesign
from agents.simulator.dynamics import Lag, Noise, Surroundings
from agents.simulator.faults import Faults
from agents.simulator.responses import SPINDLE
from agents.simulator.unit import drive_nameplate
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import Interlock

IDLE, CUTTING, TOOL_CHANGE, SETUP = 0.0, 1.0, 2.0, 3.0
# ISO 8688-2 ends the life of an end mill at 0.3 mm of flank wear; the shop changes at 0.2 mm.
_CHANGE_AT_UM = 200.0
_SLOWEST, _FASTEST = 40.0, 120.0  # the fastest cut of a program runs at 120 %
_SETUP_S, _TOOL_CHANGE_S, _LOADING_S = 240.0, 25.0, 18.0


class Cut(NamedTuple):
    """One step of a program: seconds, speed 1/min, feed mm/min, share of rated torque."""

    seconds: float
    speed: float
    feed: float
    torque: float


# Three products with rough, semi-finish and finish cuts: a change of product is no fault.
_PRODUCTS: tuple[tuple[Cut, ...], ...] = (
    (Cut(45, 4200, 900, 0.62), Cut(30, 5400, 1100, 0.45), Cut(40, 6600, 800, 0.26)),
    (Cut(70, 3300, 620, 0.78), Cut(50, 4500, 820, 0.5), Cut(30, 6000, 700, 0.3)),
    (Cut(25, 5400, 1300, 0.5), Cut(25, 6600, 1500, 0.36), Cut(20, 7200, 1200, 0.2)),
)


@dataclass(frozen=True, slots=True)
class SpindleDesign:
    """What a spindle was chosen for.

    Attributes:
        drive: Motor, rotor, bearing.
        tool_mm: Diameter of the tool, mm.
    """

    drive: DriveDesign
    tool_mm: float = 20.0


def wear_factor(wear_um: float) -> float:
    """Return how much more torque a worn tool needs than a sharp one: +55 % at 0.3 mm."""
    return 1 + 0.55 * math.pow(wear_um / 300, 1.5)


class Spindle:
    """The state of one spindle."""

    kind = EquipmentKind.CNC_SPINDLE
    main_tag = "torque"

    def __init__(self, design: SpindleDesign, noise: Noise) -> None:
        self._design = design
        self._noise = noise
        self._drive = Drive(design.drive, noise)
        self._speed = Lag(0.0, 1.2)
        self._torque = Lag(0.0, 0.6)
        self._coolant = Lag(23.0, 1500.0)
        self._state = IDLE
        self._left_s = 5.0
        self._step = 0
        self._product = noise.events.randrange(len(_PRODUCTS))
        self._batch = noise.events.randrange(5, 40)
        self._parts = noise.events.randrange(1000, 9000)
        self._hardness = 1.0
        self._wear_um = 100 * noise.events.random()
        self._tool_s = self._wear_um * 30
        self._rate_um_s = 0.0
        self._rest_s = 0.0
        self._sharpen()
        self.commands = Commands({"speed_limit": _FASTEST, "run_command": 1.0})

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        return [
            state("state", "Machine state",
                  {0: "idle", 1: "cutting", 2: "tool change", 3: "setup"}),
            state("product", "Product", {0: "housing", 1: "flange", 2: "cover"}),
            analog("feed_rate", "Feed rate", "mm/min", (0, 2000), (0, 1600), decimals=0, noise=2),
            analog("cutting_force", "Cutting force", "N", (0, 8000), (0, 3600), decimals=0,
                   noise=8),
            analog("tool_wear", "Flank wear of the tool", "um", (0, 800), (0, 210),
                   limits=Limits(high=300, high_high=400), decimals=0, noise=1.0,
                   responses=SPINDLE["tool_wear"]),
            analog("tool_time", "Cutting time of the tool", "min", (0, 600), (0, 240)),
            counter("parts", "Parts made"),
            analog("coolant_temperature", "Coolant temperature", "Cel", (0, 60), (15, 36),
                   limits=Limits(high=45), noise=0.1, responses=SPINDLE["coolant_temperature"]),
            analog("ambient_temperature", "Ambient temperature", "Cel", (-20, 60), (8, 34),
                   noise=0.08),
            *self._design.drive.tags(SPINDLE),
            speed_limit(_SLOWEST, _FASTEST, Interlock("drive_on", "==", 1)),
            *run_tags(),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        motor, rotor = self._design.drive.motor, self._design.drive.rotor
        return {
            "tool_diameter_mm": f"{self._design.tool_mm:g}",
            "teeth": str(rotor.passing),
            **drive_nameplate(motor.power_kw, motor.speed_rpm, rotor.bearing.name),
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        dt_s, is_on = around.dt_s, self.commands.is_on
        if is_on:  # a stopped program waits where it is
            self._left_s -= dt_s * self._pace()
            if self._left_s <= 0:
                self._next(around, faults)
        cut = self._cut()
        is_cutting = is_on and self._state == CUTTING
        wear_um = self._wear_um + 320 * faults.tool_wear
        if is_cutting:
            self._wear(cut, dt_s)
        speed = self._speed.step(cut.speed if is_cutting else 0.0, dt_s)
        speed = speed if speed > 60 else 0.0
        rated = self._design.drive.motor.torque
        wanted = 0.06 if speed else 0.0
        if is_cutting:
            chatter = 1 + 0.02 * self._noise.normal()
            wanted += cut.torque * self._hardness * wear_factor(wear_um) * chatter
        torque = self._torque.step(rated * wanted, dt_s) if speed else 0.0
        cutting_torque = max(0.0, torque - 0.06 * rated) if is_cutting else 0.0
        hiss = (0.5 + 2.4 * (wear_um / 300) ** 2) * torque / rated if is_cutting else 0.0
        teeth = 1 + 1.2 * wear_um / 300 if is_cutting else 0.1
        values = self._drive.step(torque, speed, around, faults, hiss=hiss, passing_share=teeth)
        heat = self._drive.motor.power_kw / self._design.drive.motor.power_kw
        self._coolant.step(around.air + 1 + 9 * heat + 9 * faults.overheating, around.thermal_dt_s)
        return values | {
            "state": self._state if is_on else IDLE,
            "product": float(self._product),
            "feed_rate": cut.feed if is_cutting else 0.0,
            "cutting_force": cutting_torque / (self._design.tool_mm / 2000),
            "tool_wear": wear_um,
            "tool_time": self._tool_s / 60,
            "parts": float(self._parts),
            "coolant_temperature": self._coolant.value,
            "ambient_temperature": around.air,
            **self.commands.values(),
            "drive_on": 1.0 if is_on or speed else 0.0,
        }

    def _program(self) -> Cut:
        return _PRODUCTS[self._product][self._step]

    def _cut(self) -> Cut:
        """Return the cut of the program as the speed limit allows it, at the same feed a tooth."""
        cut = self._program()
        fastest = self.commands["speed_limit"] / 100 * self._design.drive.motor.speed_rpm
        if cut.speed <= fastest:
            return cut
        return cut._replace(speed=fastest, feed=cut.feed * fastest / cut.speed)

    def _pace(self) -> float:
        """Return how fast the program goes on: a slower feed takes longer for the same way."""
        return self._cut().feed / self._program().feed if self._state == CUTTING else 1.0

    def _next(self, around: Surroundings, faults: Faults) -> None:
        """Choose what the machine does when its present occupation ends."""
        cuts = _PRODUCTS[self._product]
        if self._state == CUTTING and self._step + 1 < len(cuts):
            self._step += 1
            self._left_s = cuts[self._step].seconds
            return
        if self._state == CUTTING:
            self._parts += 1
            self._batch -= 1
            self._state, self._left_s = IDLE, self._loading_s(around)
        elif not around.shift.is_working:
            self._state, self._left_s = IDLE, 10.0
        elif self._wear_um >= _CHANGE_AT_UM and faults.tool_wear == 0:
            self._state, self._left_s = TOOL_CHANGE, _TOOL_CHANGE_S
            self._wear_um = self._tool_s = 0.0
            self._sharpen()
        elif self._batch <= 0:
            self._state, self._left_s = SETUP, _SETUP_S
            self._product = self._noise.events.randrange(len(_PRODUCTS))
            self._batch = self._noise.events.randrange(25, 70)
        else:
            self._state, self._step = CUTTING, 0
            self._left_s = cuts[0].seconds if self._state == CUTTING else 0.0
            self._hardness = max(0.85, min(1.15, 1 + 0.05 * self._noise.normal()))
        if self._state != CUTTING:
            self._step = 0

    def _loading_s(self, around: Surroundings) -> float:
        """A thin order book (night, weekend) leaves the machine waiting between parts."""
        return _LOADING_S + 90 * max(0.0, 1 - around.shift.load)

    def _sharpen(self) -> None:
        """Draw the life of a new tool: 70 to 150 min of cutting to the change."""
        life_s = 60 * min(150.0, max(70.0, 105 + 18 * self._noise.normal()))
        self._rate_um_s = _CHANGE_AT_UM / life_s

    def _wear(self, cut: Cut, dt_s: float) -> None:
        """Wear grows with torque and speed, and rests at times (plateaus)."""
        self._tool_s += dt_s
        if self._rest_s > 0:
            self._rest_s -= dt_s
            return
        if self._noise.happens(1800, dt_s):
            self._rest_s = self._noise.events.uniform(60, 400)
        strain = (cut.torque / 0.45) * math.sqrt(cut.speed / 5000)
        if self._wear_um < 260:
            self._wear_um += self._rate_um_s * dt_s * strain

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        return self._drive.motor.power_kw, self._drive.motor.power_factor

    @property
    def made(self) -> float:
        """Parts made."""
        return self._parts

    @property
    def shaking(self) -> Signature | None:
        """What shakes at the moment."""
        return self._drive.shaking

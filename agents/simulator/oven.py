"""A three-zone continuous oven: elements, control, charges, doors, heat."""

from dataclasses import dataclass

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog, state, writable
from agents.simulator.dynamics import Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import OVEN_ZONE
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits
from app.core.write_rule import Interlock, WriteRule

_ZONES = 3
_DOOR_OPEN_S = 35.0
_DOOR_W_K = (70.0, 35.0, 15.0)
_COUPLING_W_K = 18.0
_CHARGE_W_K = 14.0
_RAMP_K_S = 3.0 / 60
_GAIN = 0.06
_INTEGRAL_S = 420.0
_VOLTAGE = 400.0


@dataclass(frozen=True, slots=True)
class OvenDesign:
    """What an oven was built for.

    Attributes:
        zone_kw: Heating power of one zone, kW.
        set_points: Temperatures of its products, Cel.
        heat_kj_k: Heat capacity of one zone, kJ/K.
        loss_w_k: Heat loss of one zone to the hall, W/K.
        fan_kw: Power of the circulation fans, kW.
    """

    zone_kw: float
    set_points: tuple[float, ...]
    heat_kj_k: float = 60.0
    loss_w_k: float = 35.0
    fan_kw: float = 2.2


class Oven:
    """The state of one oven."""

    kind = EquipmentKind.OVEN
    main_tag = "zone2_temperature"

    def __init__(self, design: OvenDesign, noise: Noise) -> None:
        self._design = design
        self._noise = noise
        start = design.set_points[0]
        steady = design.loss_w_k * (start - 22) / (design.zone_kw * 1000)
        self._temperatures = [start] * _ZONES
        self._integrals = [steady] * _ZONES
        self._set_point = start
        self.commands = Commands({"set_point": start})
        self._charge_kj_k = 0.0
        self._charge = 22.0
        self._charge_left_s = 60.0 + 300 * noise.events.random()
        self._door_s = 0.0
        self._charges_left = noise.events.randrange(4, 12)
        self._charges_done = 0
        self._mains = Wander(noise, 0.008, 120.0)
        self._power_kw = 0.0

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        design = self._design
        low, high = min(design.set_points), max(design.set_points)
        span = (0.0, high + 80)
        limits = Limits(low_low=low - 40, low=low - 25, high=high + 15, high_high=high + 30)
        amps = design.zone_kw * 1000 / (3**0.5 * _VOLTAGE)
        zones = [
            tag
            for zone in range(1, _ZONES + 1)
            for tag in (
                analog(f"zone{zone}_temperature", f"Zone {zone} temperature", "Cel", span,
                       (low - 12, high + 8), limits=limits, responses=OVEN_ZONE, noise=0.25),
                analog(f"zone{zone}_duty", f"Zone {zone} heating duty", "%", (0, 100), (0, 98),
                       noise=0.05),
                analog(f"zone{zone}_current", f"Zone {zone} heating current", "A",
                       (0, amps * 1.5), (0, amps * 1.08), noise=amps * 0.004),
            )
        ]  # fmt: skip
        total = design.zone_kw * _ZONES + design.fan_kw
        return [
            state("door", "Door", {0: "closed", 1: "open"}),
            writable(analog("set_point", "Temperature set point", "Cel", span, (low, high)),
                     _set_point_rule(low, high)),
            analog("charge_mass", "Mass in the oven", "kg", (0, 400), (0, 300), decimals=0,
                   noise=0.4),
            analog("power", "Electric power", "kW", (0, total * 1.3), (0, total * 1.05),
                   decimals=2, noise=total * 0.003),
            analog("ambient_temperature", "Ambient temperature", "Cel", (-20, 60), (8, 34),
                   noise=0.08),
            *zones,
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        return {
            "zones": str(_ZONES),
            "zone_power_kw": f"{self._design.zone_kw:g}",
            "fan_power_kw": f"{self._design.fan_kw:g}",
        }

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        self._work(around)
        mains = 1 + self._mains.step(around.dt_s)
        powers = [self._control(zone, around.dt_s, faults, mains) for zone in range(_ZONES)]
        self._heat([power for _, power in powers], around)
        self._power_kw = sum(power for _, power in powers) + self._design.fan_kw
        values = {
            "door": 1.0 if self._door_s > 0 else 0.0,
            "set_point": self._set_point,
            "charge_mass": self._charge_kj_k / 0.5,
            "power": self._power_kw,
            "ambient_temperature": around.air,
        }
        for index, (duty, power) in enumerate(powers):
            zone = f"zone{index + 1}"
            values[f"{zone}_temperature"] = self._temperatures[index]
            values[f"{zone}_duty"] = 100 * duty
            values[f"{zone}_current"] = power * 1000 / (3**0.5 * _VOLTAGE * mains)
        return values

    def _work(self, around: Surroundings) -> None:
        """Charge, discharge and change the product as the shift allows."""
        dt_s = around.dt_s
        self._door_s = max(0.0, self._door_s - dt_s)
        self._charge_left_s -= dt_s
        if self._charge_left_s <= 0 and around.shift.is_working:
            self._door_s = _DOOR_OPEN_S
            self._charge = around.air
            self._charges_done += self._charge_kj_k > 0
            mass = self._noise.events.uniform(60, 140) * (0.4 + 0.6 * around.shift.load)
            self._charge_kj_k = 0.5 * mass
            pause = 1 + 1.5 * (1 - around.shift.load)
            self._charge_left_s = self._noise.events.uniform(1100, 1700) * pause
            self._charges_left -= 1
            if self._charges_left <= 0:
                recipe = self._noise.events.choice(self._design.set_points)
                self.commands.change_usual("set_point", recipe)
                self._charges_left = self._noise.events.randrange(6, 16)
        step = _RAMP_K_S * dt_s
        self._set_point += max(-step, min(step, self.commands["set_point"] - self._set_point))

    def _control(self, zone: int, dt_s: float, faults: Faults, mains: float) -> tuple[float, float]:
        """Return duty and power (kW) of one zone from a PI controller with anti-windup."""
        error = self._set_point - self._temperatures[zone]
        wanted = self._integrals[zone] + _GAIN * error
        duty = max(0.0, min(1.0, wanted))
        if wanted == duty:
            self._integrals[zone] += _GAIN * error * dt_s / _INTEGRAL_S
        available = self._design.zone_kw * mains * mains
        switched = duty
        if zone == 1:
            available *= 1 - 0.8 * faults.heating_element_loss  # four of five elements
            # A welded contactor conducts on, whatever the controller asks for.
            floor = 0.35 + 0.45 * faults.overheating if faults.overheating > 0 else 0.0
            switched = max(duty, floor)
        return duty, switched * available

    def _heat(self, powers_kw: list[float], around: Surroundings) -> None:
        design, dt_s = self._design, around.dt_s
        before = list(self._temperatures)
        absorbed = 0.0
        for zone in range(_ZONES):
            here = before[zone]
            watts = powers_kw[zone] * 1000 - design.loss_w_k * (here - around.air)
            if self._door_s > 0:
                watts -= _DOOR_W_K[zone] * (here - around.air)
            for other in (zone - 1, zone + 1):
                if 0 <= other < _ZONES:
                    watts -= _COUPLING_W_K * (here - before[other])
            if self._charge_kj_k > 0:
                into = _CHARGE_W_K * (here - self._charge)
                watts -= into
                absorbed += into
            self._temperatures[zone] = here + watts * dt_s / (design.heat_kj_k * 1000)
        if self._charge_kj_k > 0:
            self._charge += absorbed * dt_s / (self._charge_kj_k * 1000)

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor: resistive but for the fans."""
        return self._power_kw, 0.98

    @property
    def made(self) -> float:
        """Charges taken out; each makes room for the next."""
        return self._charges_done

    @property
    def shaking(self) -> Signature | None:
        """An oven has no shaft worth an accelerometer."""
        return None


def _set_point_rule(low: float, high: float) -> WriteRule:
    """Return how the set point of all zones may be changed until the next recipe is loaded.

    Small steps, as the zones follow at 3 K/min; not while goods go in or out.
    """
    return WriteRule(
        low=low - 10,
        high=high + 5,
        max_step=10.0,
        min_interval_s=10.0,
        interlocks=(Interlock("door", "==", 0),),
        tolerance=0.5,
        verify_s=300.0,
    )

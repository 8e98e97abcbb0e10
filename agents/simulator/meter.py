"""An energy meter: the sum of the units behind it."""

import math
from collections.abc import Sequence

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog, counter, state
from agents.simulator.dynamics import Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import METER
from agents.simulator.unit import Unit
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind, Limits

_VOLTAGE = 400.0


class Meter:
    """The state of one meter; it is stepped after the units it sums."""

    kind = EquipmentKind.ENERGY_METER
    main_tag = "power"

    def __init__(self, behind: Sequence[Unit], rated_kw: float, noise: Noise) -> None:
        self.commands = Commands({})
        self._behind = behind
        self._rated_kw = rated_kw
        self._energy_kwh = float(noise.events.randrange(100_000, 900_000))
        self._mains = Wander(noise, 1.6, 200.0)
        self._load = (0.0, 1.0)

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        rated = self._rated_kw
        return [
            analog("power", "Active power", "kW", (0, rated * 2), (0, rated),
                   limits=Limits(high=rated * 1.4), decimals=2, noise=rated * 0.001,
                   responses=METER["power"]),
            analog("apparent_power", "Apparent power", "kV.A", (0, rated * 2.4), (0, rated * 1.25),
                   decimals=2, noise=rated * 0.001),
            analog("power_factor", "Power factor", "1", (0, 1), (0.2, 1), decimals=3,
                   noise=0.001),
            analog("voltage", "Voltage between phases", "V", (300, 500), (390, 410),
                   limits=Limits(low=360, high=440), noise=0.15, responses=METER["voltage"]),
            counter("energy", "Active energy", "kW.h", 2),
            state("tariff", "Tariff", {0: "night rate", 1: "day rate"}),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the meter."""
        return {"rated_voltage_v": "400", "units_behind": str(len(self._behind))}

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        del faults  # no physical fault of a meter is simulated, only those of its sensors
        active = reactive = 0.0
        for unit in self._behind:
            power, factor = unit.load
            active += power
            reactive += power * math.tan(math.acos(min(1.0, factor)))
        apparent = math.hypot(active, reactive)
        self._energy_kwh += active * around.dt_s / 3600
        self._load = (active, active / apparent if apparent > 0 else 1.0)
        return {
            "power": active,
            "apparent_power": apparent,
            "power_factor": self._load[1],
            "voltage": _VOLTAGE + self._mains.step(around.dt_s) - active / self._rated_kw,
            "energy": self._energy_kwh,
            "tariff": 1.0 if around.shift.is_peak_tariff else 0.0,
        }

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor of all units behind the meter."""
        return self._load

    @property
    def shaking(self) -> Signature | None:
        """A meter does not turn."""
        return None

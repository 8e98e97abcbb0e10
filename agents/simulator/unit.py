"""What every simulated unit offers to the plant."""

from typing import Protocol

from agents.simulator.commands import Commands
from agents.simulator.declare import Design
from agents.simulator.dynamics import Surroundings
from agents.simulator.faults import Faults
from agents.simulator.vibration import Signature
from app.core.equipment import EquipmentKind


class Unit(Protocol):
    """One machine; all values it returns are true values, before any sensor."""

    kind: EquipmentKind
    main_tag: str
    """Name of the tag that a sensor scenario spoils unless told otherwise."""
    commands: Commands
    """What it was told by its set tags."""

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        ...

    def nameplate(self) -> dict[str, str]:
        """Return the fixed figures an operator finds on the machine."""
        ...

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        ...

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        ...

    @property
    def shaking(self) -> Signature | None:
        """What shakes at the moment, None for a unit without a shaft."""
        ...


def drive_nameplate(power_kw: float, speed_rpm: float, bearing: str) -> dict[str, str]:
    """Return the figures every driven unit carries."""
    return {
        "rated_power_kw": f"{power_kw:g}",
        "rated_speed_rpm": f"{speed_rpm:g}",
        "bearing": bearing,
        "iso_20816_group": "2",
        "foundation": "rigid",
    }

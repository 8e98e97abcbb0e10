"""What is really wrong in the simulated plant, and what can be; never an input of agents."""

from datetime import datetime

import msgspec

from app.core.equipment import EquipmentKind


class Truth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The latest change of a unit's scenarios, retained on `millwright/truth/{unit path}`.

    Attributes:
        equipment: Path of the unit.
        scenario: Name of the scenario started or stopped; empty if none ever ran.
        severity: 0 to 1, as it was asked for.
        started_at: When it was started, UTC.
        active: It is running.
        tag: Path of the tag a sensor scenario spoils, else empty.
        running: Severity of every scenario now running on the unit, by name.
    """

    equipment: str
    scenario: str
    severity: float
    started_at: datetime
    active: bool
    tag: str = ""
    running: dict[str, float] = {}


class ScenarioChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario that makes sense for a unit.

    Attributes:
        name: As `start_scenario` takes it.
        title: What an operator calls it.
        effect: What happens in the plant, one sentence.
    """

    name: str
    title: str
    effect: str


class SimulatedUnit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit of the simulated plant with what it can suffer."""

    path: str
    name: str
    kind: EquipmentKind
    scenarios: tuple[ScenarioChoice, ...]


class ScenarioListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of the simulator's `list_scenarios`."""

    units: tuple[SimulatedUnit, ...]
    running: tuple[Truth, ...]


class StoppedScenarios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of the simulator's `stop_scenario`."""

    stopped: tuple[Truth, ...]

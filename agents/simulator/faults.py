"""The fault scenarios: what exists, where it makes sense, and how it grows."""

import random
from dataclasses import dataclass
from enum import StrEnum

from app.core.equipment import EquipmentKind


class Scenario(StrEnum):
    """A fault that can be started and stopped while the plant runs."""

    BEARING_OUTER_RACE = "bearing_outer_race"
    BEARING_INNER_RACE = "bearing_inner_race"
    IMBALANCE = "imbalance"
    MISALIGNMENT = "misalignment"
    CAVITATION = "cavitation"
    TOOL_WEAR = "tool_wear"
    OVERHEATING = "overheating"
    HEATING_ELEMENT_LOSS = "heating_element_loss"
    SENSOR_STUCK = "sensor_stuck"
    SENSOR_BIAS = "sensor_bias"
    SENSOR_DROPOUT = "sensor_dropout"
    NETWORK_SCAN = "network_scan"


@dataclass(frozen=True, slots=True)
class Faults:
    """How strongly each physical fault acts on one unit now, 0 to 1; 0 is healthy."""

    bearing_outer_race: float = 0.0
    bearing_inner_race: float = 0.0
    imbalance: float = 0.0
    misalignment: float = 0.0
    cavitation: float = 0.0
    tool_wear: float = 0.0
    overheating: float = 0.0
    heating_element_loss: float = 0.0
    network_scan: float = 0.0


HEALTHY = Faults()
SENSOR_SCENARIOS = frozenset({Scenario.SENSOR_STUCK, Scenario.SENSOR_BIAS, Scenario.SENSOR_DROPOUT})


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """What a scenario is called, where it applies and how fast it grows.

    Attributes:
        name: The scenario.
        title: What an operator calls it.
        effect: What happens in the plant, one sentence.
        kinds: Kinds of unit it makes sense for.
        first: Share of the severity that acts at once.
        growth_s: Seconds until all of it acts; 0 acts at once.
        has_plateaus: It grows in steps with rests, as wear does.
    """

    name: Scenario
    title: str
    effect: str
    kinds: frozenset[EquipmentKind]
    first: float = 1.0
    growth_s: float = 0.0
    has_plateaus: bool = False


_PUMP = EquipmentKind.MOTOR_PUMP
_SPINDLE = EquipmentKind.CNC_SPINDLE
_OVEN = EquipmentKind.OVEN
_ROTATING = frozenset({_PUMP, EquipmentKind.COMPRESSOR, _SPINDLE, EquipmentKind.CONVEYOR})
_ALL = _ROTATING | {
    _OVEN,
    EquipmentKind.ENERGY_METER,
    EquipmentKind.NETWORK,
    EquipmentKind.HVAC,
}

SPECS: tuple[ScenarioSpec, ...] = (
    ScenarioSpec(
        Scenario.BEARING_OUTER_RACE,
        "Bearing outer race",
        "A spall in the outer race: impulses at the ball-pass frequency, a warmer bearing",
        _ROTATING,
        first=0.35,
        growth_s=900,
        has_plateaus=True,
    ),
    ScenarioSpec(
        Scenario.BEARING_INNER_RACE,
        "Bearing inner race",
        "A spall in the inner race: impulses that come and go with the load zone",
        _ROTATING,
        first=0.35,
        growth_s=900,
        has_plateaus=True,
    ),
    ScenarioSpec(
        Scenario.IMBALANCE,
        "Imbalance",
        "Mass lost or deposited on the rotor: vibration at the speed of rotation",
        _ROTATING,
        first=0.6,
        growth_s=120,
    ),
    ScenarioSpec(
        Scenario.MISALIGNMENT,
        "Misalignment",
        "Shafts out of line: vibration at twice the speed of rotation, warmer bearings",
        _ROTATING,
        first=0.5,
        growth_s=300,
    ),
    ScenarioSpec(
        Scenario.CAVITATION,
        "Cavitation",
        "The suction strainer clogs: less pressure before the impeller, noise, less head",
        frozenset({_PUMP}),
        first=0.7,
        growth_s=120,
    ),
    ScenarioSpec(
        Scenario.TOOL_WEAR,
        "Tool wear",
        "The tool wears on and is not changed: more torque, heat and vibration",
        frozenset({_SPINDLE}),
        first=0.3,
        growth_s=1200,
        has_plateaus=True,
    ),
    ScenarioSpec(
        Scenario.OVERHEATING,
        "Overheating",
        "Cooling is blocked (in an oven: a contactor sticks): temperatures climb",
        _ROTATING | {_OVEN},
    ),
    ScenarioSpec(
        Scenario.HEATING_ELEMENT_LOSS,
        "Heating element loss",
        "Elements of zone 2 burn out: less current at the same duty, the zone falls behind",
        frozenset({_OVEN}),
    ),
    ScenarioSpec(
        Scenario.SENSOR_STUCK,
        "Sensor stuck",
        "One tag repeats its last value with good quality",
        _ALL,
    ),
    ScenarioSpec(
        Scenario.SENSOR_BIAS,
        "Sensor bias",
        "One tag reads too high by up to 15 % of its range",
        _ALL,
        first=0.3,
        growth_s=120,
    ),
    ScenarioSpec(
        Scenario.SENSOR_DROPOUT,
        "Sensor dropout",
        "Measured tags report a lost connection; from severity 0.5 on they fall silent",
        _ALL,
    ),
    ScenarioSpec(
        Scenario.NETWORK_SCAN,
        "Network scan",
        "A stranger tries addresses, ports and passwords in the control network",
        frozenset({EquipmentKind.NETWORK}),
    ),
)
SPEC_BY_NAME = {str(spec.name): spec for spec in SPECS}


def specs_for(kind: EquipmentKind) -> list[ScenarioSpec]:
    """Return the scenarios that make sense for a kind of unit."""
    return [spec for spec in SPECS if kind in spec.kinds]


def growth(spec: ScenarioSpec, age_s: float, key: str) -> float:
    """Return the share of a scenario's severity that acts `age_s` after its start, 0 to 1.

    Wear grows in eight steps of random size with rests between (random effects and plateaus);
    the same `key` always gives the same course, so that it continues after a restart.
    """
    if spec.growth_s <= 0 or age_s >= spec.growth_s:
        return 1.0
    share = max(0.0, age_s / spec.growth_s)
    if spec.has_plateaus:
        share = _stepped(share, key)
    return spec.first + (1 - spec.first) * share


def _stepped(share: float, key: str) -> float:
    draw = random.Random(key)  # noqa: S311  a model, not a secret
    increments = [max(0.0, draw.gauss(0.6, 0.6)) for _ in range(8)]
    increments[-1] += 0.1
    position = share * len(increments)
    whole = int(position)
    reached = sum(increments[:whole]) + (position - whole) * increments[whole]
    return reached / sum(increments)

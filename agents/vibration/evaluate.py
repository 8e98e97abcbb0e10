"""`millwright evaluate vibration`: the agent's own rule on waveforms of simulated plants.

Every scenario runs at every severity on every unit it can happen to, in plants of several seeds,
seasons and hours of day; and plants without any fault run for hours. Nothing here was fitted to
these plants: the thresholds of `diagnose` come from signals made of formulas and from seed 0.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec

from agents.simulator.faults import specs_for
from agents.simulator.plant import PlantModel
from agents.vibration.bearings import bearing_orders
from agents.vibration.diagnose import Condition
from agents.vibration.features import vibration_features
from agents.vibration.monitor import (
    INTERVAL_S,
    LEAST_RPM,
    STANDING_S,
    UnitState,
    pause_s,
    watch_waveform,
)
from agents.vibration.waveform import Waveform
from agents.vibration.zones import load_zones
from app.command_parser import command_parser, positive_number, whole_number
from app.core.equipment import Equipment

SEVERITIES = (0.1, 0.2, 0.4, 0.7, 1.0)
_ZONES = load_zones()
_STEP_S = 1.0
_LEARN_S, _FAULT_S = 900.0, 1500.0
_RATE_HZ = 20_480.0  # of the simulated accelerometers


@dataclass(slots=True)
class Watched:
    """One simulated plant under the agent's rule.

    Attributes:
        plant: The plant.
        units: Its rotating units.
        states: What the agent would know of each.
        raised: (unit path, condition, seconds since `mark`) of each condition raised.
        waveforms: Waveforms judged.
    """

    plant: PlantModel
    units: list[Equipment]
    states: dict[str, UnitState] = field(default_factory=dict[str, UnitState])
    raised: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])
    waveforms: int = 0

    def run(self, seconds: float) -> None:
        """Let the plant work and judge waveforms as often as the agent does."""
        due = dict.fromkeys((unit.path for unit in self.units), 0.0)
        for step in range(1, int(seconds / _STEP_S) + 1):
            self.plant.step(_STEP_S)
            now_s = step * _STEP_S
            for unit in self.units:
                if now_s < due[unit.path]:
                    continue
                due[unit.path] = now_s + self._judge(unit, now_s)

    def _judge(self, unit: Equipment, now_s: float) -> float:
        speed = self.plant.speed_rpm(unit.path)
        if speed < LEAST_RPM:
            return STANDING_S
        waveform = Waveform(self.plant.capture(unit.path), _RATE_HZ, speed)
        features = vibration_features(waveform, bearing_orders(unit.nameplate))
        old = self.states.get(unit.path, UnitState())
        new, _ = watch_waveform(old, unit, features, _ZONES.limits_of(unit))
        self.states[unit.path] = new
        self.waveforms += 1
        for name, vote in new.votes.items():
            if vote.is_active and name not in _active(old):
                self.raised.append((unit.path, name, now_s))
        return pause_s(new, INTERVAL_S)


def _active(state: UnitState) -> set[str]:
    return {name for name, vote in state.votes.items() if vote.is_active}


def watched(seed: int) -> Watched:
    """Return a plant of this seed at a random hour of a random day."""
    draw = random.Random(f"vibration:{seed}")  # noqa: S311  a model, not a secret
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(365 * 24 * 60))
    plant = PlantModel(seed, start)
    turning = [
        unit
        for unit in plant.equipment()
        if any(tag.name == "vibration_velocity" for tag in unit.tags)
    ]
    return Watched(plant, turning)


def faulty(seeds: Sequence[int], severities: Sequence[float]) -> dict[str, object]:
    """Return detections by scenario and severity, and what was raised for which scenario."""
    detected: dict[str, dict[str, str]] = {}
    confusion: dict[str, dict[str, int]] = {}
    delays: dict[str, float] = {}
    for condition in Condition:
        stated: Counter[str] = Counter()
        times: list[float] = []
        detected[condition] = {}
        for severity in severities:
            found = units = 0
            for raised, turned in _episodes(condition, seeds, severity):
                right = [seconds for name, seconds in raised if name == condition]
                stated.update({name for name, _ in raised})
                units += turned
                found += bool(right)
                times += right[:1]
            detected[condition][f"{severity:g}"] = f"{found}/{units}"
        confusion[condition] = dict(stated)
        delays[condition] = median(times) if times else -1.0
    return {"detected": detected, "stated_by_scenario": confusion, "median_delay_s": delays}


def _episodes(
    condition: Condition, seeds: Sequence[int], severity: float
) -> Iterator[tuple[list[tuple[str, float]], bool]]:
    """Yield for each unit what was raised while it had the fault, and whether it turned at all."""
    for seed in seeds:
        world = watched(seed)
        world.run(_LEARN_S)
        able = [
            unit
            for unit in world.units
            if condition.value in {str(spec.name) for spec in specs_for(unit.kind)}
        ]
        for unit in able:
            world.plant.start_scenario(unit.path, condition, severity)
        world.raised.clear()
        world.units = able
        world.run(_FAULT_S)
        for unit in able:
            raised = [(name, at) for path, name, at in world.raised if path == unit.path]
            yield raised, unit.path in world.states


def healthy(seeds: Sequence[int], hours: float) -> dict[str, object]:
    """Return what was raised in plants without any fault."""
    worlds = [watched(seed) for seed in seeds]
    for world in worlds:
        world.run(hours * 3600)
    raised = [each for world in worlds for each in world.raised]
    return {
        "plants": len(worlds),
        "hours": hours,
        "unit_days": round(sum(len(world.units) for world in worlds) * hours / 24, 2),
        "waveforms": sum(world.waveforms for world in worlds),
        "false_alarms": len(raised),
        "false": [f"{path} {name} after {at:g} s" for path, name, at in raised[:20]],
    }


def main(argv: list[str]) -> int:
    """Print detection and false alarm figures as JSON."""
    parser = command_parser(
        "millwright evaluate vibration",
        "Print as JSON what the agent's rule detects in simulated plants with and without faults.",
        "millwright evaluate vibration --seeds 2 --hours 12",
    )
    parser.add_argument("--seeds", type=whole_number(1, 100), default=3, help="plants a scenario")
    parser.add_argument(
        "--hours", type=positive_number(1000), default=12.0, help="of each healthy plant"
    )
    parser.add_argument("--json", action="store_true", help="JSON out (it always is)")
    arguments = parser.parse_args(argv)
    seeds = range(100, 100 + arguments.seeds)
    result = {
        "faulty": faulty(seeds, SEVERITIES),
        "healthy": healthy(range(200, 200 + arguments.seeds), arguments.hours),
    }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(result)).decode() + "\n")
    return 0

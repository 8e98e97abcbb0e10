"""The scenarios now running: started, stopped, grown, and told as truth."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from agents.simulator.faults import (
    HEALTHY,
    SENSOR_SCENARIOS,
    SPEC_BY_NAME,
    Faults,
    Scenario,
    ScenarioSpec,
    growth,
    specs_for,
)
from app.core.equipment import Equipment
from app.core.errors import InputError, NotFoundError
from app.core.truth import Truth


@dataclass(frozen=True, slots=True)
class SensorFault:
    """One sensor scenario at one moment.

    Attributes:
        equipment: Path of the unit.
        tag: Path of the tag it spoils; empty is every tag of the unit.
        scenario: SENSOR_STUCK, SENSOR_BIAS or SENSOR_DROPOUT.
        strength: 0 to 1.
    """

    equipment: str
    tag: str
    scenario: Scenario
    strength: float


class ScenarioBoard:
    """Keeps which scenarios run on which unit; knows no clock, every call is told the time."""

    def __init__(
        self,
        seed: int,
        equipment: Iterable[Equipment],
        main_tags: Mapping[str, str],
        echoes: Collection[str] = (),
    ) -> None:
        """Begin with nothing wrong.

        Args:
            seed: Seed of the courses of wear.
            equipment: All units.
            main_tags: Name of the tag that a sensor scenario spoils unless told otherwise, by unit.
            echoes: Paths of set tags, which have no sensor to spoil.
        """
        self._seed = seed
        self._echoes = frozenset(echoes)
        self._equipment = {unit.path: unit for unit in equipment}
        self._main_tags = main_tags
        self._running: dict[str, dict[str, Truth]] = {}

    def start(
        self, equipment: str, scenario: str, severity: float, at: datetime, tag: str = ""
    ) -> Truth:
        """Start a scenario, or give a running one another severity.

        Raises:
            InputError: Names the field that is wrong and the valid choices.
        """
        unit = self._unit(equipment)
        spec = self._spec(unit, scenario)
        if not 0 < severity <= 1:
            raise InputError(f"severity: {severity:g} is not above 0 and at most 1")
        spoiled = self._spoiled(unit, spec, tag)
        before = self._running.get(equipment, {}).get(scenario)
        truth = Truth(
            equipment=equipment,
            scenario=scenario,
            severity=float(severity),
            started_at=before.started_at if before else at,
            active=True,
            tag=spoiled,
        )
        self._running.setdefault(equipment, {})[scenario] = truth
        return self._told(truth)

    def stop(self, equipment: str, scenario: str = "") -> list[Truth]:
        """Stop one scenario, or with no name all of the unit; return what was stopped.

        Raises:
            InputError: The unit or the scenario does not exist.
            NotFoundError: It is not running.
        """
        unit = self._unit(equipment)
        if scenario:
            self._spec(unit, scenario)
        running = self._running.get(equipment, {})
        names = [scenario] if scenario else list(running)
        if not names or names[0] not in running:
            what = f'Scenario "{scenario}"' if scenario else "No scenario"
            state = "is not running" if scenario else "is running"
            raise NotFoundError(f'{what} {state} on "{equipment}"')
        stopped = [running.pop(name) for name in names]
        if not running:
            self._running.pop(equipment, None)
        return [
            self._told(
                Truth(
                    equipment=truth.equipment,
                    scenario=truth.scenario,
                    severity=truth.severity,
                    started_at=truth.started_at,
                    active=False,
                    tag=truth.tag,
                )
            )
            for truth in stopped
        ]

    def restore(self, truths: Iterable[Truth]) -> None:
        """Take running scenarios up again after a restart.

        Raises:
            InputError: One of them does not fit this plant.
        """
        for truth in truths:
            self.start(truth.equipment, truth.scenario, truth.severity, truth.started_at, truth.tag)

    def active(self) -> list[Truth]:
        """Return everything that runs, in the order of its start."""
        running = [self._told(one) for unit in self._running.values() for one in unit.values()]
        return sorted(running, key=lambda truth: (truth.started_at, truth.equipment))

    def faults(self, equipment: str, at: datetime) -> Faults:
        """Return how strongly each physical fault acts on a unit."""
        running = self._running.get(equipment)
        if not running:
            return HEALTHY
        return Faults(
            **{
                name: self._strength(truth, at)
                for name, truth in running.items()
                if name not in SENSOR_SCENARIOS
            }
        )

    def sensor_faults(self, at: datetime) -> list[SensorFault]:
        """Return the sensor scenarios that run in the whole plant."""
        return [
            SensorFault(path, truth.tag, Scenario(name), self._strength(truth, at))
            for path, running in self._running.items()
            for name, truth in running.items()
            if name in SENSOR_SCENARIOS
        ]

    def _strength(self, truth: Truth, at: datetime) -> float:
        age_s = (at - truth.started_at).total_seconds()
        key = f"{self._seed}:{truth.equipment}:{truth.scenario}:{truth.started_at.isoformat()}"
        return truth.severity * growth(SPEC_BY_NAME[truth.scenario], age_s, key)

    def _told(self, truth: Truth) -> Truth:
        running = self._running.get(truth.equipment, {})
        return Truth(
            equipment=truth.equipment,
            scenario=truth.scenario,
            severity=truth.severity,
            started_at=truth.started_at,
            active=truth.active,
            tag=truth.tag,
            running={name: one.severity for name, one in running.items()},
        )

    def _unit(self, equipment: str) -> Equipment:
        unit = self._equipment.get(equipment)
        if unit is None:
            raise InputError(
                f'equipment: "{equipment[:120]}" is no unit of the demo plant; '
                f"choose one of {', '.join(self._equipment)}"
            )
        return unit

    def _spec(self, unit: Equipment, scenario: str) -> ScenarioSpec:
        spec = SPEC_BY_NAME.get(scenario)
        if spec is None or unit.kind not in spec.kinds:
            problem = "is unknown" if spec is None else f'does not apply to "{unit.name}"'
            choices = ", ".join(one.name for one in specs_for(unit.kind))
            raise InputError(f'scenario: "{scenario[:60]}" {problem}; choose one of {choices}')
        return spec

    def _spoiled(self, unit: Equipment, spec: ScenarioSpec, tag: str) -> str:
        """Return the path of the tag a sensor scenario spoils; a bare tag name will do."""
        if spec.name not in SENSOR_SCENARIOS:
            if tag:
                raise InputError(f'tag: only sensor scenarios take one, "{spec.name}" does not')
            return ""
        if not tag:
            whole = spec.name == Scenario.SENSOR_DROPOUT
            return "" if whole else f"{unit.path}/{self._main_tags[unit.path]}"
        names = {one.name: one.path for one in unit.tags if one.path not in self._echoes}
        path = names.get(tag.rpartition("/")[2])
        if path is None or tag not in {path, path.rpartition("/")[2]}:
            raise InputError(
                f'tag: "{tag[:120]}" is no sensor of "{unit.name}"; '
                f"choose one of {', '.join(names)}"
            )
        return path

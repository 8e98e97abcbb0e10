"""Labelled process values from the simulated plant, for training and for tests; not at run time.

Every run is one plant with its own seed, season and hour of day. Units are well, get a fault of
random severity, are repaired, and so on; faults that are not this agent's (bearings, imbalance, a
stuck sensor) and changes of load, product and weather are in every run and count as normal.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from agents.maintenance.averages import Averages, average, is_judgeable
from agents.maintenance.classes import CLASSES, NORMAL
from agents.maintenance.features import rated_figures, vector
from agents.maintenance.physics import PHYSICS
from agents.simulator.faults import specs_for
from agents.simulator.plant import PlantModel
from app.core.equipment import Equipment
from app.core.errors import InputError
from app.core.reading import Quality

HIDDEN = -1  # label of rows in which the fault does not yet, or no longer, or hardly show
ROW_S = 60.0
STEP_S = 5.0
_ONSET_S = 600.0  # one slow mean
_RECOVERY_S = 2400.0  # four slow means: heat of the fault is gone
# Below these the fault is in the plant but the machine does not yet suffer.
_WORN_UM = 220.0  # the tool is changed at 200 um when all is well
_STARVED_M = 1.5  # NPSH margin at which the unit's own alarm limit stands


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows of one run, in order of time.

    Attributes:
        features: (n, f) float32.
        labels: (n,) index into CLASSES, or HIDDEN.
        units: (n,) index of the unit in the plant.
        seconds: (n,) since the start of the run.
        episodes: (n,) number of the unit's fault episode running, 0 for none, -n while it recovers.
        beyond: (n,) some tag of the unit stands beyond an alarm limit (the naive judge).
        faults: Scenario and severity by (unit, episode).
    """

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int8]
    units: npt.NDArray[np.int16]
    seconds: npt.NDArray[np.float64]
    episodes: npt.NDArray[np.int16]
    beyond: npt.NDArray[np.bool_]
    faults: dict[tuple[int, int], tuple[str, float]]


@dataclass(slots=True)
class _Unit:
    """A unit under observation and the fault it has."""

    unit: Equipment
    rated: dict[str, float]
    draw: random.Random
    means: Averages
    change_s: float
    scenario: str = ""
    severity: float = 0.0
    episode: int = 0
    since_s: float = 0.0
    last: str = ""


def simulate(seed: int, hours: float, *, healthy: bool = False, step_s: float = STEP_S) -> Rows:
    """Run one plant and return its rows, one a unit and minute."""
    draw = random.Random(f"maintenance:{seed}")  # noqa: S311  a model, not a secret
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(365 * 24 * 60))
    plant = PlantModel(seed, start)
    units = list(_observed(plant, seed, healthy=healthy))
    kept: list[tuple[npt.NDArray[np.float32], int, int, float, int, bool]] = []
    faults: dict[tuple[int, int], tuple[str, float]] = {}
    for step in range(1, int(hours * 3600 / step_s) + 1):
        now_s = step * step_s
        values = {tag: value for tag, value, quality, _ in plant.step(step_s)
                  if quality != Quality.BAD and value is not None}  # fmt: skip
        for index, one in enumerate(units):
            row = _observe(one, values, step_s)
            if row is not None and now_s % ROW_S < step_s:
                label = _label(one, plant, now_s)
                episode = one.episode if one.scenario else -one.episode
                beyond = _is_beyond(one.unit, values)
                kept.append((row, label, index, now_s, episode, beyond))
            if now_s >= one.change_s:
                _change(one, plant, now_s)
                faults[index, one.episode] = (one.last, one.severity)
    columns = list(zip(*kept, strict=True))
    return Rows(
        np.stack(columns[0]),
        np.array(columns[1], np.int8),
        np.array(columns[2], np.int16),
        np.array(columns[3]),
        np.array(columns[4], np.int16),
        np.array(columns[5], bool),
        faults,
    )


def _observed(plant: PlantModel, seed: int, *, healthy: bool) -> Iterator[_Unit]:
    for unit in plant.equipment():
        if unit.kind not in PHYSICS:
            continue
        rated = rated_figures(unit.kind, unit.nameplate)
        if rated is None:
            raise InputError(f'Simulated unit "{unit.path}" lacks rated figures')
        draw = random.Random(f"{seed}:{unit.path}")  # noqa: S311  a model, not a secret
        first_s = float("inf") if healthy else draw.uniform(1200, 5400)
        yield _Unit(unit, rated, draw, Averages(), first_s)


def _observe(one: _Unit, values: dict[str, float], dt_s: float) -> npt.NDArray[np.float32] | None:
    """Take a moment's values in; return the features once the means are warm."""
    physics = PHYSICS[one.unit.kind]
    named = {name: values.get(f"{one.unit.path}/{name}") for name in physics.tags}
    known = {name: value for name, value in named.items() if value is not None}
    if len(known) < len(named):
        return None
    # The agent may start at any moment: forget the past now and then, as a restart does.
    if one.draw.random() < dt_s / 14_400:
        one.means = Averages()
    one.means = average(one.means, physics.signals(known, one.rated), dt_s)
    if not is_judgeable(one.means):
        return None
    return vector(one.unit.kind, physics.features(one.means))


def _change(one: _Unit, plant: PlantModel, now_s: float) -> None:
    """Start a fault, or repair it."""
    if one.scenario:
        plant.stop_scenario(one.unit.path)
        one.scenario = ""
        one.change_s = now_s + one.draw.uniform(3000, 6000)
    else:
        choices = [str(spec.name) for spec in specs_for(one.unit.kind)
                   if spec.name != "sensor_dropout"]  # fmt: skip
        # Half of the episodes are this agent's own, so that rare ones are learned too.
        own = [name for name in choices if name in CLASSES]
        one.scenario = one.last = one.draw.choice(
            own if own and one.draw.random() < 0.5 else choices
        )
        one.severity = one.draw.uniform(0.2, 1.0)
        one.episode += 1
        plant.start_scenario(one.unit.path, one.scenario, one.severity)
        one.change_s = now_s + one.draw.uniform(1800, 4200)
    one.since_s = now_s


def _label(one: _Unit, plant: PlantModel, now_s: float) -> int:
    age_s = now_s - one.since_s
    if not one.scenario:
        recovering = one.episode > 0 and age_s < _RECOVERY_S
        return HIDDEN if recovering else CLASSES.index(NORMAL)
    if one.scenario not in CLASSES:
        return CLASSES.index(NORMAL)
    return CLASSES.index(one.scenario) if _shows(one, plant, age_s) else HIDDEN


def _shows(one: _Unit, plant: PlantModel, age_s: float) -> bool:
    true = plant.true_values(one.unit.path)
    match one.scenario:
        case "tool_wear":
            return true["tool_wear"] > _WORN_UM
        case "cavitation":
            return true["npsh_margin"] < _STARVED_M and age_s > 120
        case _:
            return age_s > _ONSET_S


def _is_beyond(unit: Equipment, values: dict[str, float]) -> bool:
    for tag in unit.tags:
        value, limits = values.get(tag.path), tag.limits
        if value is None:
            continue
        if limits.high is not None and value > limits.high:
            return True
        if limits.low is not None and value < limits.low:
            return True
    return False

"""The model's input vector, and reading it from raw process values."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from agents.maintenance.averages import steady
from agents.maintenance.bounds import problem
from agents.maintenance.physics import PHYSICS, Physics
from app.core.equipment import EquipmentKind
from app.core.errors import FieldsError
from app.core.model import Feature

KINDS = tuple(PHYSICS)
_UNITS = {name: unit for physics in PHYSICS.values() for name, unit in physics.names.items()}
NAMES = ("kind", *_UNITS)
_NO_NUMBER = '"{!s:.40}" is no finite number'
_POSITION = {name: index for index, name in enumerate(NAMES)}


def card_features() -> tuple[Feature, ...]:
    """Return the inputs of the model as they stand on its card."""
    return (Feature("kind", "1"), *(Feature(name, unit) for name, unit in _UNITS.items()))


def vector(kind: EquipmentKind, features: Mapping[str, float]) -> npt.NDArray[np.float32]:
    """Return the model's input, (len(NAMES),) float32; what the kind does not have stays 0."""
    row = np.zeros(len(NAMES), np.float32)
    row[0] = KINDS.index(kind) + 1
    for name, value in features.items():
        row[_POSITION[name]] = value
    return row


def applicable(kind: EquipmentKind) -> list[int]:
    """Return the positions in `vector` that a kind fills, without the kind itself."""
    return [_POSITION[name] for name in PHYSICS[kind].names]


def rated_figures(kind: EquipmentKind, nameplate: Mapping[str, str]) -> dict[str, float] | None:
    """Return the figures of a nameplate that a kind needs, None if one is missing or no number."""
    details: dict[str, str] = {}
    figures = _numbers(PHYSICS[kind].nameplate, nameplate, details)
    return None if details else figures


def needed(kind: str) -> tuple[str, ...]:
    """Return the names that `row_features` takes for a kind; only "kind" for an unknown one."""
    physics = PHYSICS[EquipmentKind(kind)] if kind in KINDS else None
    return ("kind", *physics.tags, *physics.nameplate) if physics else ("kind",)


def row_features(
    given: Mapping[str, object], nameplate: Mapping[str, str] | None = None
) -> tuple[EquipmentKind, dict[str, float]]:
    """Make features of one row of process values, taken as a steady state.

    Args:
        given: "kind", the tags of that kind by name, and the rated figures unless a nameplate
            brings them.
        nameplate: Of the unit, if it is known.

    Raises:
        FieldsError: Names each value that is missing, unknown, no finite number or impossible.
    """
    physics, kind = _physics(given)
    plate = {
        **(nameplate or {}),
        **{name: given[name] for name in physics.nameplate if name in given},
    }
    details: dict[str, str] = {}
    values = _numbers(physics.tags, given, details)
    rated = _numbers(physics.nameplate, plate, details)
    known = {"kind", "equipment", *physics.tags, *physics.nameplate}
    details |= {name: f"unknown for {kind}" for name in given if name not in known}
    if details:
        raise _wrong(details)
    return kind, physics.features(steady(physics.signals(values, rated)))


def _physics(given: Mapping[str, object]) -> tuple[Physics, EquipmentKind]:
    name = given.get("kind")
    choices = ", ".join(KINDS)
    if name is None:
        raise _wrong({"kind": f"missing; choose one of {choices}"})
    kind = next((kind for kind in KINDS if kind == name), None)
    if kind is None:
        raise _wrong({"kind": f'"{str(name)[:40]}" is unknown; choose one of {choices}'})
    return PHYSICS[kind], kind


def _numbers(
    names: tuple[str, ...], given: Mapping[str, object], details: dict[str, str]
) -> dict[str, float]:
    """Read numbers by name and note what is wrong in `details`."""
    numbers: dict[str, float] = {}
    for name in names:
        value = given.get(name)
        if value is None or value == "":
            details[name] = "missing"
            continue
        number = _number(value)
        trouble = problem(name, number) if math.isfinite(number) else _NO_NUMBER.format(value)
        if trouble:
            details[name] = trouble
        else:
            numbers[name] = number
    return numbers


def _number(value: object) -> float:
    """Return a number or a text of one as float, NaN for all else; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _wrong(details: Mapping[str, str]) -> FieldsError:
    named = ", ".join(f"{name} {problem}" for name, problem in details.items())
    return FieldsError(f"Process values are not usable: {named}", dict(details))

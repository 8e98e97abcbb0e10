"""The trained forest at run time: probabilities, thresholds and reasons."""

import json
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from agents.maintenance.classes import CLASSES, NORMAL
from agents.maintenance.features import NAMES, applicable, vector
from app.core.equipment import EquipmentKind
from app.core.errors import ModelError

COMMAND = "millwright train maintenance"
_REMEDY = f'run "{COMMAND}"'
INPUT, OUTPUT = "features", "probabilities"


class Session(Protocol):
    """The part of `onnxruntime.InferenceSession` that is used."""

    def run(
        self, output_names: Sequence[str], input_feed: Mapping[str, npt.NDArray[np.float32]]
    ) -> Sequence[npt.NDArray[np.float32]]:
        """Return the outputs asked for."""
        ...


class Tuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the training chose beside the trees; travels inside the artefact.

    Attributes:
        features: Names of the inputs in order.
        classes: Names of the outputs in order.
        thresholds: Probability at which a failure mode counts, by class.
        reference: Median of each feature of units that are well, by kind of unit.
    """

    features: tuple[str, ...]
    classes: tuple[str, ...]
    thresholds: dict[str, float]
    reference: dict[str, dict[str, float]]


def read_tuning(metadata: Mapping[str, str]) -> Tuning:
    """Read the tuning from an artefact's metadata.

    Raises:
        ModelError: It is absent, or made for other features than this program computes.
    """
    try:
        tuning = msgspec.json.decode(metadata.get("tuning", ""), type=Tuning)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ModelError(f'Model "maintenance" carries no tuning; {_REMEDY}') from error
    if tuning.features != NAMES or tuning.classes != CLASSES:
        raise ModelError(f'Model "maintenance" was made for other features; {_REMEDY}')
    return tuning


def write_tuning(tuning: Tuning) -> str:
    """Return the tuning as it stands in the artefact; the same tuning gives the same text."""
    return json.dumps(msgspec.to_builtins(tuning), sort_keys=True)


class Forest:
    """Predicts the failure mode of one unit at a time."""

    def __init__(self, session: Session, tuning: Tuning) -> None:
        self._session = session
        self.tuning = tuning

    def probabilities(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return (n, classes) probabilities of (n, features) rows, float32."""
        return self._session.run([OUTPUT], {INPUT: rows})[0]

    def predict(self, kind: EquipmentKind, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of each class."""
        row = self.probabilities(vector(kind, features)[None, :])[0]
        return {name: float(value) for name, value in zip(CLASSES, row, strict=True)}

    def contributions(
        self,
        kind: EquipmentKind,
        features: Mapping[str, float],
        mode: str,
        usual: Mapping[str, float] | None = None,
    ) -> dict[str, float]:
        """Return how much each feature adds to a mode's probability, largest first.

        One feature at a time is put back to what is usual (the unit's own, else the median of its
        kind); the fall of the probability is its contribution.
        """
        reference = {**self.tuning.reference[kind], **(usual or {})}
        rows = np.repeat(vector(kind, features)[None, :], len(applicable(kind)) + 1, axis=0)
        for row, position in enumerate(applicable(kind), start=1):
            rows[row, position] = reference[NAMES[position]]
        column = self.probabilities(rows)[:, CLASSES.index(mode)]
        falls = {
            NAMES[position]: float(column[0] - column[row])
            for row, position in enumerate(applicable(kind), start=1)
        }
        return dict(sorted(falls.items(), key=lambda item: -item[1]))


def likeliest(probabilities: Mapping[str, float]) -> str:
    """Return the failure mode of the highest probability, normal left out."""
    modes = {name: value for name, value in probabilities.items() if name != NORMAL}
    return max(modes, key=lambda name: modes[name])

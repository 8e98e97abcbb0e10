"""The trained forest at run time: probabilities, thresholds and reasons."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from agents.base.model import Model
from agents.maintenance.classes import CLASSES, MODES, modes_of
from agents.maintenance.features import NAMES, applicable, vector
from agents.maintenance.physics import PHYSICS
from app.core.equipment import EquipmentKind
from app.core.errors import FieldsError, ModelError

THRESHOLD = "threshold.{mode}"
USUAL = "usual.{kind}.{feature}"
LEAST = "least.{kind}.{feature}"
MOST = "most.{kind}.{feature}"


class Forest:
    """Predicts the failure modes of one unit at a time.

    Attributes:
        thresholds: Probability at which a failure mode counts, by mode; chosen in training.
    """

    def __init__(self, model: Model) -> None:
        """Take the thresholds, the usual figures and the trained ranges from the model's card.

        Raises:
            ModelError: The model was made for other features or classes than this program has.
        """
        card = model.card
        if tuple(each.name for each in card.features) != NAMES or card.classes != CLASSES:
            raise ModelError(
                'Model "maintenance" was made for other features', f'Run "{card.command}"'
            )
        self._model = model
        try:
            self.thresholds = {mode: card.metrics[THRESHOLD.format(mode=mode)] for mode in MODES}
            self._usual, self._least, self._most = (
                {
                    kind: {name: card.metrics[figure.format(kind=kind, feature=name)]
                           for name in physics.names}
                    for kind, physics in PHYSICS.items()
                }
                for figure in (USUAL, LEAST, MOST)
            )  # fmt: skip
        except KeyError as error:
            raise ModelError(
                f'Card of model "maintenance" lacks {error}', f'Run "{card.command}"'
            ) from error

    def check(self, kind: EquipmentKind, features: Mapping[str, float]) -> None:
        """Refuse features far from all that the model was trained on; it knows nothing there.

        Far is beyond the trained range by its width, or by half of its greatest figure if that
        is more: so a machine runs at its rated load, and not at ten times its rated speed.

        Raises:
            FieldsError: Names each such feature.
        """
        details: dict[str, str] = {}
        for name, value in features.items():
            least, most = self._least[kind][name], self._most[kind][name]
            slack = max(most - least, 0.5 * max(abs(least), abs(most)))
            if not least - slack <= value <= most + slack:
                details[name] = (
                    f"{value:.4g} is far from {least:.4g} to {most:.4g}, "
                    "outside of what the model was trained on"
                )
        if details:
            raise FieldsError(
                f"Process values of this {kind} are outside of what the model was trained on: "
                + ", ".join(details),
                details,
            )

    def predict(self, kind: EquipmentKind, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of each class."""
        return self._model.rows([vector(kind, features).tolist()])[0]

    def contributions(
        self,
        kind: EquipmentKind,
        features: Mapping[str, float],
        mode: str,
        usual: Mapping[str, float],
    ) -> dict[str, float]:
        """Return how much each feature adds to a mode's probability, largest first.

        One feature at a time is put back to what is usual (`usual` of the unit, else the median
        of its kind); the fall of the probability is its contribution.
        """
        reference = {**self._usual[kind], **usual}
        positions = applicable(kind)
        rows: npt.NDArray[np.float32]
        rows = np.repeat(vector(kind, features)[None, :], len(positions) + 1, axis=0)
        for row, position in enumerate(positions, start=1):
            rows[row, position] = reference[NAMES[position]]
        whole, *without = [each[mode] for each in self._model.rows(rows.tolist())]
        falls = {
            NAMES[position]: whole - probability
            for position, probability in zip(positions, without, strict=True)
        }
        return dict(sorted(falls.items(), key=lambda item: -item[1]))


def likeliest(kind: EquipmentKind, probabilities: Mapping[str, float]) -> str:
    """Return the failure mode of the highest probability that a kind of unit can have."""
    return max(modes_of(kind), key=lambda name: probabilities[name])

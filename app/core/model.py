"""The card that stands beside every model artefact."""

from datetime import datetime

import msgspec


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input of a model, in the order the model takes them."""

    name: str
    unit: str


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a model is, what it was trained on and how good it is (models/<name>/card.toml).

    Attributes:
        name: Folder under models/.
        version: Semantic version.
        kind: Runtime, "onnx".
        path: File name of the artefact beside the card.
        sha256: Of the artefact, hex; checked before it is loaded.
        bytes: Size of the artefact.
        features: Inputs in order.
        classes: Outputs in order.
        metrics: Figures on data the model never saw.
        licence: Of the artefact.
        trained_on: What data, how much, how it was split.
        command: The command that makes the artefact again.
        trained_at: UTC.
    """

    name: str
    version: str
    kind: str
    path: str
    sha256: str
    bytes: int
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    metrics: dict[str, float]
    licence: str
    trained_on: str
    command: str
    trained_at: datetime

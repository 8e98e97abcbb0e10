"""A model as its card describes it, run by onnxruntime on one thread."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.core.errors import FieldsError, ModelError
from app.core.model import ModelCard
from app.settings import MODELS

__all__ = ["MODELS", "Model", "load_model", "read_card"]


class Model:
    """An ONNX classifier: features in the order of its card, a probability for each class out."""

    def __init__(self, card: ModelCard, session: Any) -> None:  # noqa: ANN401  onnxruntime has no stubs
        self.card = card
        self._session = session
        self._input: str = session.get_inputs()[0].name
        self._output: str = session.get_outputs()[-1].name
        self._names = [feature.name for feature in card.features]

    def probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of each class.

        Raises:
            FieldsError: Features are missing, or the model does not know them.
        """
        wrong = {name: "missing" for name in self._names if name not in features}
        wrong |= {name: "unknown" for name in features if name not in self._names}
        if wrong:
            named = ", ".join(f"{name} is {why}" for name, why in sorted(wrong.items()))
            raise FieldsError(f'Features of model "{self.card.name}": {named}', wrong)
        return self.rows([[features[name] for name in self._names]])[0]

    def rows(self, rows: Sequence[Sequence[float]]) -> list[dict[str, float]]:
        """Return the probabilities of many rows; values in the order of the card's features."""
        import numpy as np  # noqa: PLC0415  agents without a model must not pay for it

        table = np.asarray(rows, dtype=np.float32)
        scores = self._session.run([self._output], {self._input: table})[0]
        return [
            dict(zip(self.card.classes, (float(value) for value in row), strict=True))
            for row in scores
        ]


def read_card(folder: Path) -> ModelCard:
    """Return the card in `folder`.

    Raises:
        ModelError: It is absent or not a card.
    """
    file = folder / "card.toml"
    try:
        text = file.read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), ModelCard)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f'Model "{folder.name}" has no card: {file.name} cannot be read',
            f'Run "millwright train {folder.name}"',
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ModelError(f'Card of model "{folder.name}" is wrong: {error}') from error


def load_model(folder: Path) -> Model:
    """Check the artefact in `folder` against its card and load it; blocks for some 100 ms.

    Raises:
        ModelError: Card or artefact is absent, does not match or does not load.
    """
    card = read_card(folder)
    remedy = f'Run "{card.command}"'
    artefact = folder / Path(card.path).name
    try:
        payload = artefact.read_bytes()
    except OSError as error:
        raise ModelError(
            f'Model "{card.name}" has no artefact: {artefact.name} cannot be read', remedy
        ) from error
    if hashlib.sha256(payload).hexdigest() != card.sha256.lower():
        raise ModelError(f'Model "{card.name}" does not match its card: sha256 differs', remedy)
    return Model(card, _session(card, payload, remedy))


def _session(card: ModelCard, payload: bytes, remedy: str) -> Any:  # noqa: ANN401  onnxruntime has no stubs
    import onnxruntime  # noqa: PLC0415  25 MB that agents without a model must not pay for

    runtime: Any = onnxruntime  # has no stubs
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1  # a row takes 20 µs; threads would fight with the other agents
    options.inter_op_num_threads = 1
    try:
        return runtime.InferenceSession(payload, options, ["CPUExecutionProvider"])
    except _load_errors(runtime) as error:
        raise ModelError(f'Model "{card.name}" does not load: {error}', remedy) from error


def _load_errors(runtime: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401  onnxruntime has no stubs
    """Return what a session may raise; onnxruntime's own errors have no base of theirs."""
    native = runtime.capi.onnxruntime_pybind11_state
    return (
        native.EPFail,
        native.EngineError,
        native.Fail,
        native.InvalidArgument,
        native.InvalidGraph,
        native.InvalidProtobuf,
        native.NoModel,
        native.NotImplemented,
        native.RuntimeException,
        RuntimeError,
        ValueError,
    )

"""Writes the artefact of a trained forest and its card."""

import hashlib
import importlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from agents.maintenance.classes import CLASSES
from agents.maintenance.features import card_features

VERSION = "1.0.0"
_OPSET = 17  # tree ensembles of opset 3 of ai.onnx.ml, which every onnxruntime >= 1.13 runs


def export_forest(forest: Any, width: int) -> bytes:  # noqa: ANN401  scikit-learn has no stubs
    """Return the forest as ONNX: float32 (n, width) in, probabilities float32 (n, classes) out."""
    skl2onnx: Any = importlib.import_module("skl2onnx")  # a training dependency only; no stubs
    types: Any = importlib.import_module("skl2onnx.common.data_types")
    graph = skl2onnx.to_onnx(
        forest,
        initial_types=[("features", types.FloatTensorType([None, width]))],
        options={id(forest): {"zipmap": False}},
        target_opset=_OPSET,
    )
    graph.graph.name = "maintenance"  # the default is random, and the bytes shall be the same
    payload: bytes = graph.SerializeToString(deterministic=True)
    return payload


def write_folder(
    folder: Path,
    payload: bytes,
    figures: Mapping[str, float],
    *,
    data: str,
    command: str,
    at: datetime,
) -> None:
    """Write artefact and card; each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "maintenance.onnx", payload)
    lines = [
        "# Written by the command below; edit neither this file nor the artefact by hand.",
        'name = "maintenance"',
        f'version = "{VERSION}"',
        'kind = "onnx"',
        'path = "maintenance.onnx"',
        f'sha256 = "{hashlib.sha256(payload).hexdigest()}"',
        f"bytes = {len(payload)}",
        f"classes = [{', '.join(_quoted(name) for name in CLASSES)}]",
        'licence = "Apache-2.0"',
        f"trained_on = {_quoted(data)}",
        f"command = {_quoted(command)}",
        f"trained_at = {at.isoformat(timespec='seconds')}",
        "features = [",
        *(f"    {{ name = {_quoted(each.name)}, unit = {_quoted(each.unit)} }},"
          for each in card_features()),
        "]",
        "",
        "[metrics]",
        *(f"{_quoted(name)} = {float(value)!r}" for name, value in figures.items()),
    ]  # fmt: skip
    _replace(folder / "card.toml", ("\n".join(lines) + "\n").encode())


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _replace(path: Path, payload: bytes) -> None:
    draft = path.with_suffix(path.suffix + ".new")
    draft.write_bytes(payload)
    draft.replace(path)

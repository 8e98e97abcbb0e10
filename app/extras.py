"""Optional dependencies: looked for before the work that needs them begins."""

import importlib.util
from collections.abc import Mapping

from app.core.errors import NotFoundError

TRAIN = "train"
BENCH = "bench"
PACKAGES: Mapping[str, Mapping[str, str]] = {
    TRAIN: {"sklearn": "scikit-learn", "skl2onnx": "skl2onnx", "onnx": "onnx"},
    BENCH: {"playwright": "playwright", "websockets": "websockets"},
}
"""Module to package, by the extra in pyproject.toml that brings it."""


def need_extra(extra: str, command: str) -> None:
    """Return if every module of `extra` is installed; loads none of them.

    Args:
        extra: TRAIN or BENCH.
        command: The call that needs it, from "millwright" on.

    Raises:
        NotFoundError: Names the packages and the call that installs them.
    """
    missing = [
        package
        for module, package in PACKAGES[extra].items()
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        raise NotFoundError(
            f"{', '.join(missing)} is needed and not installed",
            f"run: uv run --extra {extra} {command}",
        )

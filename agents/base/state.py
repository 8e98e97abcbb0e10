"""State of an agent by unit, kept over a restart."""

import asyncio
import logging
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

logger = logging.getLogger(__name__)
S = TypeVar("S", bound=msgspec.Struct)

_VERSION = 1


class _Checkpoint(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    stated: dict[str, int | None]
    units: dict[str, dict[str, msgspec.Raw]]


class States:
    """A msgspec struct a unit and kind of state, and what was last stated of each condition."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saving = asyncio.Lock()
        self._units: dict[str, dict[str, msgspec.Struct]] = {}
        self._unread: dict[str, dict[str, msgspec.Raw]] = {}
        self._writing = asyncio.Lock()
        self.stated: dict[str, int | None] = {}

    def get(self, unit: str, type_: type[S]) -> S:
        """Return the state of `unit`, a new one if there is none or its shape has changed."""
        states = self._units.setdefault(unit, {})
        state = states.get(type_.__name__)
        if state is None:
            state = states[type_.__name__] = self._read(unit, type_)
        return cast("S", state)  # stored under the name of its type

    def put(self, unit: str, state: msgspec.Struct) -> None:
        """Keep `state` as the state of `unit`."""
        self._units.setdefault(unit, {})[type(state).__name__] = state

    def load(self) -> None:
        """Read the checkpoint if there is one; one that cannot be read is set aside."""
        try:
            payload = self._file.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            logger.warning("Checkpoint cannot be read, beginning anew: %s", error)
            return
        try:
            checkpoint = msgspec.json.decode(payload, type=_Checkpoint)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            aside = self._file.with_suffix(".damaged")
            self._file.replace(aside)
            logger.warning("Checkpoint is set aside as %s: %s", aside.name, error)
            return
        if checkpoint.version == _VERSION:
            self.stated = checkpoint.stated
            self._unread = checkpoint.units

    async def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        async with self._saving:  # an agent may save between two checkpoints of its base
            await asyncio.to_thread(self._write, self._encoded())

    def _read(self, unit: str, type_: type[S]) -> S:
        raw = self._unread.get(unit, {}).pop(type_.__name__, None)
        if raw is None:
            return type_()
        try:
            return msgspec.json.decode(raw, type=type_)
        except msgspec.DecodeError as error:
            logger.warning("State of %s begins anew: %s", unit, error)
            return type_()

    def _encoded(self) -> bytes:
        units: dict[str, dict[str, Any]] = {unit: dict(raw) for unit, raw in self._unread.items()}
        for unit, states in self._units.items():
            units.setdefault(unit, {}).update(states)
        whole = {"version": _VERSION, "stated": self.stated, "units": units}
        return msgspec.json.encode(whole)

    def _write(self, payload: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_bytes(payload)
        draft.replace(self._file)

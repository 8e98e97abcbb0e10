"""Zones of vibration severity in the manner of ISO 20816, from an editable table."""

import math
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from app.core.equipment import Equipment
from app.core.errors import SettingsError
from app.settings import MODELS

TABLE = MODELS / "vibration" / "zones.toml"


class Zone(StrEnum):
    """Severity zone (ISO 20816-1, clause on evaluation zones)."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"


class ZoneLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Upper ends of zones A, B and C of one machine group on one foundation, mm/s RMS."""

    group: str
    foundation: str
    a: float
    b: float
    c: float

    def zone(self, velocity_rms_mm_s: float) -> Zone:
        """Return the zone of an RMS velocity; a limit itself belongs to the better zone."""
        for zone, limit in ((Zone.A, self.a), (Zone.B, self.b), (Zone.C, self.c)):
            if velocity_rms_mm_s <= limit:
                return zone
        return Zone.D


class ZoneTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All limits, and the group and foundation of a unit kind without a fuller nameplate."""

    limit: tuple[ZoneLimit, ...]
    kinds: dict[str, tuple[str, str]]

    def limits_of(self, equipment: Equipment) -> ZoneLimit | None:
        """Return the limits of a unit, None if the table has none for it."""
        group, foundation = self.kinds.get(equipment.kind, ("", ""))
        group = equipment.nameplate.get("iso_20816_group", group)
        foundation = equipment.nameplate.get("foundation", foundation)
        found = (row for row in self.limit if (row.group, row.foundation) == (group, foundation))
        return next(found, None)


def load_zones(path: Path = TABLE) -> ZoneTable:
    """Read and check the table.

    Raises:
        SettingsError: The file cannot be read, or a row is wrong; the message names it.
    """
    try:
        table = msgspec.convert(_read(path), ZoneTable)
    except msgspec.ValidationError as error:
        raise SettingsError(f'Zone table "{path.name}" is wrong: {error}') from error
    for row in table.limit:
        _check(row, path.name)
    return table


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f'Zone table "{path.name}" cannot be read: {error.strerror}; '
            "restore models/vibration/zones.toml"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f'Zone table "{path.name}" is not valid TOML: {error}') from error


def _check(row: ZoneLimit, file: str) -> None:
    if not (math.isfinite(row.c) and 0 < row.a < row.b < row.c):
        raise SettingsError(
            f'Zone table "{file}", {row.group}/{row.foundation}: limits must grow, 0 < a < b < c'
        )

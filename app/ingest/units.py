"""Units written behind a field's name, as in "Torque [Nm]", and how units are declared."""

import re
from collections.abc import Mapping

from app.core.equipment import Equipment, Tag

_BRACKETS = re.compile(r"[\[(]([^\[\]()]+)[\])]\s*$")
_DECIMALS = 2
# The rate of a seed's publisher is unknown; a row a minute is the slowest they send.
_STALE_AFTER_S = 60.0
# Common ways to write a unit, as UCUM codes (ucum.org, tables 2-4).
_UCUM = {
    "k": "K",
    "°c": "Cel",
    "c": "Cel",
    "degc": "Cel",
    "°f": "[degF]",
    "rpm": "{rev}/min",
    "1/min": "/min",
    "nm": "N.m",
    "min": "min",
    "s": "s",
    "h": "h",
    "%": "%",
    "bar": "bar",
    "kpa": "kPa",
    "pa": "Pa",
    "mm/s": "mm/s",
    "g": "[g]",
    "hz": "Hz",
    "v": "V",
    "a": "A",
    "w": "W",
    "kw": "kW",
    "kwh": "kW.h",
    "kvarh": "kV.A.h",
    "tco2": "t",
    "ms": "ms",
    "l/min": "L/min",
}


def unit_of(name: str) -> str:
    """Return the UCUM code of the unit in brackets behind a field's name; "1" if there is none."""
    found = _BRACKETS.search(name)
    return _UCUM.get(found[1].strip().lower(), "1") if found else "1"


class Declarations:
    """Units made by ingest: each new tag makes its unit's declaration anew."""

    def __init__(self) -> None:
        self._tags: dict[str, dict[str, Tag]] = {}

    def add(self, names: Mapping[str, str], units: Mapping[str, str]) -> list[Equipment]:
        """Return the units that changed.

        Args:
            names: Tag path to the key of its value in the message.
            units: Tag name to UCUM unit, from the settings.
        """
        changed: dict[str, None] = {}
        for path, key in names.items():
            unit_path, _, name = path.rpartition("/")
            tags = self._tags.setdefault(unit_path, {})
            if path not in tags:
                tags[path] = Tag(
                    path=path,
                    description=key,
                    unit=units.get(name) or unit_of(key),
                    low=0.0,
                    high=0.0,
                    decimals=_DECIMALS,
                    stale_after_s=_STALE_AFTER_S,
                )
                changed[unit_path] = None
        return [
            Equipment(
                path=path, name=path.rpartition("/")[2], tags=tuple(self._tags[path].values())
            )
            for path in changed
        ]

    def forget(self, path: str) -> None:
        """Forget a unit, so that it is declared again should it send again."""
        self._tags.pop(path, None)

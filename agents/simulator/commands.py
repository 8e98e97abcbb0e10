"""What a unit has been told by its set tags, and which values they take."""

import math
from collections.abc import Mapping

from app.core.command_check import bounds
from app.core.equipment import Tag
from app.core.errors import InputError
from app.core.units import unit_words


class Commands:
    """The set tags of one unit, as its controller holds them.

    A unit that was told nothing follows its automatic control: every set tag has its usual value.
    """

    __slots__ = ("_given", "_usual")

    def __init__(self, usual: Mapping[str, float]) -> None:
        self._usual = dict(usual)
        self._given: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        """Return the value a set tag holds."""
        return self._given.get(name, self._usual[name])

    @property
    def is_on(self) -> bool:
        """The unit may run."""
        return self["run_command"] > 0

    @property
    def given(self) -> dict[str, float]:
        """What differs from the usual values, by name."""
        return dict(self._given)

    def give(self, name: str, value: float) -> None:
        """Tell a set tag its value; the caller has checked both."""
        self._given[name] = value
        if value == self._usual[name]:
            del self._given[name]

    def change_usual(self, name: str, value: float) -> None:
        """Load another usual value, as a recipe does; what was given before is over."""
        self._usual[name] = value
        self._given.pop(name, None)

    def values(self) -> dict[str, float]:
        """Return the value of every set tag by name."""
        return self._usual | self._given


def check_value(tag: Tag, value: float) -> None:
    """Check what a set tag is told.

    Raises:
        InputError: Names the field and what is allowed.
    """
    if tag.write is None:
        raise InputError(f'tag: "{tag.path}" is measured and cannot be written')
    low, high = bounds(tag, tag.write) or (math.inf, -math.inf)
    if not (math.isfinite(value) and low <= value <= high):
        unit = f" {unit_words(tag.unit)}".rstrip()
        raise InputError(f"value: {value:g} is not between {low:g} and {high:g}{unit}")
    if tag.states and value not in tag.states:
        words = ", ".join(f"{number} ({word})" for number, word in tag.states.items())
        raise InputError(f"value: {value:g} is not allowed; choose one of {words}")

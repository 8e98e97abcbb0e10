"""What a command step has set, and whether an undo gives back what was before; pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.core.command_check import is_near


class Change(msgspec.Struct, frozen=True):
    """A change of a tag by a command.

    Attributes:
        tag: Path of the tag.
        value: What it was set to, in the tag's unit.
        before: What it showed when that was sent; None if nobody knows.
        after: What the plant showed when the command was verified; None if it was not.
    """

    tag: str
    value: float
    before: float | None = None
    after: float | None = None

    def is_shown(self, shown: object) -> bool:
        """Tell whether a tag that shows `shown` is as the change left it, or as it was before.

        A controller may round what it is told; then the tag shows what it showed at the end.
        """
        if not isinstance(shown, int | float):
            return False
        known = (self.value, self.after, self.before)
        return any(each is not None and is_near(each, shown, 0.0) for each in known)


def change_of(output: object) -> Change | None:
    """Return what a command did from what its step gave, None if nothing is known of it."""
    try:
        return msgspec.convert(output, Change)
    except msgspec.ValidationError:
        return None


def gives_back(fields: Mapping[str, Any], change: Change) -> bool:
    """Tell whether a command sets a tag to what it was before a change."""
    if change.before is None or fields.get("tag") != change.tag:
        return False
    try:
        return float(str(fields.get("value"))) == change.before
    except ValueError:
        return False

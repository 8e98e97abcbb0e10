"""Which days the historian holds: a small JSON file, replaced whole at each change."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import msgspec

from app.core.errors import StoreError


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One day table.

    Attributes:
        last_write: When readings were last put into it, UTC; retention counts from here.
        rows: Readings in it, repeats of interrupted rolls counted.
        parts: How often readings were put into it since it was last tidied.
        tags: Tags of the last write.
        tidied_at: When it was tidied, while the files of before are still there.
    """

    last_write: datetime
    rows: int = 0
    parts: int = 0
    tags: int = 0
    tidied_at: datetime | None = None


@dataclass(slots=True)
class Catalogue:
    """The days by date, kept in one file."""

    path: Path
    days: dict[date, Day]

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read the file; an absent or damaged one gives no days, which `complete` makes good."""
        try:
            days = msgspec.json.decode(path.read_bytes(), type=dict[date, Day])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            days = {}
        return cls(path, days)

    def complete(self, present: Iterable[date], now: datetime) -> None:
        """Make the days those that have a table; an unknown one counts as written now."""
        self.days = {day: self.days.get(day) or Day(now, parts=2) for day in sorted(present)}
        self.save()

    def put(self, day: date, entry: Day) -> None:
        """Set one day and save."""
        self.days = {**self.days, day: entry}
        self.save()

    def remove(self, day: date) -> None:
        """Forget one day and save."""
        self.days = {kept: entry for kept, entry in self.days.items() if kept != day}
        self.save()

    def save(self) -> None:
        """Write the file under a temporary name and put it in place.

        Raises:
            StoreError: The disk refuses.
        """
        temporary = self.path.with_suffix(".tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.json.encode(self.days))
            os.replace(temporary, self.path)  # noqa: PTH105  STYLE names os.replace
        except OSError as error:
            raise StoreError(
                f'Catalogue "{self.path}" cannot be written: {error.strerror}'
            ) from error

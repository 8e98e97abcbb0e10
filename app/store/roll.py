"""Moves readings out of the write-ahead tables into day tables, one bounded step at a time."""

from datetime import date, datetime

from app.store.chunks import DayTables, by_day, telling
from app.store.hot import HotLog, Unrolled
from app.store.series import Columns, join


class Roll:
    """One roll of sealed rows; run by the writing thread between two batches.

    A crash at any point loses nothing and doubles nothing that a read shows: the write-ahead
    tables go only after the last day is written, and until then hold the same readings again.
    """

    def __init__(self, unrolled: Unrolled) -> None:
        self.unrolled = unrolled
        self._days: dict[date, dict[str, Columns]] | None = None

    def step(self, tables: DayTables, log: HotLog, now: datetime) -> bool:
        """Write one day, or drop the write-ahead tables after the last; True when done.

        Raises:
            StoreError: The disk refuses; the step can be called again.
        """
        if self._days is None:
            tags = self.unrolled.tags()
            self._days = by_day({tag: join([self.unrolled.columns(tag)]) for tag in tags})
        if self._days:
            day = next(iter(self._days))
            with telling(f"History of {day} cannot be rolled"):
                tables.put(day, self._days[day], now)
            del self._days[day]
            return False
        log.drop(self.unrolled)
        return True

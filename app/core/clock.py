"""The clock every service is given, so that tests and simulations own time."""

from datetime import datetime, tzinfo
from typing import Annotated, Protocol

import msgspec

# A time in a message; one without a zone is refused, for it cannot be compared with ours.
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


def in_zone(at: datetime, zone: tzinfo) -> datetime:
    """Return a moment by the clock of a zone.

    At either end of the calendar, which a message may name, there is none: it stays as it is.
    """
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


class Clock(Protocol):
    """Tells the time and waits; the only way to do either."""

    def now(self) -> datetime:
        """Return the present time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back, for intervals and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock's time."""
        ...

"""What orders and notifications are shown with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class UpkeepSight:
    """What orders and notifications are shown with.

    Attributes:
        name_of: The name of a unit by its path, empty for none.
        zone: The plant's time zone.
        now: UTC.
    """

    name_of: Callable[[str], str]
    zone: str
    now: datetime

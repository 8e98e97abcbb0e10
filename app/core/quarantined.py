"""A damaged part of a store that was moved aside, and how its folder tells of it."""

from datetime import datetime

import msgspec

MARK = ".quarantined-"
"""Between the store's name and a number or time in the name of the folder."""
REASON_FILE = "reason.txt"
"""In the folder: why, a line for each part that was moved there."""


class Quarantined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder of what was moved aside. The app never deletes it; a person may.

    Attributes:
        name: The store it comes from ("alarms.sqlite", "lancedb", "broker").
        path: The folder.
        size_bytes: On disk.
        at: When the last part was moved there, UTC.
        reason: Why; empty if it could not be noted.
    """

    name: str
    path: str
    size_bytes: int
    at: datetime
    reason: str

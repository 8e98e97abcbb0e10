"""A time zone for plants of tests that count their runs: no change of shift comes near."""

from datetime import UTC, datetime

_HOUR = 8
"""Two hours after a change of shift (06:00), and six before the next."""


def quiet_zone(now: datetime | None = None) -> str:
    """Return the zone in which it is after 08:00 now: no shift ends during a test."""
    offset = _HOUR - (now or datetime.now(UTC)).hour
    if offset < -12:  # beyond the date line
        offset += 24
    return f"Etc/GMT{-offset:+d}"  # the sign is that of POSIX: behind Greenwich is +

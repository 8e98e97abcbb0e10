"""Times and ranges in query strings."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.core.errors import InputError

_DEFAULT_SPAN = timedelta(hours=1)
# Room on both sides for another zone, and for what is reckoned from a range's ends.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """A range of time, UTC, start before end."""

    start: datetime
    end: datetime


def span(start: str, end: str, now: datetime) -> Span:
    """Return the range two parameters name; without `end` until now, without `start` one hour.

    Raises:
        InputError: A time is malformed or has no zone, or the range is empty.
    """
    until = instant("end", end) if end else now
    since = instant("start", start) if start else until - _DEFAULT_SPAN
    if since >= until:
        raise InputError(f"start: {since:%Y-%m-%dT%H:%M:%SZ} is not before the end of the range")
    return Span(since, until)


def instant(name: str, text: str) -> datetime:
    """Return the time that a parameter names, UTC.

    Raises:
        InputError: It is malformed, has no zone, or lies outside of what can be reckoned with.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f'{name}: "{text[:40]}" is no time', hint="Write UTC as 2026-11-21T14:02:11Z"
        ) from error
    if at.tzinfo is None:
        raise InputError(f'{name}: "{text[:40]}" has no zone', hint="End it with Z for UTC")
    if not _EARLIEST <= at <= _LATEST:
        raise InputError(f'{name}: "{text[:40]}" is not between the years 1970 and 9998')
    return at.astimezone(UTC)

"""Moments in a form: typed in plant time, kept in UTC."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.core.errors import InputError


def local_words(moment: str, zone: str) -> str:
    """Return a moment (ISO 8601) as a field of kind `datetime-local` takes it; "" if it is none."""
    try:
        at = datetime.fromisoformat(moment)
        at = at.astimezone(ZoneInfo(zone)) if at.tzinfo else at
    except (ValueError, OverflowError):
        return ""
    return at.replace(tzinfo=None).isoformat(timespec="minutes" if not at.second else "seconds")


def utc_words(typed: str, zone: str) -> str:
    """Return what was typed in plant time as a moment in UTC (ISO 8601).

    Of an hour that the change of clocks brings twice it is the first.

    Raises:
        InputError: It is no time, or one that the change of clocks leaves out.
    """
    try:
        at = datetime.fromisoformat(typed)
        there = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
        moment = there.astimezone(UTC)
        is_there = (
            at.tzinfo is not None or moment.astimezone(there.tzinfo).replace(tzinfo=None) == at
        )
    except (ValueError, OverflowError) as error:
        raise InputError("is no time") from error
    if not is_there:
        raise InputError("is left out when the clocks change; give an hour later")
    return moment.replace(tzinfo=None).isoformat() + "Z"

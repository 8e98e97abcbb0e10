"""Reads the source time of a message in the forms that publishers send."""

import contextlib
import re
from datetime import UTC, datetime, timedelta, tzinfo

from app.core.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds since 1970 of a year below 5138 are below 1e11; milliseconds above 1973 are not.
_SCALES = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
# Forms beside ISO 8601 that CSV files of the field carry; the day-first one as in the UCI files.
_CLOCK = r"(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
_DAY_FIRST = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})" + _CLOCK)
_YEAR_FIRST = re.compile(r"(\d{4})([/.])(\d{1,2})\2(\d{1,2})" + _CLOCK)


def source_time(raw: object, zone: tzinfo, received: datetime) -> datetime:
    """Return the UTC time of ISO text, dd/mm/yyyy or yyyy/mm/dd, or s, ms, µs, ns since 1970.

    Text without a zone is in `zone`. Of an hour that occurs twice (end of summer time) the
    first is meant; one that does not occur is shifted by the change.

    Raises:
        InputError: It cannot be read, is before 1990, or more than a day after `received`.
    """
    at = parse_time(raw, zone)
    if at is None:
        raise InputError(f'"{str(raw)[:60]}" is no time; send ISO 8601, or seconds since 1970')
    if at < _EARLIEST:
        raise InputError(f'"{str(raw)[:60]}" is before 1990; check the unit of the time')
    if at > received + _AHEAD:
        raise InputError(f'"{str(raw)[:60]}" is in the future; check clock and unit of the time')
    return at


def parse_time(raw: object, zone: tzinfo) -> datetime | None:
    """Return the UTC time, or None if `raw` is none."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _since_epoch(raw)
    if not isinstance(raw, str):
        return None
    text = raw.strip()
    if _NUMBER.fullmatch(text):
        return _since_epoch(float(text))
    at = _written(text)
    try:
        return at and (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None


def _since_epoch(number: float) -> datetime | None:
    for limit, scale in _SCALES:
        if abs(number) < limit:
            with contextlib.suppress(OverflowError):  # before the year 1
                return _EPOCH + timedelta(microseconds=round(number * 1e6 / scale))
    return None


def _written(text: str) -> datetime | None:
    if found := _DAY_FIRST.fullmatch(text):
        day, _, month, year, *clock = found.groups()
    elif found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *clock = found.groups()
    else:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
        return None
    hour, minute, second, fraction = (part or "0" for part in clock)
    micros = int(fraction.ljust(6, "0"))
    with contextlib.suppress(ValueError):
        return datetime(  # noqa: DTZ001  the caller sets the zone
            int(year), int(month), int(day), int(hour), int(minute), int(second), micros
        )
    return None

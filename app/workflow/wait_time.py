"""How long a step may take, and when one that waits is over: by time or by a condition."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import InputError
from app.core.expression import bare, evaluate
from app.workflow.context import PlantSilentError
from app.workflow.field_values import as_number


def wait_s(fields: Mapping[str, Any], now: datetime, timeout_s: float) -> float:
    """Return how long a wait step lasts at most, s.

    Raises:
        InputError: `seconds` is no number between 0 and `timeout_s`.
    """
    if "seconds" not in fields:
        moment = _moment(str(fields.get("until", "")))
        return timeout_s if moment is None else max(0.0, (moment - now).total_seconds())
    seconds = as_number("seconds", fields["seconds"])
    if not 0 <= seconds <= timeout_s:
        raise InputError(f"seconds: {seconds:g} is not between 0 and {timeout_s:g}")
    return seconds


def deadline_after(now: datetime, seconds: float) -> datetime:
    """Return the moment `seconds` after `now`, at most ten years ahead."""
    return now + timedelta(seconds=min(seconds, 10 * 366 * 86_400.0))


def has_come(
    until: str,
    now: datetime,
    names: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
) -> bool:
    """Tell whether the time or the condition `until` has come; not while the plant is silent.

    Raises:
        InputError: It cannot be computed, or gives neither a condition nor a time.
    """
    moment = _moment(until)
    if moment is not None:
        return now >= moment
    try:
        found = evaluate(bare(until), names, functions)
    except PlantSilentError:  # it is looked at again in a second
        return False
    if not isinstance(found, str):
        return bool(found)
    moment = _moment(found)
    if moment is None:
        raise InputError(f'until: gives "{found[:80]}", which is neither a condition nor a time')
    return now >= moment


def time_words(fields: Mapping[str, Any], deadline: datetime, title: str) -> str:
    """Return what a wait step waits for: by its title, if it waits for more than a time."""
    until = str(fields.get("until", ""))
    at = f"{deadline:%H:%M:%S} UTC"
    return f"{title or until}, at most until {at}" if until else f"the time: {at}"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None

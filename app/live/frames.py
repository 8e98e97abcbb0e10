"""What goes over the wire to browsers, as pure functions of values.

A frame is JSON text with short keys, because 200 tags a second must stay below 3 kB.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.core.alarm import Alarm, AlarmSummary, Priority
from app.core.equipment import Tag, TagKind, unit_of
from app.core.reading import Quality, Reading, Reason

AGE_SHOWN_S = 1.5
"""A good value younger than this carries no age: the browser counts from the frame's arrival."""

UNKNOWN_TAG = 'null,"b",0,"unknown_tag"'
ROWS_LIMIT = 200  # alarms in one message; a list of more than a screen reads over HTTP
_NO_VALUE = f'null,"b",0,"{Reason.NO_VALUE.value}"'
_PLAIN_LIMIT = 1e15  # above it fixed-point notation is longer than the shortest exact one
_QUALITY = {Quality.GOOD: "g", Quality.UNCERTAIN: "u", Quality.BAD: "b"}

_encoder = msgspec.json.Encoder()


class Pacer:
    """Decides when changes are flushed: at once after quiet, then at a bounded mean rate.

    A token bucket: `burst` frames may follow each other closely (several sources that publish at
    different moments of a second each get their frame), the mean stays at one per `interval_s`.
    With 4 the demo plant's 3.5 frames a second emptied the bucket now and then: p95 from source to
    screen 212 ms against 40 ms in between (`millwright bench live`); hence 8.
    """

    def __init__(self, gather_s: float, interval_s: float, burst: int = 8) -> None:
        self._gather_s = gather_s
        self._interval_s = interval_s
        self._burst = burst
        self._full_at = -math.inf

    def due(self, first_change_s: float) -> float:
        """Return when a frame whose first change came at `first_change_s` is to be sent."""
        earliest = self._full_at - (self._burst - 1) * self._interval_s
        return max(first_change_s + self._gather_s, earliest)

    def flushed(self, now_s: float) -> None:
        """Note that a frame was sent."""
        self._full_at = max(self._full_at, now_s) + self._interval_s


def number(value: float | None, decimals: int) -> str:
    """Return JSON of a value, rounded to one digit more than the screen shows."""
    if value is None or not math.isfinite(value):
        return "null"
    if abs(value) >= _PLAIN_LIMIT:
        return repr(value)
    text = f"{value:.{decimals + 1}f}".rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def fragment(reading: Reading | None, tag: Tag, now: datetime) -> str:
    """Return the part of a frame that tells one value, without its index: `12.3` or `12.3,"u",9`.

    Quality, age in seconds and reason follow only where they say something.
    """
    if reading is None:
        return _NO_VALUE
    decimals = tag.decimals if tag.kind is TagKind.ANALOG else 0
    value = number(reading.value, decimals)
    age_s = max(0.0, (now - min(reading.source_time, reading.received_time)).total_seconds())
    if reading.quality is Quality.GOOD and value != "null":
        return value if age_s < AGE_SHOWN_S else f'{value},"g",{age_s:.0f}'
    return f'{value},"{_QUALITY[reading.quality]}",{age_s:.0f},"{reading.reason.value}"'


def frame(time_ms: int, values: Iterable[tuple[int, str]]) -> str:
    """Join values, each an index into the view and a fragment, to one frame."""
    body = ",".join([f"[{index},{text}]" for index, text in values])
    return f'{{"k":"f","t":{time_ms},"v":[{body}]}}'


def heartbeat(time_ms: int) -> str:
    """Return the frame that only says that the server lives."""
    return f'{{"k":"h","t":{time_ms}}}'


def hello(time_ms: int, boot: str, tags: Sequence[tuple[str, Tag | None]]) -> str:
    """Return the description of a view: its tags in the order of their indices.

    `boot` differs after a restart of the server; a tag nobody has spoken of is `missing`.
    """
    described = [_describe(path, tag) for path, tag in tags]
    return message("hello", time_ms, {"boot": boot, "tags": described})


def _describe(path: str, tag: Tag | None) -> dict[str, Any]:
    if tag is None:
        return {"path": path, "missing": True}
    told: dict[str, Any] = {
        "path": path,
        "unit": tag.unit,
        "kind": tag.kind,
        "decimals": tag.decimals,
        "low": tag.low,
        "high": tag.high,
        "normal_low": tag.normal_low,
        "normal_high": tag.normal_high,
        "limits": tag.limits,
        "states": {str(key): word for key, word in tag.states.items()},
        "description": tag.description,
        "stale_after_s": tag.stale_after_s,
    }
    return {key: value for key, value in told.items() if value not in (None, "", {})}


def alarms(
    time_ms: int,
    summary: AlarmSummary,
    rows: Sequence[Alarm],
    unit_name: Callable[[str], str],
    *,
    is_all: bool = False,
) -> str:
    """Return the alarm message: counts by priority, the worst unacknowledged, and rows.

    With `is_all` the rows are all alarms that are not normal and replace what the browser has,
    but for `more` that did not fit; without it they are those that changed. `units` names the
    units they speak of by path, as `unit_name` calls them.
    """
    shown = rows[:ROWS_LIMIT]
    told = (*shown, summary.worst) if summary.worst else shown
    paths = {unit_of(alarm.finding.equipment) for alarm in told}
    return message(
        "a",
        time_ms,
        {
            "counts": summary.counts,
            "unack": summary.unacknowledged,
            "flood": summary.flood,
            "worst": summary.worst and _worst(summary.worst),
            "units": {path: name for path in sorted(paths) if (name := unit_name(path))},
            "rows": shown,
            "reset": is_all,
            "more": len(rows) - len(shown),
        },
    )


def _worst(alarm: Alarm) -> dict[str, object]:
    return {
        "id": alarm.id,
        "priority": alarm.finding.priority or Priority.LOW,
        "equipment": alarm.finding.equipment,
        "message": alarm.finding.message,
        "raised_at": alarm.raised_at,
        "state": alarm.state,
    }


def message(kind: str, time_ms: int, fields: Mapping[str, object]) -> str:
    """Return any other message."""
    return _encoder.encode({"k": kind, "t": time_ms, **fields}).decode()


def thin(
    times_us: NDArray[np.int64], values: NDArray[np.float64], points: int
) -> tuple[list[int], list[float | None]]:
    """Reduce a series to about `points` (ms, value), keeping each bucket's lowest and highest.

    Args:
        times_us: Microseconds since 1970, ascending, shape (n,).
        values: NaN where there is no good value, shape (n,).
        points: At least 2.

    Returns:
        Times in ms and values, None for a gap; both in order of time.
    """
    count = len(times_us)
    if count > points:
        width = -(-count // max(1, points // 2))
        padded = np.full(-(-count // width) * width, np.nan)
        padded[:count] = values
        grid = padded.reshape(-1, width)
        first = np.arange(len(grid)) * width
        lowest = first + np.argmin(np.where(np.isnan(grid), np.inf, grid), axis=1)
        highest = first + np.argmax(np.where(np.isnan(grid), -np.inf, grid), axis=1)
        keep = np.unique(np.concatenate([lowest, highest]))
        times_us, values = times_us[keep], values[keep]
    told = [None if math.isnan(value) else float(f"{value:.6g}") for value in values.tolist()]
    return (times_us // 1000).tolist(), told

"""Readings for the historian's tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.core.reading import Quality, Reading

START = datetime(2026, 1, 1, tzinfo=UTC)
TAG = "site/area/line/unit/tag"
ALWAYS = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


def reading(second: float, value: float | None = 1.0, tag: str = TAG) -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(tag, value, Quality.GOOD, at, at)


def readings(count: int, every_s: float = 1.0, tags: Sequence[str] = (TAG,)) -> list[Reading]:
    return [reading(row * every_s, float(row), tag) for row in range(count) for tag in tags]

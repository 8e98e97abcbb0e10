"""What a schedule tells the run it starts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.core.trigger_rules import schedule_event
from app.core.workflow import Trigger, TriggerKind

ZONE = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("shift", "at", "start", "end"),
    [
        ("end", "2026-01-15T13:00:00+00:00", "2026-01-15T05:00:00+00:00", None),
        ("start", "2026-01-15T13:00:00+00:00", None, "2026-01-15T21:00:00+00:00"),
        # the night in which the clocks go forward is an hour shorter
        ("end", "2026-03-29T04:00:00+00:00", "2026-03-28T21:00:00+00:00", None),
        ("start", "2026-10-24T20:00:00+00:00", None, "2026-10-25T05:00:00+00:00"),
    ],
)
def test_a_change_of_shift_tells_which_shift(
    shift: str, at: str, start: str | None, end: str | None
):
    trigger = Trigger(on=TriggerKind.SCHEDULE, shift=shift)

    assert schedule_event(trigger, datetime.fromisoformat(at).astimezone(UTC), ZONE) == {
        "at": at,
        "start": start or at,
        "end": end or at,
    }


def test_a_cron_line_tells_its_time_only():
    trigger = Trigger(on=TriggerKind.SCHEDULE, cron="0 7 * * *")

    assert set(schedule_event(trigger, datetime(2026, 1, 1, 6, tzinfo=UTC), ZONE)) == {"at"}

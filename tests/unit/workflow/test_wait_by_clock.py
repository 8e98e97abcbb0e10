"""A wait of so many seconds while the clock is set, and what people read of what is waited for."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.core.workflow import ActionKind, Step, Workflow
from app.workflow.wait_time import time_words
from tests.processes import eventually
from tests.unit.workflow.approval_room import Room, life

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NEVER = "${1 > 2}"


class SetClock(SystemClock):
    """Somebody sets it, as a time server does; what counts seconds goes on as it did."""

    off_by = timedelta()

    def now(self) -> datetime:
        """Return the time that it shows."""
        return super().now() + self.off_by


async def waits(room: Room, run_id: str) -> None:
    def is_waiting() -> bool:
        runner = room.engine.live(run_id)
        return bool(runner and any(each.waiting_for for each in runner.steps))

    await eventually(is_waiting)


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("fields", [{"seconds": 1.5}, {"seconds": 1.5, "until": NEVER}])
async def test_a_wait_of_seconds_lasts_as_long_whatever_the_clock_is_set_to(
    tmp_path: Path, hours: int, fields: dict[str, object]
) -> None:
    clock = SetClock()
    async with life(tmp_path, clock) as room:
        began_s = time.monotonic()
        run_id = await room.begin(
            Workflow("demo", (Step("pause", ActionKind.WAIT, with_=fields, timeout_s=60),))
        )
        await waits(room, run_id)
        clock.off_by = timedelta(hours=hours)
        await room.ended(run_id)
        took_s = time.monotonic() - began_s

    assert 1.5 <= took_s < 30


async def test_a_wait_until_a_time_ends_when_the_clock_shows_it(tmp_path: Path) -> None:
    clock = SetClock()
    until = (clock.now() + timedelta(hours=1)).isoformat()
    step = Step("pause", ActionKind.WAIT, with_={"until": until}, timeout_s=7200)
    async with life(tmp_path, clock) as room:
        run_id = await room.begin(Workflow("demo", (step,)))
        await waits(room, run_id)
        clock.off_by = timedelta(hours=1)
        run = await room.ended(run_id)

    assert run.steps[0].output["reached"] is True


@pytest.mark.parametrize(
    ("fields", "title", "words"),
    [
        ({"seconds": 5}, "Let it settle", "the time: 12:00:00 UTC"),
        ({"until": "tag(x) < 3"}, "Cool down", "Cool down, at most until 12:00:00 UTC"),
        ({"until": "tag(x) < 3"}, "", "tag(x) < 3, at most until 12:00:00 UTC"),
    ],
)
def test_people_read_the_title_of_what_is_waited_for_and_no_expression(
    fields: dict[str, object], title: str, words: str
) -> None:
    assert time_words(fields, NOON, title) == words

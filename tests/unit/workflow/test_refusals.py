"""Events that started no run are told, and never more of them than a person reads."""

from datetime import UTC, datetime

import pytest

from app.clock import ManualClock
from app.workflow.refusals import KEPT, SHOWN_FOR, Refusals

NOW = datetime(2026, 6, 1, 11, 58, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


async def test_the_same_reason_is_told_once_with_the_latest_time(clock: ManualClock):
    refusals = Refusals(clock)
    refusals.note("demo", "it runs already")
    refusals.note("demo", "the payload does not fit")
    await clock.advance(60)
    refusals.note("demo", "it runs already")

    first, second = refusals.of("demo")
    assert (first.why, first.count, first.at) == ("it runs already", 2, clock.now())
    assert (second.why, second.count, second.at) == ("the payload does not fit", 1, NOW)


async def test_of_many_reasons_the_latest_are_kept(clock: ManualClock):
    refusals = Refusals(clock)
    for number in range(1000):
        refusals.note("demo", f"payload {number} does not fit")

    told = refusals.of("demo")
    assert len(told) == KEPT
    assert told[0].why == "payload 999 does not fit"


async def test_a_flood_of_one_workflow_hides_nothing_of_another(clock: ManualClock):
    refusals = Refusals(clock)
    refusals.note("quiet", "it runs already")
    for number in range(1000):
        refusals.note("loud", f"payload {number} does not fit")

    assert [each.why for each in refusals.of("quiet")] == ["it runs already"]


async def test_what_is_older_than_a_day_is_told_no_more(clock: ManualClock):
    refusals = Refusals(clock)
    refusals.note("demo", "it runs already")
    await clock.advance(SHOWN_FOR.total_seconds())
    assert refusals.of("demo")
    await clock.advance(1)

    assert refusals.of("demo") == ()


async def test_a_workflow_that_is_gone_is_forgotten(clock: ManualClock):
    refusals = Refusals(clock)
    refusals.note("demo", "it runs already")
    refusals.keep({"other"})

    assert refusals.of("demo") == ()


async def test_a_fault_is_logged_with_its_traceback(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
):
    Refusals(clock).note("demo", "ValueError: a fault", ValueError("a fault"))

    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[1].args == ("a fault",)  # pyright: ignore[reportOptionalMemberAccess]

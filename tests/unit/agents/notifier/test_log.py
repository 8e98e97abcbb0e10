from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agents.notifier.decide import Past, Verdict
from agents.notifier.follow import Followed
from agents.notifier.log import DeliveryLog
from app.core.alarm import Priority
from app.core.delivery import Delivery, DeliveryState, Notification

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
PUMP = Notification("Pump", "", Priority.HIGH)
QUEUED = Verdict("mail", DeliveryState.QUEUED)
QUIET = Verdict("sms", DeliveryState.SUPPRESSED, "quiet hours")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncGenerator[DeliveryLog]:
    opened = DeliveryLog(tmp_path / "log.sqlite", kept=10)
    await opened.open()
    yield opened
    await opened.close()


async def add_many(log: DeliveryLog, count: int, verdict: Verdict) -> None:
    for _ in range(count):
        await log.add(PUMP, [verdict], NOW)


async def test_all_routes_of_a_notification_share_its_id(log: DeliveryLog):
    added = await log.add(PUMP, [QUEUED, QUIET], NOW)

    assert [(each.number, each.id) for each in added] == [(1, "N-1"), (2, "N-1")]


async def test_what_was_queued_is_still_queued_after_a_kill(log: DeliveryLog, tmp_path: Path):
    added = await log.add(PUMP, [QUEUED, QUIET], NOW)
    again = DeliveryLog(tmp_path / "log.sqlite", kept=10)  # the first one was never closed
    await again.open()

    found = await again.queued()
    await again.close()

    assert found == added[:1]


async def test_what_was_sent_is_not_queued_any_more(log: DeliveryLog):
    delivery = (await log.add(PUMP, [QUEUED], NOW))[0]
    sent: Delivery = msgspec.structs.replace(delivery, state=DeliveryState.SENT, next_at=None)

    await log.update(sent)

    assert await log.queued() == []
    assert await log.newest(5) == [sent]


async def test_only_what_was_not_suppressed_counts_as_past(log: DeliveryLog):
    await log.add(PUMP, [QUEUED, QUIET], NOW - timedelta(seconds=60))

    assert await log.past(NOW, 61) == [Past("mail", PUMP.matter, NOW - timedelta(seconds=60))]
    assert await log.past(NOW, 59) == []


async def test_the_log_does_not_grow_without_end(log: DeliveryLog):
    await add_many(log, 15, QUIET)

    assert [each.number for each in await log.newest(100)] == list(range(15, 5, -1))


async def test_what_is_still_queued_is_never_dropped(log: DeliveryLog):
    await log.add(PUMP, [QUEUED], NOW)
    await add_many(log, 15, QUIET)

    assert [each.number for each in await log.queued()] == [1]


async def test_what_is_known_of_alarms_outlives_a_restart(log: DeliveryLog, tmp_path: Path):
    known = Followed(NOW, Priority.HIGH, {"mail": NOW})
    await log.add(PUMP, [QUEUED], NOW, {"a1": known, "a2": known})
    await log.forget("a2")
    again = DeliveryLog(tmp_path / "log.sqlite", kept=10)
    await again.open()

    found = await again.alarms()
    await again.close()

    assert found == {"a1": known}

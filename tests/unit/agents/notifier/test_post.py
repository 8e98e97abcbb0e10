"""The post room with a courier that answers what the test says."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.notifier.decide import Verdict
from agents.notifier.log import DeliveryLog
from agents.notifier.post import PostRoom
from agents.notifier.routes import Route
from app.clock import ManualClock
from app.core.alarm import Priority
from app.core.delivery import Delivery, DeliveryState, Notification
from app.settings_notify import RouteSettings
from tests.processes import eventually

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
ROUTE = Route("json://x", RouteSettings.model_validate({"name": "mail", "url": "json://x"}))


class ScriptedCourier:
    """Fails with the given reasons, one a try, then delivers."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = list(reasons)
        self.titles: list[str] = []

    async def check(self, url: str) -> str:
        del url
        return ""

    async def send(
        self, url: str, title: str, body: str, priority: Priority, timeout_s: float
    ) -> str:
        del url, body, priority, timeout_s
        self.titles.append(title)
        return self.reasons.pop(0) if self.reasons else ""


class Office:
    """A post room at work on a manual clock."""

    def __init__(self, log: DeliveryLog) -> None:
        self.log = log
        self.clock = ManualClock(NOW)
        self.courier = ScriptedCourier()
        self.room = PostRoom(log, self.courier, self.clock, lambda: None)

    async def queue(self, title: str, priority: Priority = Priority.HIGH) -> None:
        notification = Notification(title, "", priority)
        verdicts = [Verdict("mail", DeliveryState.QUEUED)]
        for delivery in await self.log.add(notification, verdicts, self.clock.now()):
            self.room.take(delivery)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    log = DeliveryLog(tmp_path / "log.sqlite", 100)
    await log.open()
    made = Office(log)
    working = asyncio.create_task(made.room.run({"mail": ROUTE}))
    yield made
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await log.close()


async def ended(office: Office, count: int) -> list[Delivery]:
    """Turn the clock until nothing is queued; return the newest deliveries."""
    deadline = asyncio.get_running_loop().time() + 15
    while await office.log.queued():
        assert asyncio.get_running_loop().time() < deadline
        await office.clock.advance(1.0)
    return await office.log.newest(count)


async def test_what_is_queued_is_sent_and_noted(office: Office):
    await office.queue("Pump")

    done = (await ended(office, 1))[0]

    assert (done.state, done.tries, office.courier.titles) == (DeliveryState.SENT, 1, ["Pump"])


async def test_a_failure_is_tried_again_later(office: Office):
    office.courier.reasons = ["no answer", "no answer"]
    await office.queue("Pump")

    done = (await ended(office, 1))[0]

    assert (done.state, done.tries) == (DeliveryState.SENT, 3)
    assert (done.changed_at - done.at).total_seconds() >= 5  # waited between the tries


async def test_after_all_tries_it_has_failed_with_the_reason(office: Office):
    office.courier.reasons = ["no answer"] * 5
    await office.queue("Pump")

    done = (await ended(office, 1))[0]

    assert done.state is DeliveryState.FAILED
    assert done.reason == "given up after 5 tries: no answer"
    assert office.room.failing == {"mail": "no answer"}


async def test_a_route_that_delivers_again_is_well(office: Office):
    office.courier.reasons = ["no answer"]
    await office.queue("Pump")

    await ended(office, 1)

    assert office.room.failing == {}


async def test_a_critical_one_does_not_wait_for_another_that_failed(office: Office):
    office.courier.reasons = ["no answer"]
    await office.queue("low", Priority.LOW)
    await eventually(lambda: office.courier.titles)
    await office.queue("critical", Priority.CRITICAL)
    await eventually(lambda: len(office.courier.titles) == 2)  # the clock stands still

    await ended(office, 1)

    assert office.courier.titles == ["low", "critical", "low"]


async def test_of_those_that_are_due_the_worst_goes_first(office: Office):
    office.courier.reasons = ["no answer", "no answer"]
    await office.queue("low", Priority.LOW)
    await office.queue("critical", Priority.CRITICAL)
    await eventually(lambda: len(office.courier.titles) == 2)

    await office.clock.advance(600)
    await eventually(lambda: len(office.courier.titles) == 4)

    assert office.courier.titles[2:] == ["critical", "low"]
    assert await ended(office, 1)


async def test_what_is_tried_again_counts_as_waiting(office: Office):
    office.courier.reasons = ["no answer"]
    await office.queue("Pump")
    await eventually(lambda: office.room.failing)

    assert office.room.waiting == 1
    await ended(office, 1)
    await eventually(lambda: office.room.waiting == 0)


async def test_the_first_try_can_be_awaited(office: Office):
    office.courier.reasons = ["no answer"]
    await office.queue("Pump")
    first = office.room.first_try(1)

    assert first is not None
    tried = await asyncio.wait_for(first, 10)
    assert (tried.state, tried.reason) == (DeliveryState.QUEUED, "no answer")
    assert tried.next_at is not None

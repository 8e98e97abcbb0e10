import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.bus.client import Bus, Received
from app.bus.tasks import TaskClient
from app.clock import SystemClock
from app.core.errors import BusError
from app.core.task import Task, TaskResult
from tests.unit.bus.conftest import MakeBus


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


@pytest.fixture
async def client(make_bus: MakeBus) -> TaskClient:
    bus = make_bus("asker")
    client = TaskClient(bus, "asker", SystemClock())
    client.start()
    await connected(bus)
    return client


@pytest.fixture
async def echo(make_bus: MakeBus) -> list[Task]:
    """An agent "echo/1" that answers with the input, twice, after a foreign result."""
    bus, seen = make_bus("echo"), list[Task]()

    def answer(batch: Sequence[Received[Task]]) -> None:
        for task in (received.message for received in batch):
            seen.append(task)
            foreign = TaskResult("request:other", "echo/1", 0.0, {"wrong": True})
            right = TaskResult(task.id, "echo/1", 0.0, task.input)
            for result in (foreign, right, right):
                bus.publish(task.reply_to, result, qos=1)

    bus.subscribe("millwright/agents/echo/1/tasks", Task, answer, qos=1)
    await connected(bus)
    return seen


async def test_the_result_of_the_own_task_is_returned(client: TaskClient, echo: list[Task]):
    result = await client.request("echo", "1", "repeat", {"word": "ok"}, 10)

    assert (result.output, result.agent) == ({"word": "ok"}, "echo/1")


async def test_the_task_expires_when_the_caller_gives_up(client: TaskClient, echo: list[Task]):
    before = SystemClock().now()

    await client.request("echo", "1", "repeat", {}, 10)

    assert timedelta(seconds=9) < echo[0].expires_at - before < timedelta(seconds=12)


async def test_many_requests_at_once_do_not_mix(client: TaskClient, echo: list[Task]):
    requests = (client.request("echo", "1", "repeat", {"n": n}, 10) for n in range(50))

    results = await asyncio.gather(*requests)

    assert [result.output for result in results] == [{"n": n} for n in range(50)]


async def test_an_agent_that_does_not_answer_is_named(client: TaskClient):
    with pytest.raises(BusError, match=r'"nobody/1" did not answer "repeat" within 0.2 s'):
        await client.request("nobody", "1", "repeat", {}, 0.2)

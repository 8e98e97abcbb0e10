"""Two backlog agents as processes of their own, on one data folder: one list of orders."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.core.task import Task, TaskResult
from app.core.topics import tasks_topic
from app.settings import Settings
from tests.clean_environment import clean_environment
from tests.contract.listener import REPLY_TO, Listener, listening
from tests.processes import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parent.parent.parent
INSTANCES = ("1", "2")
ORDERS = 10  # of each instance
LONG_S = 60.0  # on a busy machine


@pytest.fixture
def agents(connected_settings: Settings) -> Iterator[list["subprocess.Popen[bytes]"]]:
    where = ["--broker", connected_settings.broker.url, "--data", str(connected_settings.data.dir)]
    command = [sys.executable, "-m", "app", "agent", "backlog", *where, "--instance"]
    started = [
        subprocess.Popen([*command, instance], cwd=ROOT, env=clean_environment())
        for instance in INSTANCES
    ]
    yield started
    for process in started:
        process.kill()
        process.wait(10)


async def send(listener: Listener, instance: str, name: str, **given: object) -> None:
    capability = "create_order" if given else "list_orders"
    expires_at = listener.clock.now() + timedelta(seconds=LONG_S)
    task = Task(name, capability, given, REPLY_TO, expires_at)
    await listener.bus.publish_confirmed(tasks_topic("backlog", instance), task)


async def both_alive(listener: Listener, agents: list["subprocess.Popen[bytes]"]) -> None:
    pids = {process.pid for process in agents}
    await eventually(lambda: {birth.pid for birth in listener.births} >= pids, LONG_S)


def output(result: TaskResult) -> dict[str, Any]:
    assert result.output is not None, result.error
    return result.output


async def test_orders_of_both_have_numbers_of_their_own_and_stand_in_one_list(
    agents: list["subprocess.Popen[bytes]"], connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        await both_alive(listener, agents)
        for number in range(ORDERS):
            for instance in INSTANCES:
                given = {"equipment": "s/a/l/u", "title": f"{instance} {number}"}
                await send(listener, instance, f"make-{instance}-{number}", **given)
        await eventually(lambda: len(listener.results) == 2 * ORDERS, LONG_S)
        made = [output(result) for result in listener.results]
        listener.results.clear()
        for instance in INSTANCES:
            await send(listener, instance, f"list-{instance}")
        await eventually(lambda: len(listener.results) == 2, LONG_S)
        lists = [output(result)["orders"] for result in listener.results]

    assert [process.poll() for process in agents] == [None, None]
    assert sorted(int(each["id"][3:]) for each in made) == list(range(1, 2 * ORDERS + 1))
    assert lists[0] == lists[1]
    assert {each["title"] for each in lists[0]} == {each["title"] for each in made}


async def test_one_run_that_both_are_asked_for_makes_one_order(
    agents: list["subprocess.Popen[bytes]"], connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        await both_alive(listener, agents)
        for instance in INSTANCES:
            given = {"equipment": "s/a/l/u", "title": "Bearing", "run": "r-1"}
            await send(listener, instance, f"make-{instance}", **given)
        await eventually(lambda: len(listener.results) == 2, LONG_S)
        made = [output(result) for result in listener.results]

    assert sorted(each["is_new"] for each in made) == [False, True]
    assert {each["id"] for each in made} == {"MO-1"}

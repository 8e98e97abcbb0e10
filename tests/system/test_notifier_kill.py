"""What was to be sent is sent after kill -9, at most twice."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.task import Task
from app.core.topics import tasks_topic
from app.settings import Settings
from tests.clean_environment import clean_environment
from tests.contract.listener import Listener, listening
from tests.http_stub import Stub, http_stub
from tests.processes import eventually

ROOT = Path(__file__).parent.parent.parent
COUNT = 5

LONG_S = 60.0  # on a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with http_stub() as serving:
        yield serving


@pytest.fixture
def start_notifier(
    connected_settings: Settings, stub: Stub, tmp_path: Path
) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    file = tmp_path / "settings.toml"
    file.write_text(f'[[notify.routes]]\nname = "shift"\nurl = "json://{stub.address}"\n')
    where = ["--broker", connected_settings.broker.url, "--settings", str(file)]
    where += ["--data", str(connected_settings.data.dir), "--instance", "1"]
    command = [sys.executable, "-m", "app", "agent", "notifier", *where]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(command, cwd=ROOT, env=clean_environment()))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def bodies(stub: Stub) -> list[bytes]:
    return [request.body for request in stub.requests]


def notify(listener: Listener, number: int) -> Task:
    task = listener.task(f"n:{number}", "notify")
    task.input.update({"title": f"Pump {number}", "priority": 2})
    return task


async def send_all(listener: Listener) -> None:
    for number in range(COUNT):
        await listener.bus.publish_confirmed(tasks_topic("notifier", "1"), notify(listener, number))


async def test_what_was_queued_is_sent_after_a_kill_with_at_most_one_repetition(
    start_notifier: Callable[[], "subprocess.Popen[bytes]"],
    stub: Stub,
    connected_settings: Settings,
):
    async with listening(connected_settings) as listener:
        first = start_notifier()
        await listener.alive("notifier")
        stub.is_open.clear()  # the service hangs with the first message
        await send_all(listener)
        await eventually(lambda: len(stub.requests) == 1)
        first.kill()
        first.wait(10)
        stub.is_open.set()
        start_notifier()
        await eventually(lambda: len(listener.results) == COUNT, LONG_S)
        await eventually(lambda: len(set(bodies(stub))) == COUNT, LONG_S)

    assert len(stub.requests) <= COUNT + 1

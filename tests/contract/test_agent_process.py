"""Every agent as a process of its own: birth, will, signals, orphans."""

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.runner import agent_names
from app.core.agent import AgentState
from app.core.topics import as_segment
from app.settings import Settings
from tests.clean_environment import clean_environment
from tests.contract.listener import listening
from tests.processes import eventually

ROOT = Path(__file__).parent.parent.parent
STOP_S = 10.0

StartAgent = Callable[..., "subprocess.Popen[bytes]"]
EVERY = pytest.mark.parametrize("name", agent_names())

pytestmark = pytest.mark.slow


@pytest.fixture
def start_agent(connected_settings: Settings) -> Iterator[StartAgent]:
    started: list[subprocess.Popen[bytes]] = []

    def start(
        *arguments: str, environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        where = ["--broker", connected_settings.broker.url]
        where += ["--data", str(connected_settings.data.dir)]
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "agent", *where, *arguments],
            cwd=ROOT,
            env={**clean_environment(), **(environment or {})},
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


@EVERY
async def test_it_is_born_with_its_pid_and_stops_when_asked(
    name: str, start_agent: StartAgent, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        process = start_agent(name)
        birth = await listener.alive(name)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(process.wait, STOP_S)
        await eventually(lambda: listener.states(name)[-1] is AgentState.STOPPED)

    here = as_segment(socket.gethostname())
    assert (birth.pid, birth.instance, code) == (process.pid, here, 0)


async def test_one_that_the_app_starts_is_the_first(
    start_agent: StartAgent, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        start_agent("vibration", environment={"MILLWRIGHT_PARENT": "1"})
        birth = await listener.alive("vibration")

    assert birth.instance == "1"


async def test_a_second_one_of_the_same_name_leaves_the_first_alone_and_ends_with_2(
    start_agent: StartAgent, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        first = start_agent("vibration", "--instance", "c")
        await listener.alive("vibration")
        second = start_agent("vibration", "--instance", "c")
        _, errors = await asyncio.to_thread(second.communicate, timeout=30)
        states = [birth.state for birth in listener.births if birth.instance == "c"]

    said = errors.decode().splitlines()[-1]
    assert second.returncode == 2
    assert f'runs already as instance "c": process {first.pid} on ' in said
    assert "--instance" in said
    assert states == [AgentState.RUNNING]


@EVERY
async def test_its_will_says_offline_when_it_is_killed(
    name: str, start_agent: StartAgent, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        process = start_agent(name, "--instance", "b")
        await listener.alive(name)
        process.kill()
        await eventually(lambda: listener.states(name)[-1] is AgentState.OFFLINE)

    assert listener.births[-1].instance == "b"


async def test_it_ends_when_its_parent_is_gone(
    start_agent: StartAgent, connected_settings: Settings
):
    name = agent_names()[0]
    async with listening(connected_settings) as listener:
        process = start_agent(name, environment={"MILLWRIGHT_PARENT": "1"})
        await listener.alive(name)
        assert process.stdin
        process.stdin.close()
        process.stdin = None

        assert await asyncio.to_thread(process.wait, STOP_S) == 0


async def test_started_by_hand_it_does_not_mind_a_closed_input(
    start_agent: StartAgent, connected_settings: Settings
):
    name = agent_names()[0]
    async with listening(connected_settings) as listener:
        process = start_agent(name)
        assert process.stdin
        process.stdin.close()
        process.stdin = None
        await listener.alive(name)
        await eventually(lambda: len(listener.beats) >= 2)

        assert process.poll() is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no_such_agent"], b"no_such_agent"),
        (["../secrets"], b"secrets"),
        (["base"], b"base"),
        (["simulator", "--instance", "a b"], b"letters, digits"),
    ],
)
async def test_wrong_usage_is_one_clear_line_and_exit_code_2(
    start_agent: StartAgent, arguments: list[str], said: bytes
):
    process = start_agent(*arguments)

    _, errors = await asyncio.to_thread(process.communicate, timeout=30)

    assert process.returncode == 2
    assert said in errors
    assert b"Traceback" not in errors


async def test_without_a_broker_it_says_so_once_and_stops_when_asked(start_agent: StartAgent):
    process = start_agent(agent_names()[0], "--broker", "mqtt://127.0.0.1:1")
    assert process.stderr
    line = await asyncio.to_thread(process.stderr.readline)
    process.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(process.wait, STOP_S) == 0
    assert line

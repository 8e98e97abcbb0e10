"""Agents as real processes: started, crashed, hung, flooding, stopped."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.clock import SystemClock
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat
from app.core.errors import ConflictError, NotFoundError
from app.settings import AgentSettings, Settings, SupervisorSettings
from app.supervisor.child import Child
from app.supervisor.registry import Registry
from app.supervisor.supervisor import Supervisor, agent_command
from tests.processes import eventually, is_alive, python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_blocking"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups of POSIX"),
]

QUICK = SupervisorSettings(
    stop_s=1, backoff_min_s=0.1, backoff_max_s=1, breaker_restarts=3, hung_s=2
)
SOON_S = 20.0  # on a busy machine; left alone, every program here runs for a minute
STUBBORN = """
import signal, time
signal.signal(15, lambda *_: print('asked'))
print('up')
time.sleep(60)
"""
PROGRAMS = {
    "good": "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\n"
    "print('up')\ntime.sleep(60)",
    "stubborn": STUBBORN,
    "second": STUBBORN,
    "crashing": "print('bearing table is missing')\nraise SystemExit(1)",
    "misused": "print('setting agents.misused.options.rate: must be above 0')\nraise SystemExit(2)",
    "flooding": "while True: print('x' * 100)",
    "environment": "import os, time\nprint(os.environ['MILLWRIGHT_PARENT'], os.environ['PLANT'])\n"
    "time.sleep(60)",
}


@pytest.fixture
def agent_settings(settings: Settings) -> Settings:
    agents = dict.fromkeys(PROGRAMS, AgentSettings())
    return settings.model_copy(update={"agents": agents, "supervisor": QUICK})


@asynccontextmanager
async def supervising(settings: Settings) -> AsyncGenerator[Supervisor]:
    supervisor = Supervisor(
        settings,
        SystemClock(),
        {**os.environ, "PLANT": "riverside"},
        command=lambda name: python(PROGRAMS[name]),
        spread=random.Random(1),  # noqa: S311  jitter, no secret
    )
    try:
        yield supervisor
    finally:
        await supervisor.stop()


@pytest.fixture
async def supervisor(agent_settings: Settings) -> AsyncIterator[Supervisor]:
    async with supervising(agent_settings) as made:
        yield made


def patient(settings: Settings) -> Settings:
    """Return settings that leave time to look on while an agent stops or waits for its start."""
    more = {"stop_s": 30.0, "backoff_min_s": 30.0, "backoff_max_s": 30.0}
    return settings.model_copy(update={"supervisor": QUICK.model_copy(update=more)})


def child(supervisor: Supervisor, name: str) -> Child:
    return next(each for each in supervisor.children() if each.name == name)


def says(supervisor: Supervisor, name: str, words: str) -> Callable[[], bool]:
    return lambda: any(words in line for line in supervisor.log(name))


async def begun(supervisor: Supervisor, name: str) -> int:
    """Start an agent that prints "up" and return its process id."""
    await supervisor.start([name])
    await eventually(says(supervisor, name, "up"))
    return child(supervisor, name).pid or 0


async def test_only_the_named_agents_start(supervisor: Supervisor):
    await begun(supervisor, "good")
    running = [each.name for each in supervisor.children() if each.pid]
    assert running == ["good"]
    assert child(supervisor, "stubborn").state is AgentState.STOPPED


async def test_an_agent_that_is_in_no_settings_is_refused(supervisor: Supervisor):
    with pytest.raises(NotFoundError, match="nobody"):
        await supervisor.start(["nobody"])
    with pytest.raises(NotFoundError):
        await supervisor.start_agent("nobody")
    with pytest.raises(NotFoundError):
        supervisor.log("nobody")


async def test_an_agent_knows_that_it_has_a_parent(supervisor: Supervisor):
    await supervisor.start(["environment"])
    await eventually(says(supervisor, "environment", "1 riverside"))


async def test_a_stopped_agent_stays_off(supervisor: Supervisor):
    pid = await begun(supervisor, "good")
    await supervisor.stop_agent("good")
    assert not is_alive(pid)
    picture = child(supervisor, "good")
    assert (picture.state, picture.pid, picture.restarts) == (AgentState.STOPPED, None, 0)


async def test_what_makes_no_sense_is_a_conflict(supervisor: Supervisor):
    await begun(supervisor, "good")
    with pytest.raises(ConflictError, match="already"):
        await supervisor.start_agent("good")
    await supervisor.stop_agent("good")
    with pytest.raises(ConflictError, match="stopped already"):
        await supervisor.stop_agent("good")


async def test_the_loop_has_its_turn_between_two_starts(supervisor: Supervisor):
    names = ["good", "stubborn", "environment"]
    await supervisor.start(names)
    alive = [0]
    async with asyncio.timeout(40):
        while alive[-1] < len(names):
            await asyncio.sleep(0)
            alive.append(sum(each.pid is not None for each in supervisor.children()))
    assert sorted(set(alive)) == [0, 1, 2, 3]


async def test_a_restart_makes_a_new_process(supervisor: Supervisor):
    pid = await begun(supervisor, "good")
    await supervisor.restart_agent("good")
    await eventually(lambda: child(supervisor, "good").pid not in {None, pid})
    assert not is_alive(pid)


async def test_a_restart_starts_an_agent_that_is_off(supervisor: Supervisor):
    await supervisor.start([])
    await supervisor.restart_agent("good")
    await eventually(says(supervisor, "good", "up"))


async def test_a_killed_agent_comes_back(supervisor: Supervisor):
    pid = await begun(supervisor, "good")
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: child(supervisor, "good").pid not in {None, pid})
    assert child(supervisor, "good").restarts == 1


async def test_waiting_for_the_next_start_is_told(supervisor: Supervisor):
    seen: list[Child] = []
    supervisor.on_change(seen.append)
    pid = await begun(supervisor, "good")
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: any(each.state is AgentState.BACKING_OFF for each in seen))
    waiting = next(each for each in seen if each.state is AgentState.BACKING_OFF)
    assert waiting.reason == "Good agent stopped once, restarting in 0 s; it last said: up"
    assert waiting.retry_at
    assert waiting.retry_at - waiting.since < timedelta(seconds=1)


async def test_an_agent_that_keeps_crashing_is_given_up(supervisor: Supervisor):
    await supervisor.start(["crashing"])
    await eventually(lambda: child(supervisor, "crashing").state is AgentState.FAILED)
    picture = child(supervisor, "crashing")
    assert picture.restarts == 3
    assert picture.reason == (
        "Crashing agent stopped 4 times within 5 min and stays off until someone starts it"
        "; it last said: bearing table is missing"
    )
    assert says(supervisor, "crashing", "bearing table is missing")()


async def test_a_person_starts_a_given_up_agent_again(supervisor: Supervisor):
    await supervisor.start(["crashing"])
    await eventually(lambda: child(supervisor, "crashing").state is AgentState.FAILED)
    await supervisor.start_agent("crashing")
    assert child(supervisor, "crashing").state is AgentState.STARTING
    await eventually(lambda: child(supervisor, "crashing").state is AgentState.FAILED)


async def test_a_wrong_setting_is_not_tried_again(supervisor: Supervisor):
    await supervisor.start(["misused"])
    await eventually(lambda: child(supervisor, "misused").state is AgentState.FAILED)
    picture = child(supervisor, "misused")
    assert picture.restarts == 0
    assert picture.reason == (
        "Misused agent refuses to start: setting agents.misused.options.rate: must be above 0"
    )


async def test_a_program_that_is_gone_is_said(agent_settings: Settings):
    supervisor = Supervisor(
        agent_settings, SystemClock(), os.environ, command=lambda _: ["/nowhere/python"]
    )
    await supervisor.start(["good"])
    await eventually(lambda: child(supervisor, "good").state is AgentState.FAILED)
    assert "cannot be started" in child(supervisor, "good").reason
    await supervisor.stop()


async def test_an_agent_can_be_stopped_while_it_waits(agent_settings: Settings):
    async with supervising(patient(agent_settings)) as supervisor:
        pid = await begun(supervisor, "good")
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: child(supervisor, "good").state is AgentState.BACKING_OFF)
        await supervisor.stop_agent("good")
        assert child(supervisor, "good").state is AgentState.STOPPED


async def test_an_agent_that_ignores_the_request_is_killed_in_time(supervisor: Supervisor):
    pid = await begun(supervisor, "stubborn")
    before = time.monotonic()
    await supervisor.stop_agent("stubborn")
    assert time.monotonic() - before < SOON_S
    assert not is_alive(pid)


async def test_everything_stops_side_by_side(agent_settings: Settings):
    async with supervising(patient(agent_settings)) as supervisor:
        await supervisor.start(["good", "stubborn", "second", "flooding", "environment"])
        for name in ("stubborn", "second"):
            await eventually(says(supervisor, name, "up"))
        await eventually(lambda: sum(1 for each in supervisor.children() if each.pid) == 5)
        pids = [each.pid for each in supervisor.children() if each.pid]
        stubborn = [child(supervisor, name).pid or 0 for name in ("stubborn", "second")]
        stopping = asyncio.create_task(supervisor.stop())
        for name in ("stubborn", "second"):
            await eventually(says(supervisor, name, "asked"))
        assert all(is_alive(pid) for pid in stubborn)
        for pid in stubborn:
            os.kill(pid, signal.SIGKILL)
        await stopping
        assert not any(is_alive(pid) for pid in pids)


async def test_a_flooding_agent_is_kept_short(supervisor: Supervisor, agent_settings: Settings):
    await supervisor.start(["flooding"])
    await eventually(says(supervisor, "flooding", "lines dropped"))
    assert len(supervisor.log("flooding")) <= agent_settings.supervisor.log_lines
    await supervisor.stop_agent("flooding")


async def test_the_log_is_on_disk_after_the_stop(supervisor: Supervisor, agent_settings: Settings):
    await begun(supervisor, "good")
    await supervisor.stop()
    assert (agent_settings.data.dir / "logs" / "good.log").read_text().endswith(" up\n")


async def test_memory_is_measured(supervisor: Supervisor):
    await begun(supervisor, "good")
    await eventually(lambda: child(supervisor, "good").memory_bytes > 2**20)


def status(pid: int) -> AgentStatus:
    spec = AgentSpec(name="good", purpose="Is good")
    return AgentStatus(spec, "1", AgentState.RUNNING, SystemClock().now(), pid, "here")


async def test_an_agent_runs_when_it_says_so(supervisor: Supervisor, agent_settings: Settings):
    registry = Registry(SystemClock(), agent_settings.supervisor)
    pid = await begun(supervisor, "good")
    registry.birth(status(pid + 1))  # left over from an earlier run
    supervisor.check(registry)
    assert child(supervisor, "good").state is AgentState.STARTING
    registry.birth(status(pid))
    supervisor.check(registry)
    assert child(supervisor, "good").state is AgentState.RUNNING


async def test_a_hung_agent_is_replaced(supervisor: Supervisor, agent_settings: Settings):
    registry = Registry(SystemClock(), agent_settings.supervisor)
    registry.set_connected(True)
    reasons: list[str] = []
    supervisor.on_change(lambda changed: reasons.append(changed.reason))
    pid = await begun(supervisor, "good")
    registry.birth(status(pid))

    def is_replaced() -> bool:
        registry.beat("good", "1", Beat(SystemClock().now(), progress=1, load=1))
        supervisor.check(registry)
        return child(supervisor, "good").pid not in {None, pid}

    await eventually(is_replaced)
    assert "Good agent made no progress and was stopped once, restarting in 0 s" in reasons


async def test_an_agent_that_never_reports_in_is_replaced(
    supervisor: Supervisor, agent_settings: Settings
):
    registry = Registry(SystemClock(), agent_settings.supervisor)
    registry.set_connected(True)
    pid = await begun(supervisor, "good")

    def is_replaced() -> bool:
        supervisor.check(registry)
        return child(supervisor, "good").pid not in {None, pid}

    await eventually(is_replaced)


async def test_nobody_is_replaced_while_the_bus_is_away(
    supervisor: Supervisor, agent_settings: Settings
):
    registry = Registry(SystemClock(), agent_settings.supervisor)
    pid = await begun(supervisor, "good")
    deadline = time.monotonic() + QUICK.hung_s + 1
    while time.monotonic() < deadline:
        supervisor.check(registry)
        await asyncio.sleep(0.05)
    assert child(supervisor, "good").pid == pid


def test_an_agent_is_started_with_this_python():
    assert agent_command("vibration") == [sys.executable, "-m", "app", "agent", "vibration"]

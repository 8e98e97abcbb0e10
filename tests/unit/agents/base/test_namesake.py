"""Another process under the same name and instance is found if it lives, and only then."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from agents.base.namesake import find_namesake
from app.bus.client import Bus
from app.clock import SystemClock
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat
from app.core.topics import beat_topic, birth_topic
from app.settings import Settings, SupervisorSettings

CLOCK = SystemClock()
HERE = socket.gethostname()


@pytest.fixture
def quick(connected_settings: Settings) -> Settings:
    return connected_settings.model_copy(update={"supervisor": SupervisorSettings(beat_s=0.2)})


@pytest.fixture
def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    return process.pid


def born(
    instance: str, state: AgentState = AgentState.RUNNING, host: str = "elsewhere", pid: int = 1
) -> AgentStatus:
    return AgentStatus(AgentSpec("toaster", "Toasts"), instance, state, CLOCK.now(), pid, host)


@asynccontextmanager
async def alive(settings: Settings, status: AgentStatus) -> AsyncGenerator[None]:
    """Say what a living process says: its birth, and then beats."""
    bus = Bus(settings, f"toaster-{status.instance}", CLOCK)
    await bus.start()
    await bus.wait_connected(10)
    await bus.publish_confirmed(birth_topic("toaster", status.instance), status, retain=True)

    async def beat() -> None:
        while True:
            bus.publish(beat_topic("toaster", status.instance), Beat(CLOCK.now(), 0))
            await CLOCK.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        beats = group.create_task(beat())
        try:
            yield
        finally:
            beats.cancel()
    await bus.stop()


async def test_nobody_is_found_where_no_broker_is(settings: Settings):
    assert await find_namesake(settings, "toaster", "1", CLOCK) is None


async def test_nobody_is_found_where_nobody_was(quick: Settings):
    assert await find_namesake(quick, "toaster", "nobody", CLOCK) is None


@pytest.mark.parametrize(
    "status",
    [
        born("far"),
        born("degraded", AgentState.DEGRADED),
        born("near", host=HERE, pid=os.getppid()),
    ],
    ids=lambda status: status.instance,
)
async def test_a_process_that_beats_is_found(quick: Settings, status: AgentStatus):
    async with alive(quick, status):
        assert await find_namesake(quick, "toaster", status.instance, CLOCK) == status
        assert await find_namesake(quick, "toaster", "another", CLOCK) is None


@pytest.mark.parametrize("state", [AgentState.OFFLINE, AgentState.STOPPED])
async def test_one_that_said_goodbye_is_not_found(quick: Settings, state: AgentState):
    async with alive(quick, born(state.value, state)):
        assert await find_namesake(quick, "toaster", state.value, CLOCK) is None


async def test_a_birth_that_the_broker_kept_of_a_dead_process_is_not_taken_for_life(
    quick: Settings,
):
    async with alive(quick, born("kept")):
        pass
    assert await find_namesake(quick, "toaster", "kept", CLOCK) is None


async def test_a_process_of_this_host_that_ended_is_told_without_waiting_for_a_beat(
    connected_settings: Settings, ended_pid: int
):
    patient = SupervisorSettings(beat_s=60, hung_s=600)
    slow = connected_settings.model_copy(update={"supervisor": patient})
    status = born("ended", host=HERE, pid=ended_pid)
    async with alive(slow, status), asyncio.timeout(10):
        assert await find_namesake(slow, "toaster", "ended", CLOCK) is None

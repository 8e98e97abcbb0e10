"""The app's side of the bus, as small as it can be: births, beats and results of agents."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from agents.base.agent import BaseAgent
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.agent import AgentState, AgentStatus, Beat
from app.core.task import Task, TaskResult
from app.core.topics import BEATS, BIRTHS, results_topic, tasks_topic
from app.settings import Settings
from tests.processes import eventually

REPLY_TO = results_topic("listener")
A = TypeVar("A", bound=BaseAgent)
WAIT_S = 40.0  # on a busy machine


class Listener:
    """Hears what agents say and hands them tasks.

    Attributes:
        births: All heard, in order.
        beats: All heard, in order.
        results: All heard, in order.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.bus = Bus(settings, "listener", self.clock)
        self.births: list[AgentStatus] = []
        self.beats: list[Beat] = []
        self.results: list[TaskResult] = []
        self.bus.subscribe(BIRTHS, AgentStatus, self._take_births, qos=1)
        self.bus.subscribe(BEATS, Beat, self._take_beats)
        self.bus.subscribe(REPLY_TO, TaskResult, self._take_results, qos=1)

    def states(self, name: str) -> list[AgentState]:
        """Return the states an agent announced, in order."""
        return [birth.state for birth in self.births if birth.spec.name == name]

    async def alive(self, name: str) -> AgentStatus:
        """Wait until an agent works, well or degraded, and return its last birth."""
        at_work = {AgentState.RUNNING, AgentState.DEGRADED}
        await eventually(lambda: self.states(name)[-1:] and self.states(name)[-1] in at_work)
        return [birth for birth in self.births if birth.spec.name == name][-1]

    @asynccontextmanager
    async def serving(self, kind: type[A]) -> AsyncGenerator[A]:
        """Run an agent for the length of a block, which begins once it works."""
        agent, stopping = kind(self.settings, self.clock), asyncio.Event()
        self.births.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(agent.serve(stopping))
            await self.alive(kind.spec.name)
            try:
                yield agent
            finally:
                stopping.set()

    async def ask(self, name: str, task: Task) -> TaskResult:
        """Send a task and return the next result."""
        before = len(self.results)
        await self.bus.publish_confirmed(tasks_topic(name, "1"), task)
        await eventually(lambda: len(self.results) > before, WAIT_S)
        return self.results[before]

    def task(self, task_id: str, capability: str, expires_in_s: float = 60.0) -> Task:
        """Return a task with an empty input."""
        expires_at = self.clock.now() + timedelta(seconds=expires_in_s)
        return Task(task_id, capability, {}, REPLY_TO, expires_at)

    def _take_births(self, batch: Sequence[Received[AgentStatus]]) -> None:
        self.births.extend(received.message for received in batch)

    def _take_beats(self, batch: Sequence[Received[Beat]]) -> None:
        self.beats.extend(received.message for received in batch)

    def _take_results(self, batch: Sequence[Received[TaskResult]]) -> None:
        self.results.extend(received.message for received in batch)


@asynccontextmanager
async def listening(settings: Settings) -> AsyncGenerator[Listener]:
    """Listen for the length of a block."""
    listener = Listener(settings)
    await listener.bus.start()
    await listener.bus.wait_connected(WAIT_S)
    try:
        yield listener
    finally:
        await listener.bus.stop()

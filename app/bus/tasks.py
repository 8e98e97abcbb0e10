"""Hands tasks to agent instances and waits for their results."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta

from app.bus.client import Bus, Received
from app.core.clock import Clock
from app.core.errors import BusError
from app.core.health import Health
from app.core.task import Task, TaskResult
from app.core.topics import results_topic, tasks_topic

_ABSENT = (Health.STARTING, Health.FAILED, Health.STOPPED)


class TaskClient:
    """Sends tasks under one receiver name; results of others' tasks are ignored."""

    def __init__(self, bus: Bus, receiver: str, clock: Clock) -> None:
        self._bus = bus
        self._reply_to = results_topic(receiver)
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[TaskResult]] = {}

    def start(self) -> None:
        """Subscribe to the results; call once, before the first request."""
        self._bus.subscribe(self._reply_to, TaskResult, self._take, qos=1, is_prompt=True)

    async def request(
        self,
        agent: str,
        instance: str,
        capability: str,
        input: dict[str, object],
        timeout_s: float,
    ) -> TaskResult:
        """Return the result of `capability` at one live instance.

        Raises:
            BusError: There is no connection, or no result came within `timeout_s`.
        """
        status = self._bus.status
        if status.state in _ABSENT:  # it would wait in a queue until long after the time-out
            raise BusError(f'Agent "{agent}" cannot be asked: {status.reason}', status.remedy)
        expires_at = self._clock.now() + timedelta(seconds=timeout_s)
        task = Task(
            id=f"request:{uuid.uuid4().hex}",
            capability=capability,
            input=input,
            reply_to=self._reply_to,
            expires_at=expires_at,
        )
        result = self._waiting[task.id] = asyncio.Future()
        try:
            async with asyncio.timeout(timeout_s):
                self._bus.publish(tasks_topic(agent, instance), task, qos=1)
                return await result
        except TimeoutError as error:
            raise BusError(
                f'Agent "{agent}/{instance}" did not answer "{capability}" within {timeout_s:g} s',
                "See whether it runs on the Agents page, then try again",
            ) from error
        finally:
            self._waiting.pop(task.id, None)

    def _take(self, batch: Sequence[Received[TaskResult]]) -> None:
        for received in batch:
            waiting = self._waiting.get(received.message.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(received.message)

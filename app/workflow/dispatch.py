"""Hands tasks to the least loaded live instance that can do them, until one has answered.

Shared subscriptions of MQTT lose tasks when a subscriber dies (docs/decisions), so each task goes
to one instance. If that one dies or is silent too long, the same task id goes to another; agents
answer a task they know from their durable results, but do one that failed anew for a new try.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from app.bus.client import Bus, BusState, Received
from app.core.clock import Clock
from app.core.errors import BusError, InputError
from app.core.task import Task, TaskFailure, TaskResult
from app.core.topics import results_topic, tasks_topic
from app.supervisor.registry import Instance, Registry

RESEND_S = 15.0
"""Silence of a live instance after which it gets the same task again: the message or the answer
may be lost with a connection."""
NOBODY_S = 1.0
BROKER_AWAY = "the broker, which is away; see Bus on Health"
_ENVELOPE_BYTES = 1024
_TRIES = 1000
"""Tasks that failed, whose next try is numbered; a forgotten one gets an old answer once more."""

Waiting = Callable[[str], None]


class Dispatcher:
    """Sends tasks as one orchestrator; answers come on its own topic."""

    def __init__(
        self, bus: Bus, registry: Registry, orchestrator: str, clock: Clock, *, limit_bytes: int
    ) -> None:
        self._bus = bus
        self._registry = registry
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._reply_to = results_topic(orchestrator)
        self._answers: dict[str, tuple[int, asyncio.Future[TaskResult]]] = {}
        self._next_try: dict[str, int] = {}
        self._in_hand: Counter[str] = Counter()
        self._news = asyncio.Event()

    def start(self) -> None:
        """Subscribe to answers and to the coming and going of agents; before the bus starts."""
        self._bus.subscribe(self._reply_to, TaskResult, self._take, qos=1, is_prompt=True)
        self._registry.on_change(self._agents_changed)

    async def perform(
        self,
        task_id: str,
        capability: str,
        given: dict[str, object],
        timeout_s: float,
        *,
        agent: str = "",
        waiting: Waiting = lambda _: None,
    ) -> TaskResult:
        """Return what came of a task; it is sent again as often as needed until its time is up.

        Called again after an answer without output, it is a new try: what is not possible at one
        time may be at another.

        Args:
            task_id: The same over re-sends and restarts of the app.
            capability: What must be offered.
            given: Input of the task.
            timeout_s: Seconds until it is given up.
            agent: Only this agent; empty takes any.
            waiting: Told what is waited for, empty when a task is at work.

        Raises:
            BusError: Nobody answered in time.
            InputError: The task is too big for a message.
        """
        size = len(msgspec.json.encode(given))
        if size > self._limit_bytes - _ENVELOPE_BYTES:
            raise InputError(
                f"input: {size} bytes do not fit into a message of {self._limit_bytes}; "
                "send a path or an id instead, or raise bus.message_limit_bytes"
            )
        answer: asyncio.Future[TaskResult] = asyncio.get_running_loop().create_future()
        expires_at = self._clock.now() + timedelta(seconds=timeout_s)
        attempt = self._next_try.get(task_id, 1)
        task = Task(task_id, capability, given, self._reply_to, expires_at, attempt, task_id)
        self._answers[task_id] = attempt, answer
        try:
            async with asyncio.timeout(timeout_s):
                result = await self._send_until(answer, task, agent, waiting)
        except TimeoutError as error:
            why = f'"{capability}" was not done within {_words(timeout_s)}'
            if self._choose(capability, agent, "") is None:
                why = f"{why}: {_nobody(capability, agent)}"
            raise BusError(why, "See who is alive on the Agents page, then try again") from error
        else:
            self._count(task, result)
            return result
        finally:
            self._answers.pop(task_id, None)

    def _count(self, task: Task, result: TaskResult) -> None:
        self._next_try.pop(task.id, None)
        if result.output is None:
            self._next_try[task.id] = max(task.attempt, result.attempt) + 1
        if len(self._next_try) > _TRIES:
            del self._next_try[next(iter(self._next_try))]

    async def _send_until(
        self, answer: asyncio.Future[TaskResult], task: Task, agent: str, waiting: Waiting
    ) -> TaskResult:
        last = ""
        while True:
            chosen = self._choose(task.capability, agent, last)
            if chosen is None:
                nobody = _nobody(task.capability, agent)
                waiting(nobody if self._is_connected else BROKER_AWAY)
                await self._wait(answer, NOBODY_S, "")
            else:
                last = _name(chosen)
                await self._send(answer, task, chosen, waiting)
            if answer.done():
                return answer.result()

    async def _send(
        self,
        answer: asyncio.Future[TaskResult],
        task: Task,
        chosen: Instance,
        waiting: Waiting,
    ) -> None:
        name, spec = _name(chosen), chosen.status.spec
        self._in_hand[name] += 1
        try:
            self._bus.publish(tasks_topic(spec.name, chosen.status.instance), task, qos=1)
        except BusError as error:
            waiting(f"the broker: {error}")
        else:
            waiting("" if self._is_connected else BROKER_AWAY)
        try:
            await self._wait(answer, RESEND_S, name)
        finally:
            self._in_hand[name] -= 1

    @property
    def _is_connected(self) -> bool:
        return self._bus.state is BusState.CONNECTED

    def _choose(self, capability: str, agent: str, last: str) -> Instance | None:
        """Return the least loaded live instance; after a silence another one, if there is one."""
        able = [
            each
            for each in self._registry.capable(capability)
            if not agent or each.status.spec.name == agent
        ]
        others = [each for each in able if _name(each) != last]
        return min(others or able, key=self._load, default=None)

    def _load(self, instance: Instance) -> tuple[int, str]:
        name = _name(instance)
        reported = instance.beat.load if instance.beat else 0
        # what we sent since the last beat is not in it yet
        return max(reported, self._in_hand[name]), name

    async def _wait(
        self, answer: asyncio.Future[TaskResult], timeout_s: float, instance: str
    ) -> None:
        """Wait for the answer, but no longer than `timeout_s` or than the instance lives."""
        ends_s = self._clock.monotonic() + timeout_s
        while not answer.done():
            left_s = ends_s - self._clock.monotonic()
            if left_s <= 0 or (instance and not self._is_alive(instance)):
                return
            news = asyncio.ensure_future(self._news.wait())
            try:
                await asyncio.wait(
                    (answer, news), timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                news.cancel()
            if not instance and self._news.is_set():
                return

    def _is_alive(self, name: str) -> bool:
        agent, _, instance = name.partition("/")
        return any(
            each.is_live and each.status.instance == instance for each in self._registry.find(agent)
        )

    def _agents_changed(self, _: Instance) -> None:
        self._news.set()
        asyncio.get_running_loop().call_soon(self._news.clear)

    def _take(self, batch: Sequence[Received[TaskResult]]) -> None:
        for received in batch:
            result = received.message
            attempt, answer = self._answers.get(result.id, (0, None))
            is_stale = result.output is None and result.attempt < attempt  # it came twice
            if answer is not None and not answer.done() and not is_stale:
                answer.set_result(result)


def is_worth_another_try(failure: TaskFailure) -> bool:
    """Tell whether the same task may go better the next time."""
    return failure in {TaskFailure.FAULT, TaskFailure.EXPIRED}


def _words(seconds: float) -> str:
    """Return a time in words, to a tenth: what is left of a second at most is no one's concern."""
    return f"{round(seconds, 1):g} s" if seconds >= 0.1 else "0.1 s"


def _nobody(capability: str, agent: str) -> str:
    if agent:
        return f'agent {agent}, which is not alive or does not offer "{capability}"'
    return f'an agent that offers "{capability}"; none is alive'


def _name(instance: Instance) -> str:
    return f"{instance.status.spec.name}/{instance.status.instance}"

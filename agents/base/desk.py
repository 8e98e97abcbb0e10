"""The desk where tasks come in: each is done once, within its time, and answered."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from agents.base.results import ResultStore
from app.bus.client import Received
from app.core.clock import Clock
from app.core.errors import (
    ConflictError,
    FieldsError,
    InputError,
    MillwrightError,
    NotFoundError,
)
from app.core.task import Task, TaskFailure, TaskResult

logger = logging.getLogger(__name__)

_OPEN = 64  # accepted and unfinished tasks; more stay with the broker

Work = Callable[[str, dict[str, object]], Awaitable[dict[str, object]]]


class TaskDesk:
    """Accepts tasks durably, runs some at once, answers duplicates from the store.

    A task is acknowledged to the broker when it is on disk; after a crash it is taken up again.
    A result of a task that failed for an unforeseen reason is not kept: a re-sent one runs anew.
    What was refused is refused again to the same message, and judged anew at a new try.

    Attributes:
        done: Tasks answered since the start.
        failed: Of these, how many failed for an unforeseen reason.
    """

    def __init__(
        self,
        name: str,
        store: ResultStore,
        work: Work,
        answer: Callable[[str, TaskResult], None],
        clock: Clock,
        *,
        concurrency: int,
    ) -> None:
        self._name = name
        self._store = store
        self._work = work
        self._answer = answer
        self._clock = clock
        self._running = asyncio.Semaphore(concurrency)
        self._room = asyncio.Semaphore(_OPEN)
        self._open: dict[str, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.done = 0
        self.failed = 0

    @property
    def load(self) -> int:
        """Tasks in hand."""
        return len(self._open)

    def lag_s(self, now: datetime) -> float:
        """Age of the oldest task in hand, s."""
        return (now - min(self._open.values())).total_seconds() if self._open else 0.0

    async def start(self) -> None:
        """Open the store and take up what a former life left unfinished.

        Raises:
            StoreError: The store cannot be opened.
        """
        for task in await self._store.open():
            await self._take_up(task)

    async def stop(self) -> None:
        """Give up what runs; it is taken up again at the next start."""
        for running in self._tasks:
            running.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    async def take(self, batch: Sequence[Received[Task]]) -> None:
        """Accept tasks from the bus; returns when they are on disk."""
        for received in batch:
            await self._accept(received.message)

    async def _accept(self, task: Task) -> None:
        if task.id in self._open:
            return
        if task.expires_at <= self._clock.now():
            known = await self._store.find(task.id)
            self._answer(task.reply_to, known or self._refusal(task))
            return
        known = await self._store.accept(task)
        if known is not None:
            self._answer(task.reply_to, known)
        else:
            await self._take_up(task)

    async def _take_up(self, task: Task) -> None:
        await self._room.acquire()
        self._open[task.id] = self._clock.now()
        running = asyncio.get_running_loop().create_task(self._run(task), name=f"task {task.id}")
        self._tasks.add(running)
        running.add_done_callback(self._finished)

    def _finished(self, running: asyncio.Task[None]) -> None:
        self._tasks.discard(running)
        self._room.release()
        if not running.cancelled() and running.exception() is not None:
            logger.error("A task was lost", exc_info=running.exception())

    async def _run(self, task: Task) -> None:
        try:
            async with self._running:
                await self._finish(task)
        finally:
            self._open.pop(task.id, None)

    async def _finish(self, task: Task) -> None:
        began = self._clock.monotonic()
        left_s = (task.expires_at - self._clock.now()).total_seconds()
        output: dict[str, object] | None = None
        error, details, failure = "", dict[str, str](), TaskFailure.NONE
        try:
            async with asyncio.timeout(max(left_s, 0)):
                output = await self._work(task.capability, task.input)
        except TimeoutError:
            error = f"{task.capability} was not done before the task expired"
            failure = TaskFailure.EXPIRED
        except MillwrightError as problem:
            error = f"{problem}; {problem.hint}" if problem.hint else str(problem)
            details = problem.details if isinstance(problem, FieldsError) else {}
            failure = _failure(problem)
        except Exception as problem:  # the agent loop lives on; the sender decides on another try
            logger.exception("Task %s (%s) failed", task.id, task.capability)
            self.failed += 1
            error, failure = f"{task.capability} failed: {problem!r}", TaskFailure.FAULT
        seconds = self._clock.monotonic() - began
        result = TaskResult(
            task.id, self._name, seconds, output, error, details, failure, task.attempt
        )
        is_final = failure not in {TaskFailure.EXPIRED, TaskFailure.FAULT}
        await (self._store.finish(result) if is_final else self._store.forget(task.id))
        self.done += 1
        self._answer(task.reply_to, result)

    def _refusal(self, task: Task) -> TaskResult:
        when = task.expires_at.isoformat()
        error = f"Task expired at {when} and is not done"
        return TaskResult(
            task.id,
            self._name,
            0.0,
            error=error,
            failure=TaskFailure.EXPIRED,
            attempt=task.attempt,
        )


def _failure(problem: MillwrightError) -> TaskFailure:
    match problem:
        case InputError():
            return TaskFailure.INPUT
        case NotFoundError():
            return TaskFailure.NOT_FOUND
        case ConflictError():
            return TaskFailure.CONFLICT
        case _:
            return TaskFailure.UNABLE

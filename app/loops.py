"""Endless tasks: their owner starts them by name, logs one that dies, cancels all at the end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Self

from app.core.backoff import backoff_s
from app.core.clock import Clock

logger = logging.getLogger(__name__)

_LONGEST_S = 10.0


class Loops:
    """Endless tasks that live as long as the block they are opened in."""

    async def __aenter__(self) -> Self:
        self._tasks: list[asyncio.Task[None]] = []
        return self

    def run(self, loop: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run a loop until the block ends."""
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)
        return task

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def repeat(
    step: Callable[[], Awaitable[None]], clock: Clock, period_s: float, name: str
) -> None:
    """Call `step` for ever, each `period_s`; while it fails more seldom, at most each 10 s."""
    failures = 0
    while True:
        try:
            await step()
        except Exception:  # the loop lives on; logged once a row, counted, backs off
            failures += 1
            if failures == 1:
                logger.exception("%s fails, trying again", name)
        else:
            if failures:
                logger.info("%s works again after %d failures", name, failures)
            failures = 0
        await clock.sleep(backoff_s(failures, period_s, _LONGEST_S, 1.0) if failures else period_s)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        logger.error("%s ended", task.get_name(), exc_info=task.exception())

"""Owner of endless tasks: starts them by name, logs one that dies, cancels all at the end."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Self

logger = logging.getLogger(__name__)


class Loops:
    """Endless tasks that live as long as the block they are opened in."""

    async def __aenter__(self) -> Self:
        self._tasks: list[asyncio.Task[None]] = []
        return self

    def run(self, loop: Coroutine[object, object, None], name: str) -> None:
        """Run a loop until the block ends."""
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(_report)
        self._tasks.append(task)

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        logger.error("%s ended", task.get_name(), exc_info=task.exception())

"""Asks an agent every few seconds while a page is looked at, one question at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from nicegui import background_tasks

ASK_EVERY = 3
"""Seconds between two questions; what a page does itself is shown at once."""

FIRST_S = 0.8
"""How long a page waits to be sent with the first answer in it; an agent answers within 50 ms."""


class Asking:
    """A page's questions; `ask` shows what came of one, a refusal too."""

    def __init__(self, ask: Callable[[], Awaitable[None]], name: str) -> None:
        self._ask = ask
        self._name = name
        self._answered = asyncio.Event()
        self._answered.set()
        self._seconds = 0

    async def first(self) -> None:
        """Ask, and wait a moment for the answer."""
        self._begin()
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_S):
                await self._answered.wait()

    def tick(self) -> None:
        """Ask if it is time and no answer is owed; called once a second."""
        self._seconds += 1
        if self._answered.is_set() and self._seconds % ASK_EVERY == 0:
            self._begin()

    def _begin(self) -> None:
        self._answered.clear()
        background_tasks.create(self._one(), name=self._name)

    async def _one(self) -> None:
        try:
            await self._ask()
        finally:
            self._answered.set()

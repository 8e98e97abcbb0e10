"""Reads what a page shows, one reading at a time, and once more if something changed meanwhile."""

from collections.abc import Awaitable, Callable

from nicegui import background_tasks, ui


class Again:
    """A page's reading; made while the page is built.

    Two readings at once could end in the wrong order, and the page would show the older.
    """

    def __init__(self, read: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._client = ui.context.client
        self._is_reading = False
        self._is_due = False

    def ask(self) -> None:
        """Read soon."""
        self._is_due = True
        if not self._is_reading:
            self._is_reading = True
            background_tasks.create(self._go(), name="read what a page shows")

    async def _go(self) -> None:
        try:
            with self._client:
                while self._is_due:
                    self._is_due = False
                    await self._read()
        finally:
            self._is_reading = False

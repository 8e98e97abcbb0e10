"""Hands orders to the broker beside whoever asked: nobody waits while the broker hangs."""

import asyncio
import logging

from app.commands.rows import CommandRows
from app.commands.wire import Wire
from app.core.actor import SYSTEM
from app.core.command import Command
from app.core.errors import BusError, StoreError

logger = logging.getLogger(__name__)


class Delivery:
    """Sends each order at most once in this life of the app, and notes what is not confirmed.

    The row says "dispatched" before: what a stop or a crash leaves unsent, the next life sends.
    """

    def __init__(self, rows: CommandRows, wire: Wire) -> None:
        self._rows = rows
        self._wire = wire
        self._claimed: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}  # one a tag, so they are few
        self._is_open = False

    def start(self) -> None:
        """Begin to send; may be called again."""
        self._is_open = True

    async def stop(self) -> None:
        """Send nothing more and wait for no confirmation; what the bus was given stays with it."""
        self._is_open = False
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._claimed.clear()

    def claim(self, command_id: str) -> bool:
        """Have an order sent by the caller alone; False if somebody claimed it before."""
        is_new = command_id not in self._claimed
        self._claimed.add(command_id)
        return is_new

    def forget(self, command_id: str) -> None:
        """Give back a claim: its command has ended, or was not sent after all."""
        self._claimed.discard(command_id)

    def begin(self, command: Command) -> None:
        """Send the order of a dispatched command that the caller has claimed; return at once."""
        if self._is_open:
            task = asyncio.create_task(self._deliver(command), name=f"order {command.id}")
            self._tasks[command.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(command.id, None))

    async def _deliver(self, command: Command) -> None:
        try:
            await self._wire.send(command)
        except (BusError, StoreError) as error:
            logger.warning("Command %s may not have been sent: %s", command.id, error)
            await self._note(command, f"Perhaps not sent: {error}")
        else:
            logger.info(
                "Command %s: %s = %g sent to %s",
                command.id,
                command.tag,
                command.value,
                command.actuator,
            )

    async def _note(self, command: Command, reason: str) -> None:
        """Say in the row what hinders it, unless it was answered meanwhile."""
        try:
            await self._rows.change(command, SYSTEM.name, reason=reason)
        except StoreError as error:  # the log has the reason, and the follower asks later
            logger.warning("The trouble of command %s is not noted: %s", command.id, error)

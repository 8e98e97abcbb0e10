"""The rows of commands for the event loop, which never waits for the disk; each change is told."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime

import msgspec

from app.core.clock import Clock
from app.core.command import Command, CommandChange, CommandState
from app.store.commands import CommandStore, Sent
from app.store.database import Database


class CommandRows:
    """Commands on disk; what a method did is there when it returns.

    Every method raises StoreError if the store is closed, cannot be read or cannot be written.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._store = CommandStore(database)
        self._clock = clock
        self._callbacks: list[Callable[[Command], None]] = []

    async def open(self) -> None:
        """Open the store; may be called again after it failed."""
        await asyncio.to_thread(self._database.open)

    async def close(self) -> None:
        """Close the store; harmless if it is not open, and it may be opened again."""
        await asyncio.to_thread(self._database.close)

    async def check(self) -> None:
        """See that the store can be written."""
        await asyncio.to_thread(self._store.check)

    def on_change(self, callback: Callable[[Command], None]) -> None:
        """Call `callback` in the event loop with each command that is new or has changed."""
        self._callbacks.append(callback)

    async def insert(self, command: Command) -> Command:
        """Keep a new command; return the one that is kept under its id, which may be an older."""
        kept = await asyncio.to_thread(self._store.insert, command)
        if kept is command:
            self._tell(kept)
        return kept

    async def change(
        self, old: Command, actor: str, why: str = "", **fields: object
    ) -> Command | None:
        """Change fields of a command, unless somebody else has changed it since `old` was read.

        The time of a change of state is noted with it. Returns None if it is no longer as `old`.

        Raises:
            ConflictError: Its state may not become the new one.
        """
        return await self._change(old, actor, why, None, fields)

    async def dispatch(
        self, old: Command, actor: str, why: str, known: Sent, **fields: object
    ) -> Command | None:
        """Change a command to one that is sent, see `change`.

        Returns None also while another command to its tag is under way, or if one was sent to it
        after what was `known` when this one was checked.
        """
        fields |= {"state": CommandState.DISPATCHED, "reason": ""}
        return await self._change(old, actor, why, known, fields)

    async def _change(
        self, old: Command, actor: str, why: str, known: Sent | None, fields: dict[str, object]
    ) -> Command | None:
        if "state" in fields:
            fields["changed_at"] = self._clock.now()
        new = msgspec.structs.replace(old, **fields)
        if not await asyncio.to_thread(self._store.change, old, new, actor, why, known):
            return None
        self._tell(new)
        return new

    async def get(self, command_id: str) -> Command | None:
        """Return a command."""
        return await asyncio.to_thread(self._store.get, command_id)

    async def find(self, states: Collection[CommandState], tag: str, limit: int) -> list[Command]:
        """Return commands, the newest first; of all states if none is named, of all tags if ""."""
        return await asyncio.to_thread(self._store.find, states, tag, limit)

    async def tally(self) -> dict[CommandState, int]:
        """Return how many commands are kept, by state."""
        return await asyncio.to_thread(self._store.tally)

    async def unfinished(self, unknown_since: datetime) -> list[Command]:
        """Return what is not ended, and what is unknown since `unknown_since`, oldest first."""
        return await asyncio.to_thread(self._store.open, unknown_since)

    async def sent(self, tag: str) -> Sent:
        """Return when a command was last sent to a tag, and which is not answered yet."""
        return await asyncio.to_thread(self._store.sent, tag, self._clock.now())

    async def is_last_sent(self, command: Command) -> bool:
        """Tell whether no command was sent to the tag after this one."""
        return await asyncio.to_thread(self._store.is_last_sent, command, self._clock.now())

    async def unsettled(self, equipment: str) -> list[Command]:
        """Return the unknown commands of a unit that no later one has made good."""
        return await asyncio.to_thread(self._store.unsettled, equipment)

    async def changes(self, command_id: str) -> list[CommandChange]:
        """Return every change of a command's state, the oldest first."""
        return await asyncio.to_thread(self._store.changes, command_id)

    def _tell(self, command: Command) -> None:
        for callback in self._callbacks:
            callback(command)

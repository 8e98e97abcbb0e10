"""The last gate before the plant: checks once more, picks an actuator, sends at most once."""

import logging
from datetime import timedelta

from app.commands.rows import CommandRows
from app.commands.surroundings import Tags
from app.commands.wire import Wire
from app.core.clock import Clock
from app.core.command import Command, CommandState
from app.core.command_check import Check, Seen, Wanted, check_command, in_words

logger = logging.getLogger(__name__)

SYSTEM_NAME = "system"


class Sender:
    """Checks commands against the plant as it is now, and sends those that pass."""

    def __init__(
        self, rows: CommandRows, tags: Tags, wire: Wire, clock: Clock, *, order_s: float
    ) -> None:
        self._rows = rows
        self._tags = tags
        self._wire = wire
        self._clock = clock
        self._order_s = order_s
        self._sent: set[str] = set()

    def look(self, path: str) -> Seen:
        """Return what is known of a tag."""
        if not self._tags.has(path):
            return Seen()
        return Seen(self._tags.tag(path), self._tags.value(path))

    async def checks(self, wanted: Wanted) -> list[Check]:
        """Return every check of what is wanted, as of now.

        Raises:
            StoreError: It is not known when a command was last sent.
        """
        last_sent = await self._rows.last_sent(wanted.tag)
        return check_command(wanted, self.look, last_sent, self._clock.now())

    async def send(self, command: Command, actor: str, why: str = "") -> Command:
        """Check a command again and send it; return it as it then is.

        It is rejected if a check fails, and stays as it is while no actuator is alive. The row
        says "dispatched" before anything is on the bus: whoever changed the row sends, no other.

        Raises:
            StoreError: The row cannot be written; nothing was sent.
        """
        wanted = Wanted(command.tag, command.value, command.source, command.role)
        problem = in_words(await self.checks(wanted))
        if problem:
            return await self.change(
                command, SYSTEM_NAME, problem, state=CommandState.REJECTED, reason=problem
            )
        actuator = self._wire.actuator()
        if not actuator:
            reason = self._wire.why_none()
            if reason == command.reason:
                return command
            return await self.change(command, SYSTEM_NAME, reason=reason)
        now = self._clock.now()
        # it may have waited long for its approval; the order itself is to be followed soon
        expires_at = min(command.expires_at, now + timedelta(seconds=self._order_s))
        sent = await self._rows.change(
            command,
            actor,
            why,
            state=CommandState.DISPATCHED,
            actuator=actuator,
            sent_at=now,
            expires_at=expires_at,
            reason="",
        )
        if sent is None:
            return await self._as_it_is(command)
        self._sent.add(sent.id)
        await self._wire.send(sent)
        logger.info("Command %s: %s = %g sent to %s", sent.id, sent.tag, sent.value, actuator)
        return sent

    async def send_again(self, command: Command) -> None:
        """Send the order of a command that a former life of the app may or may not have sent.

        To the same actuator, whose journal makes a second copy harmless; once, and only in time.
        """
        if command.id in self._sent or self._clock.now() >= command.expires_at:
            return
        if self._wire.actuator():
            self._sent.add(command.id)
            await self._wire.send(command)

    def forget(self, command: Command) -> None:
        """Forget a command that has ended."""
        self._sent.discard(command.id)

    async def change(
        self, command: Command, actor: str, why: str = "", **fields: object
    ) -> Command:
        """Change a command and return it; if somebody else was faster, as that one left it.

        Raises:
            StoreError: The row cannot be read or written.
        """
        changed = await self._rows.change(command, actor, why, **fields)
        return changed or await self._as_it_is(command)

    async def _as_it_is(self, command: Command) -> Command:
        return await self._rows.get(command.id) or command

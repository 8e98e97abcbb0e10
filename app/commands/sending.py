"""The last gate before the plant: checks once more, picks an actuator, sends at most once."""

from datetime import datetime, timedelta

from app.commands.delivery import Delivery
from app.commands.rows import CommandRows
from app.commands.surroundings import Tags
from app.commands.wire import Wire
from app.core.actor import SYSTEM
from app.core.clock import Clock
from app.core.command import Command, CommandState
from app.core.command_check import Check, Seen, Wanted, check_command, in_words
from app.store.commands import Sent, UnderWay


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
        self._delivery = Delivery(rows, wire)
        self._sent_s: dict[str, float] = {}

    def start(self) -> None:
        """Begin to send; may be called again."""
        self._delivery.start()

    async def stop(self) -> None:
        """Send nothing more; what the rows call dispatched is sent by the next life."""
        await self._delivery.stop()

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
        return self._judge(wanted, await self._rows.sent(wanted.tag))

    def _judge(self, wanted: Wanted, sent: Sent) -> list[Check]:
        now = self._clock.now()
        last_at = self._last_at(wanted.tag, sent, now)
        found = check_command(wanted, self.look, last_at, now, unshown=sent.unshown)
        return [*found, _check_order(sent.under_way, now)]

    def _last_at(self, tag: str, sent: Sent, now: datetime) -> datetime | None:
        """Return when a command was last sent to a tag; a clock that was set cannot hide ours."""
        if tag not in self._sent_s:
            return sent.last_at
        at = now - timedelta(seconds=self._clock.monotonic() - self._sent_s[tag])
        return max(at, sent.last_at) if sent.last_at else at

    async def send(self, command: Command, actor: str, why: str = "") -> Command:
        """Check a command again and send it; return it as it then is, not waiting for the broker.

        It is rejected if a check fails, and stays as it is while no actuator is alive, or if
        another orchestrator was faster to send to the tag. The row says "dispatched" before
        anything is on the bus: whoever changed the row sends, no other.

        Raises:
            StoreError: The row cannot be written; nothing was sent.
        """
        wanted = Wanted(command.tag, command.value, command.source, command.role)
        sent = await self._rows.sent(command.tag)
        problem = in_words(self._judge(wanted, sent))
        if problem:
            return await self.change(
                command, SYSTEM.name, problem, state=CommandState.REJECTED, reason=problem
            )
        actuator = self._wire.actuator()
        if not actuator:
            reason = self._wire.why_none()
            if reason == command.reason:
                return command
            return await self.change(command, SYSTEM.name, reason=reason)
        now = self._clock.now()
        # it may have waited long for its approval; the order itself is to be followed soon
        expires_at = min(command.expires_at, now + timedelta(seconds=self._order_s))
        shown = self.look(command.tag).reading
        return await self._dispatch(
            command,
            actor,
            why,
            sent,
            actuator=actuator,
            sent_at=now,
            expires_at=expires_at,
            before=shown.value if shown else None,
        )

    def send_again(self, command: Command) -> None:
        """Send the order of a command that a former life of the app may or may not have sent.

        To the same actuator, whose journal makes a second copy harmless; once, and only in time.
        """
        is_in_time = self._clock.now() < command.expires_at
        if is_in_time and self._wire.actuator() and self._delivery.claim(command.id):
            self._delivery.begin(command)

    def forget(self, command: Command) -> None:
        """Forget a command that has ended."""
        self._delivery.forget(command.id)

    async def change(
        self, command: Command, actor: str, why: str = "", **fields: object
    ) -> Command:
        """Change a command and return it; if somebody else was faster, as that one left it.

        Raises:
            StoreError: The row cannot be read or written.
        """
        changed = await self._rows.change(command, actor, why, **fields)
        return changed or await self._as_it_is(command)

    async def _dispatch(
        self, command: Command, actor: str, why: str, known: Sent, **fields: object
    ) -> Command:
        self._delivery.claim(command.id)  # before the row: the follower reads rows meanwhile
        sent = None
        try:
            sent = await self._rows.dispatch(command, actor, why, known, **fields)
        finally:
            if sent is None:  # if it is on disk all the same, the follower sends it
                self._delivery.forget(command.id)
        if sent is None:
            return await self._as_it_is(command)
        self._sent_s[sent.tag] = self._clock.monotonic()
        self._delivery.begin(sent)
        return sent

    async def _as_it_is(self, command: Command) -> Command:
        return await self._rows.get(command.id) or command


def _check_order(under_way: UnderWay | None, now: datetime) -> Check:
    """Judge whether the tag is free: two orders at once could be followed in either order."""
    if under_way is None:
        return Check("order", True, "No other order to it is under way")
    found = under_way.command
    what = f" = {found.value:g}, asked for by {found.requested_by}," if found else ""
    ago_s = (now - under_way.sent_at).total_seconds()
    text = f"Command {under_way.id}{what} was sent {ago_s:.1f} s ago and is not answered yet"
    return Check("order", False, text)

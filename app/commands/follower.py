"""Follows commands to their end: sends what waits, hears actuators, looks at the plant."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from app.bus.client import Received
from app.commands.rows import CommandRows
from app.commands.sending import Sender
from app.commands.wire import Wire
from app.core.actor import SYSTEM
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.command import ENDED, AckState, Command, CommandAck, CommandState
from app.core.command_follow import (
    NextStep,
    Settled,
    dated_anew,
    next_step,
    settle,
    unknown_finding,
    verify,
    verify_path,
)
from app.core.equipment import unit_of
from app.core.errors import BusError, ConflictError, InputError

logger = logging.getLogger(__name__)

LATE = timedelta(hours=24)
"""How long evidence is looked for that settles an unknown command; a shift or two at most."""
SETTLE = timedelta(seconds=5)
"""Every live tag has spoken by then; interlocks on values not yet heard would reject at once."""
RECENT = 200
"""Commands whose units' alarms are stated anew at the start: a crash may have come between."""

State = Callable[[Finding], None]
SendNow = Callable[[Command], Awaitable[Command]]


class Follower:
    """Takes every open command one step further each time it is called."""

    def __init__(
        self,
        rows: CommandRows,
        sender: Sender,
        wire: Wire,
        clock: Clock,
        *,
        grace_s: float,
        state_finding: State,
    ) -> None:
        self._grace_s = grace_s
        self._since = clock.now()
        self._clock = clock
        self._rows = rows
        self._sender = sender
        self._wire = wire
        self._state_finding = state_finding

    async def state_all(self) -> None:
        """State for the units of recent commands whether one of unknown end is among them.

        Called when the app begins to hear the plant.

        Raises:
            StoreError: They cannot be read.
        """
        self._since = self._clock.now()
        recent = await self._rows.find((), "", RECENT)
        unknown = await self._rows.find((CommandState.UNKNOWN,), "", RECENT)
        for equipment in sorted({unit_of(each.tag) for each in [*recent, *unknown]}):
            await self._state(equipment)

    async def step(self, send: SendNow) -> None:
        """Send what waits, expire what is late, look whether the plant shows what was done.

        Args:
            send: Sends a command that was not sent yet.

        Raises:
            StoreError: Rows cannot be read or written; the next call tries again.
        """
        now = self._clock.now()
        self._since = min(self._since, now)
        for command in await self._rows.unfinished(now - LATE):
            if anew := dated_anew(command, now):
                await self._date_anew(command, anew)
                continue
            match next_step(command, now, self._grace_s):
                case NextStep.SEND:
                    await send(command)
                case NextStep.EXPIRE:
                    reason = _why_expired(command)
                    await self._settle(command, Settled(CommandState.EXPIRED, reason), SYSTEM.name)
                case NextStep.VERIFY:
                    await self._verify(command)
                case NextStep.WAIT if command.state is CommandState.DISPATCHED:
                    self._sender.send_again(command)
                case NextStep.WAIT | NextStep.ASK:
                    pass

    async def ask(self) -> None:
        """Ask the actuators of commands that should be done by now what became of them.

        Raises:
            StoreError: Rows cannot be read or written; the next call tries again.
        """
        now = self._clock.now()
        waiting = [
            command
            for command in await self._rows.unfinished(now - LATE)
            if next_step(command, now, self._grace_s) is NextStep.ASK
        ]
        await asyncio.gather(*(self._ask(command) for command in waiting))

    async def take_acks(self, batch: Sequence[Received[CommandAck]]) -> None:
        """Take what actuators say.

        Raises:
            InputError: One bears no right signature, or is about a command that this version of
                the app cannot read; the others are taken.
            StoreError: There is no key yet, or a row cannot be written; the broker sends it again.
        """
        self._wire.check_key()
        wrong = ""
        for received in batch:
            if not self._wire.is_believed(received.message):
                wrong = "The acknowledgement bears no right signature and is not believed"
                continue
            try:
                await self._take(received.message)
            except ConflictError as error:
                wrong = str(error)
        if wrong:
            raise InputError(wrong)

    async def end(self, command: Command) -> None:
        """State what the end of a command means for the alarms of its unit.

        Raises:
            StoreError: Rows cannot be read.
        """
        if command.state in ENDED:
            self._sender.forget(command)
        if command.state is CommandState.UNKNOWN or command.sent_at:
            await self._state(unit_of(command.tag))

    async def _date_anew(self, command: Command, anew: Command) -> None:
        logger.warning("The clock was set back: command %s is followed as of now", command.id)
        await self._rows.change(
            command,
            SYSTEM.name,
            changed_at=anew.changed_at,
            expires_at=anew.expires_at,
            sent_at=anew.sent_at,
        )

    async def _take(self, ack: CommandAck) -> None:
        while (command := await self._rows.get(ack.id)) is not None:
            settled = settle(command, ack, self._clock.now())
            # an answer is not lost because the row was changed between, as by a reason
            if settled is None or await self._settle(command, settled, ack.actuator):
                return

    async def _ask(self, command: Command) -> None:
        sent_at = command.sent_at or command.requested_at
        try:
            ack = await self._wire.ask(command, sent_at)
        except BusError as error:
            await self._lose(command, str(error))
            return
        if ack is None:
            await self._lose(command, f"Actuator {command.actuator} is away")
        elif ack.state is AckState.STARTED and self._is_overdue(command):
            await self._lose(command, f"Actuator {command.actuator} is still at it")
        else:
            await self._take(ack)

    async def _lose(self, command: Command, reason: str) -> None:
        if command.state is not CommandState.UNKNOWN:
            await self._settle(command, Settled(CommandState.UNKNOWN, reason), SYSTEM.name)

    def _is_overdue(self, command: Command) -> bool:
        # an actuator ends each order in seconds; two times the grace is long past that
        return self._clock.now() >= command.expires_at + timedelta(seconds=3 * self._grace_s)

    async def _verify(self, command: Command) -> None:
        tag = self._sender.look(command.tag).tag
        rule = tag.write if tag else None
        seen = self._sender.look(verify_path(command, rule))
        is_last = await self._rows.is_last_sent(command)
        settled = verify(command, rule, seen, self._clock.now(), since=self._since, is_last=is_last)
        if settled:
            shown = seen.reading.value if seen.reading else None
            await self._settle(command, settled, SYSTEM.name, after=shown)

    async def _settle(
        self, command: Command, settled: Settled, actor: str, **fields: object
    ) -> bool:
        """Change a command to what settles it; False if somebody changed it before."""
        if settled.state is CommandState.ACKNOWLEDGED:
            fields["acknowledged_at"] = self._clock.now()
        changed = await self._rows.change(
            command, actor, settled.reason, state=settled.state, reason=settled.reason, **fields
        )
        if changed is not None:
            logger.info("Command %s is %s %s", changed.id, changed.state, changed.reason)
            await self.end(changed)
        return changed is not None

    async def _state(self, equipment: str) -> None:
        unsettled = await self._rows.unsettled(equipment)
        self._state_finding(unknown_finding(equipment, unsettled, self._clock.now()))


def _why_expired(command: Command) -> str:
    if command.state is CommandState.AWAITING_APPROVAL and not command.approved_by:
        return "Nobody approved it in time"
    return command.reason or "It could not be sent in time"

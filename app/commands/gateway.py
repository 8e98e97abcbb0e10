"""The command gateway: whoever wants to change a tag of the plant asks here, and nowhere else."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from app.bus.client import Bus
from app.command_key import make_key
from app.commands.follower import Follower
from app.commands.requests import MqttRequests
from app.commands.rows import CommandRows
from app.commands.sending import Sender
from app.commands.surroundings import Surroundings
from app.commands.wire import Wire
from app.core.actor import SYSTEM, Actor, check_actor
from app.core.command import Command, CommandAck, CommandChange, CommandState
from app.core.command_approval import (
    check_reason,
    check_request,
    confirmed_by,
    is_approved,
    why_another,
    why_not_approved,
    why_not_rejected,
    why_waiting,
)
from app.core.command_check import FOR_GOOD, Check, Wanted, failed, in_words, needed
from app.core.errors import ConflictError, NotFoundError, StoreError
from app.core.reading import Quality
from app.core.topics import ACKS
from app.core.write_rule import Confirm, WriteRule
from app.loops import repeat
from app.store.audited import audited
from app.store.database import Database

__all__ = ["CommandGateway", "Surroundings"]

STEP_S = 0.5
WAITING = 1000


class CommandGateway:
    """Takes commands, checks them, has them approved, sends them once and follows them to the end.

    Who asks and who approves are names: until there is a login they are claims that nothing
    proves. Two names are what "two persons" means until then.
    """

    def __init__(self, around: Surroundings, database: Database) -> None:
        self._around = around
        self._clock = around.clock
        self._settings = around.settings.commands
        self._rows = CommandRows(database, around.clock)
        self._wire = Wire(around.bus, around.registry, around.tasks)
        self._sender = Sender(
            self._rows,
            around.tags,
            self._wire,
            around.clock,
            order_s=self._settings.expires_s,
        )
        self._follower = Follower(
            self._rows,
            self._sender,
            self._wire,
            around.clock,
            grace_s=self._settings.grace_s,
            state_finding=around.state_finding,
        )
        self._requests = MqttRequests(self.request, self._wire, around.bus, around.clock)
        # one command at a time is checked and its row written: rates hold; no wait for the broker
        self._lock = asyncio.Lock()
        self._audited: set[str] = set()
        self._is_open = False
        self._since = self._clock.now()
        self._settled_s = self._clock.monotonic()
        self._rows.on_change(self._requests.answer)
        self._rows.on_change(self._forget)

    async def start(self) -> None:
        """Open the store and read the key, made if there is none; may be called again.

        Raises:
            StoreError: Store or key cannot be opened; every request is refused meanwhile.
        """
        await self._rows.open()
        self._wire.key = await asyncio.to_thread(make_key, self._around.settings)
        await self._follower.state_all()
        self._sender.start()
        self._since = self._clock.now()
        self._settled_s = self._clock.monotonic() + self._around.settle.total_seconds()
        self._is_open = True

    async def check(self) -> None:
        """See that the store can be written, as every request needs it.

        Raises:
            StoreError: It cannot.
        """
        await self._rows.check()

    async def stop(self) -> None:
        """Stop sending and close the store."""
        self._is_open = False
        await self._sender.stop()
        await self._rows.close()

    def subscribe(self, durable_bus: Bus) -> None:
        """Hear actuators, and requests on MQTT; call before the bus starts."""
        durable_bus.subscribe_durable(ACKS, CommandAck, self._follower.take_acks)
        self._requests.subscribe(durable_bus)

    async def run(self) -> None:
        """Follow open commands for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(
                repeat(self.step, self._clock, STEP_S, "following commands"), name="commands"
            )
            group.create_task(
                repeat(self.ask, self._clock, self._settings.grace_s, "asking actuators"),
                name="commands: ask",
            )

    async def step(self) -> None:
        """Take every open command one step further.

        Raises:
            StoreError: Rows cannot be read or written.
        """
        if self._is_open:
            await self._follower.step(self._send_waiting)

    async def ask(self) -> None:
        """Ask silent actuators what became of their commands.

        Raises:
            StoreError: Rows cannot be read or written.
        """
        if self._is_open:
            await self._follower.ask()

    def on_change(self, callback: Callable[[Command], None]) -> None:
        """Call `callback` in the event loop with each command that is new or has changed."""
        self._rows.on_change(callback)

    # What can be asked

    async def tally(self) -> dict[CommandState, int]:
        """Return how many commands are kept, by state.

        Raises:
            StoreError: They cannot be read.
        """
        return await self._rows.tally()

    async def get(self, command_id: str) -> Command:
        """Return a command.

        Raises:
            NotFoundError: There is none of this id.
            StoreError: It cannot be read.
        """
        found = await self._rows.get(command_id)
        if found is None:
            raise NotFoundError(
                f'There is no command "{command_id[:120]}"', "GET /api/commands lists them"
            )
        return found

    async def find(
        self, states: Sequence[CommandState] = (), tag: str = "", limit: int = 200
    ) -> list[Command]:
        """Return commands, the newest first; of all states if none is named, of all tags if "".

        Raises:
            StoreError: They cannot be read.
        """
        return await self._rows.find(states, tag, limit)

    async def changes(self, command_id: str) -> list[CommandChange]:
        """Return who changed a command's state when and why, the oldest first.

        Raises:
            NotFoundError: There is none of this id.
            StoreError: They cannot be read.
        """
        await self.get(command_id)
        return await self._rows.changes(command_id)

    async def checks(self, tag: str, value: float, actor: Actor) -> list[Check]:
        """Return every check of a command with its verdict, as of now; nothing is kept or sent.

        Raises:
            StoreError: It is not known when the last command was sent.
        """
        return await self._sender.checks(Wanted(tag, value, actor.source, actor.role))

    async def is_refused_for_good(self, command: Command) -> bool:
        """Tell whether a command that was rejected would be so again, whenever it is asked for.

        A person said no, or it goes against the tag's rule by its value, its role or its source.

        Raises:
            StoreError: It cannot be read.
        """
        if (await self.changes(command.id))[-1].actor != SYSTEM.name:
            return True
        found = await self.checks(
            command.tag, command.value, Actor(command.requested_by, command.source, command.role)
        )
        return any(check.name in FOR_GOOD for check in failed(found))

    # What a person or a peer may do

    async def request(
        self,
        tag: str,
        value: float,
        actor: Actor,
        why: str,
        *,
        id: str = "",
        run: str = "",
        expires_s: float | None = None,
        confirmed: bool = False,
        approver: Actor | None = None,
    ) -> Command:
        """Ask for a command; return it as it stands, rejected ones too.

        It is on disk before anything else happens. The same id again returns the same command.

        Args:
            tag: Path of the tag.
            value: New value, in the tag's unit; always absolute.
            actor: Who asks.
            why: Reason, for the journal.
            id: Path segment; empty makes one.
            run: `run:step` that asks, empty for none.
            expires_s: Nobody acts on it after so many seconds; None takes `commands.expires_s`,
                or `commands.approval_s` for one that must first be approved.
            confirmed: The person who asks has been asked back and agrees; counts for a tag that
                one person must confirm, and only from a person or a workflow's approval step.
            approver: Who agreed in the workflow that asks; None if nobody did.

        Raises:
            InputError: The value is no number, id or time are out of their bounds, a person gives
                no reason, or who asks bears a name of the app.
            ConflictError: The id stands for a command with another tag or value, or of another
                run, or the same change of the tag waits for its approval already.
            StoreError: It cannot be kept; nothing was sent.
        """
        check_actor(actor)
        seen = self._sender.look(tag)
        rule = seen.tag.write if seen.tag else None
        agreed = confirmed_by(rule, actor, confirmed=confirmed, approver=approver)
        valid_s = self._valid_s(rule, agreed) if expires_s is None else expires_s
        check_request(id, value, valid_s)
        check_reason(why, actor.source)
        now = self._clock.now()
        wanted = Command(
            id=id or uuid.uuid4().hex,
            tag=tag,
            value=float(value),  # 1 and 1.0 would be signed differently
            requested_by=actor.name,
            source=actor.source,
            requested_at=now,
            expires_at=now + timedelta(seconds=valid_s),
            state=CommandState.REQUESTED,
            changed_at=now,
            approved_by=agreed,
            why=why,
            before=seen.reading.value if seen.reading else None,
            run=run,
            unit=seen.tag.unit if seen.tag else "",
            role=actor.role,
        )
        async with self._lock:
            if not await self._rows.get(wanted.id):
                await self._check_waiting(wanted)
            kept = await self._rows.insert(wanted)
            if kept is wanted:
                return await self._take_in(kept)
        another = why_another(kept, tag, value, run)
        if another:
            raise ConflictError(another)
        return kept

    async def approve(self, command_id: str, actor: Actor, note: str = "") -> Command:
        """Agree to a command that waits; it is checked again and sent. Return it as it stands.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It does not wait, `actor` may not approve it, another orchestrator was
                faster, or the app has just started and cannot check it yet.
            StoreError: The approval cannot be kept; nothing was sent.
        """
        async with self._lock:
            command = await self.get(command_id)
            async with self._intent(actor, "approve command", command, note):
                reason = why_not_approved(command, self._rule(command), actor, self._clock.now())
                if reason:
                    raise ConflictError(reason)
                if unheard := self._unheard(command):
                    raise ConflictError(
                        f"The app has just started and has not heard {unheard} yet",
                        "Approve it again in a few seconds",
                    )
                approved = await self._sender.change(
                    command, actor.name, note, approved_by=actor.name
                )
                if approved.state is not command.state or approved.approved_by != actor.name:
                    raise ConflictError(f"Another orchestrator was faster: {_how(approved)}")
                self._audited.add(command_id)
                return await self._sender.send(approved, actor.name, note)

    async def reject(self, command_id: str, actor: Actor, note: str = "") -> Command:
        """Refuse a command that was not sent yet. Return it as it stands.

        Raises:
            NotFoundError: There is none of this id.
            ConflictError: It was sent or has ended, also by another orchestrator meanwhile, or
                `actor` may not reject it.
            StoreError: It cannot be kept.
        """
        async with self._lock:
            command = await self.get(command_id)
            async with self._intent(actor, "reject command", command, note):
                reason = why_not_rejected(command, self._rule(command), actor)
                if reason:
                    raise ConflictError(reason)
                said = f"{actor.name} rejected it{f': {note}' if note else ''}"
                rejected = await self._sender.change(
                    command, actor.name, note, state=CommandState.REJECTED, reason=said
                )
                if rejected.state is not CommandState.REJECTED:
                    raise ConflictError(f"Another orchestrator was faster: {_how(rejected)}")
                return rejected

    async def _check_waiting(self, wanted: Command) -> None:
        waiting = await self._rows.find([CommandState.AWAITING_APPROVAL], wanted.tag, WAITING)
        reason = why_waiting(wanted, waiting)
        if reason:
            raise ConflictError(reason, "Have it approved or rejected on the Approvals page")

    async def _take_in(self, command: Command) -> Command:
        """Note the intent, then judge; what cannot be noted is not done."""
        is_noted = False
        try:
            async with self._intent(_requester(command), "command", command, command.why):
                is_noted = True
                self._audited.add(command.id)
                return _unless_rejected(await self._judge(command))
        except _RejectedError as rejected:
            return rejected.command
        except StoreError as error:
            if is_noted:
                raise
            return await self._reject(command, f"Not audited, hence not sent: {error}")

    async def _judge(self, command: Command) -> Command:
        """Send a command, or let it wait for approval; a check that fails rejects it.

        One that cannot be checked yet, as the app has just started, stays as it is.
        """
        if unheard := self._unheard(command):
            reason = f"The app has just started and has not heard {unheard} yet"
            if command.state is not CommandState.REQUESTED or command.reason == reason:
                return command
            return await self._sender.change(command, SYSTEM.name, reason=reason)
        rule = self._rule(command)
        if rule is None or is_approved(rule, command):
            actor = command.approved_by or command.requested_by
            return await self._sender.send(command, actor, command.why)
        wanted = Wanted(command.tag, command.value, command.source, command.role)
        problem = in_words(await self._sender.checks(wanted))
        if problem:
            return await self._reject(command, problem)
        if command.state is CommandState.AWAITING_APPROVAL:
            return command
        return await self._sender.change(
            command,
            command.requested_by,
            command.why,
            state=CommandState.AWAITING_APPROVAL,
            reason="",
        )

    async def _send_waiting(self, command: Command) -> Command:
        """Send a command that could not be sent before, or that a former life of the app took."""
        async with self._lock:
            if await self._rows.get(command.id) != command:  # a person was faster
                return command
            is_noted = command.id in self._audited
            return await (self._judge(command) if is_noted else self._take_in(command))

    def _unheard(self, command: Command) -> str:
        """Return what the checks of a command need and nobody has told since the start, "" if none.

        Once the time to settle is over, what is not told is missing, and the checks say so.
        """
        if self._clock.monotonic() >= self._settled_s:
            return ""
        tag = self._sender.look(command.tag).tag
        if tag is None:  # one that an earlier life of the app knew may be declared in a moment
            return command.tag if command.requested_at < self._since else ""
        for path in needed(tag):
            reading = self._sender.look(path).reading
            if reading is None or reading.quality is not Quality.GOOD:
                return path
        return ""

    def _forget(self, command: Command) -> None:
        if command.state not in {CommandState.REQUESTED, CommandState.AWAITING_APPROVAL}:
            self._audited.discard(command.id)

    async def _reject(self, command: Command, reason: str) -> Command:
        return await self._sender.change(
            command, SYSTEM.name, reason, state=CommandState.REJECTED, reason=reason
        )

    def _valid_s(self, rule: WriteRule | None, agreed: str) -> float:
        needs_nobody = rule is None or rule.confirm is Confirm.NONE or bool(agreed)
        return self._settings.expires_s if needs_nobody else self._settings.approval_s

    def _rule(self, command: Command) -> WriteRule | None:
        tag = self._sender.look(command.tag).tag
        return tag.write if tag else None

    def _intent(
        self, actor: Actor, action: str, command: Command, why: str
    ) -> AbstractAsyncContextManager[None]:
        target = f"{command.tag} = {command.value:g} {command.unit} [{command.id}]"
        return audited(self._around.audit, self._clock, actor, action, target, why=why)


class _RejectedError(ConflictError):
    """Carries a rejected command out of the block under audit, whose outcome it then is."""

    def __init__(self, command: Command) -> None:
        super().__init__(command.reason)
        self.command = command


def _how(command: Command) -> str:
    by = f", approved by {command.approved_by}" if command.approved_by else ""
    return f"it is {command.state.value}{by}"


def _unless_rejected(command: Command) -> Command:
    if command.state is CommandState.REJECTED:
        raise _RejectedError(command)
    return command


def _requester(command: Command) -> Actor:
    return Actor(command.requested_by, command.source, command.role)

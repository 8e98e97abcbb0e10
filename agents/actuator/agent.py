"""The actuator agent: follows signed orders, each at most once, and journals before and after."""

import asyncio
import logging
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import msgspec
from typing_extensions import override

from agents.actuator.driver import READ, WRITE, Driver, PeerDriver
from agents.actuator.forgeries import Forgeries
from agents.actuator.journal import Journal, Line
from agents.actuator.orders import LONGEST_ID, why_disbelieved, why_refused
from agents.base.agent import BaseAgent
from agents.base.requests import parse
from app.bus.client import Received
from app.command_key import read_key
from app.core.agent import AgentSpec
from app.core.clock import AwareTime, Clock
from app.core.command import AckState, CommandAck, CommandOrder
from app.core.command_check import is_near
from app.core.command_signature import sign
from app.core.equipment import unit_of
from app.core.errors import (
    BusError,
    InputError,
    MillwrightError,
    NotFoundError,
    SettingsError,
    StoreError,
)
from app.core.topics import COMMANDS, ack_topic
from app.settings import Settings

logger = logging.getLogger(__name__)

WRITE_S = 5.0
SETTLE_S = 15.0
"""An agent that was started with us has said its birth by then, on a busy machine too."""
_SETTLE_EACH_S = 0.5
AGAIN_S = 1.0
"""Between two looks whether somebody who can write is alive."""
_LONGEST_DELAY_S = 60.0


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `command_state`.

    Attributes:
        id: The command.
        sent_at: When it was sent; a journal that began later says "unknown" and not "absent".
    """

    id: str
    sent_at: AwareTime


class _InHand(NamedTuple):
    """An order that waits or is being done.

    Attributes:
        order: What it says.
        until_s: When its time is over on the steady clock, s: the other one may be set back.
    """

    order: CommandOrder
    until_s: float


class ActuatorAgent(BaseAgent):
    """Does what signed orders say, and answers what became of each."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="actuator",
        purpose="Changes tags of the plant on signed orders and keeps a journal of each",
        capabilities=("act", "command_state"),
    )
    uses: ClassVar[tuple[str, ...]] = (WRITE, READ)

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        instance: str = "1",
        driver: Driver | None = None,
    ) -> None:
        super().__init__(settings, clock, instance)
        self.name = f"{self.spec.name}/{instance}"
        home = settings.data.dir / "checkpoints" / self.spec.name
        self.journal = Journal(home / f"{instance}.journal.sqlite")
        self._driver = driver or PeerDriver(
            self.ask, self.communication.peer, self._option("write_s", WRITE_S)
        )
        self._delay_s = self._option("delay_s", 0.0)
        # bounded by what the app signs within the life of an order
        self._orders: asyncio.Queue[CommandOrder] = asyncio.Queue()
        self._in_hand: dict[str, _InHand] = {}
        self._tags: dict[str, asyncio.Lock] = {}
        self._forgeries = Forgeries(self.spec.name)
        self._done = 0
        self._refused = 0
        self._trouble = ""
        self.bus.subscribe_durable(COMMANDS, CommandOrder, self.take_orders)

    @override
    async def serve(self, stopping: asyncio.Event) -> None:
        await self.journal.open(self.clock.now())
        try:
            await super().serve(stopping)
        finally:
            await self.journal.close()

    @override
    async def run(self) -> None:
        await self._key_or_none()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_of_forgeries(), name="tell of forgeries")
            for line in await self.journal.unfinished():
                group.create_task(self._settle(line), name=f"settle {line.id}")
            while True:
                order = await self._orders.get()
                group.create_task(self._act(order), name=f"order {order.id}")

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        match capability:
            case "act":
                raise InputError("Orders come signed on millwright/commands/…, never as tasks")
            case "command_state":
                return await self._answer_state(parse(Wanted, input))
            case _:
                raise NotFoundError(f'The actuator has no capability "{capability}"')

    @override
    def note(self) -> str:
        said = f"{self._done} orders done, {self._refused} refused, {len(self._in_hand)} in hand"
        return f"{said}; waits {self._delay_s:g} s before each" if self._delay_s else said

    async def take_orders(self, batch: Sequence[Received[CommandOrder]]) -> None:
        """Judge orders from the bus.

        Those to follow are in memory until they begin: the app learns of one that is lost with it.
        """
        for received in batch:
            if received.message.actuator == self.name:
                await self._take(received)

    async def _take(self, received: Received[CommandOrder]) -> None:
        order = received.message
        key = await self._key_or_none()
        if key is None:
            self._disbelieve(received, "there is no command key")
            return
        wrong = why_disbelieved(order, received.topic, key)
        line = None if wrong else await self.journal.find(order.id)
        in_hand = self._in_hand.get(order.id)
        known = line or (in_hand and in_hand.order)
        if not wrong and known is not None and (known.tag, known.value) != (order.tag, order.value):
            wrong = "its id is that of another order"
        if wrong:
            self._disbelieve(received, wrong)
            self._forgeries.take(_unit_of(received.topic), wrong, self.clock.now())
        elif order.id in self._in_hand:
            logger.info("Order %s came again while it is in hand", order.id)
        elif line is not None:
            await self._repeat(line)
        elif reason := self._why_refused(received):
            await self._end(order, AckState.REFUSED, reason)
        else:
            left_s = (order.expires_at - self.clock.now()).total_seconds()
            self._in_hand[order.id] = _InHand(order, self.clock.monotonic() + left_s)
            self._orders.put_nowait(order)

    def _why_refused(self, received: Received[CommandOrder]) -> str:
        return why_refused(
            received.message,
            self.clock.now(),
            retained=received.retained,
            longest_s=self.settings.commands.expires_s,
        )

    def _disbelieve(self, received: Received[CommandOrder], reason: str) -> None:
        order = received.message
        self._refused += 1
        tag = order.tag.encode(errors="replace")[:200]
        self.bus.refuse(received.topic, tag, f'Order "{order.id[:LONGEST_ID]}": {reason}')

    async def _tell_of_forgeries(self) -> None:
        self._forgeries.recall(self.states.stated, self.clock.now())
        while True:
            self.report(self._forgeries.findings(self.clock.now()))
            await self.clock.sleep(AGAIN_S)

    async def _repeat(self, known: Line) -> None:
        """Answer a duplicate from the journal; one that is being done is answered at its end."""
        if known.state is not AckState.STARTED:
            await self._send(self._ack(known))

    async def _act(self, order: CommandOrder) -> None:
        async with self._tags.setdefault(order.tag, asyncio.Lock()):
            try:
                await self._end(order, *await self._follow(order))
            except StoreError:  # if it was begun it stays `started`, and the next start settles it
                logger.exception("Order %s is not concluded in the journal", order.id)
                self._note_trouble("The journal cannot be written; see the agent's log")
            finally:
                del self._in_hand[order.id]

    async def _follow(self, order: CommandOrder) -> tuple[AckState, str, float | None]:
        reason = await self._begin(order)
        if reason:
            return AckState.REFUSED, reason, None
        if self._delay_s:
            await self.clock.sleep(self._delay_s)
        return await self._write(order)

    async def _begin(self, order: CommandOrder) -> str:
        """Note that an order begins as soon as somebody can be asked; return why it never did."""
        reason = "It expired while it waited for another one to the tag"
        while (left_s := self._left_s(order)) > 0:
            reason = self._driver.why_away()
            if not reason:
                await self._note(order, AckState.STARTED)
                return ""
            await self.clock.sleep(min(left_s, AGAIN_S))
        return reason

    def _left_s(self, order: CommandOrder) -> float:
        """Return for how long an order in hand may still be begun, s."""
        by_wall_s = (order.expires_at - self.clock.now()).total_seconds()
        return min(by_wall_s, self._in_hand[order.id].until_s - self.clock.monotonic())

    async def _write(self, order: CommandOrder) -> tuple[AckState, str, float | None]:
        if self._left_s(order) <= 0:
            return AckState.REFUSED, "It expired before the plant was asked", None
        try:
            await self._driver.write(order)
        except BusError as error:
            return await self._read_back(order.tag, order.value, str(error))
        except MillwrightError as error:
            return AckState.REFUSED, str(error), None
        return AckState.DONE, "", None

    async def _read_back(
        self, tag: str, value: float, doubt: str
    ) -> tuple[AckState, str, float | None]:
        try:
            shown = await self._driver.read(tag)
        except MillwrightError as error:
            return AckState.UNKNOWN, f"{doubt}; it cannot be read back: {error}", None
        if is_near(value, shown, 0.0):
            return AckState.DONE, f"Read back; {doubt}", shown
        return AckState.UNKNOWN, f"{doubt}; read back, the plant holds {shown:g}", shown

    async def _settle(self, line: Line) -> None:
        """Find out what became of an order that a former life began, without doing it again."""
        deadline_s = self.clock.monotonic() + SETTLE_S
        doubt = "The actuator stopped while it did it"
        while True:
            state, reason, shown = await self._read_back(line.tag, line.value, doubt)
            if shown is not None or self.clock.monotonic() >= deadline_s:
                break
            await self.clock.sleep(_SETTLE_EACH_S)
        if state is AckState.DONE:
            reason = "Read back after a restart"
        order = CommandOrder(line.id, line.tag, line.value, self.name, line.at)
        while True:
            try:
                await self._end(order, state, reason, shown)
            except StoreError as error:  # what others are at goes on meanwhile
                self._note_trouble(str(error))
                await self.clock.sleep(AGAIN_S)
            else:
                return

    async def _end(
        self, order: CommandOrder, state: AckState, reason: str, shown: float | None = None
    ) -> None:
        line = await self._note(order, state, reason, shown)
        self.work_done()
        self._done += state is AckState.DONE
        self._refused += state is AckState.REFUSED
        logger.info("%s = %g: %s%s", order.tag, order.value, state, f", {reason}" if reason else "")
        await self._send(self._ack(line))

    async def _note(
        self, order: CommandOrder, state: AckState, reason: str = "", shown: float | None = None
    ) -> Line:
        now = self.clock.now()
        line = Line(0, order.id, now, state, order.tag, order.value, reason, shown)
        await self.journal.add(line)
        self._note_trouble("")
        return line

    def _note_trouble(self, reason: str) -> None:
        self._trouble = reason
        self.degraded(reason)

    async def _answer_state(self, wanted: Wanted) -> dict[str, object]:
        line = await self.journal.find(wanted.id)
        ack = self._ack(line) if line else await self._not_begun(wanted)
        key = await asyncio.to_thread(read_key, self.settings)
        output: dict[str, object] = msgspec.to_builtins(sign(ack, key))
        return output

    async def _not_begun(self, wanted: Wanted) -> CommandAck:
        if wanted.id in self._in_hand:
            reason = "It is in hand and has not begun"
            return CommandAck(wanted.id, AckState.STARTED, self.name, self.clock.now(), reason)
        return await self._absent(wanted)

    async def _absent(self, wanted: Wanted) -> CommandAck:
        begun_at = await self.journal.begun_at()
        now = self.clock.now()
        if begun_at > wanted.sent_at:
            reason = f"The journal begins only at {begun_at.isoformat(timespec='seconds')}"
            return CommandAck(wanted.id, AckState.UNKNOWN, self.name, now, reason)
        return CommandAck(
            wanted.id, AckState.ABSENT, self.name, now, "The journal has no such order"
        )

    def _ack(self, line: Line) -> CommandAck:
        return CommandAck(line.id, line.state, self.name, line.at, line.reason, line.shown)

    async def _send(self, ack: CommandAck) -> None:
        """Send an acknowledgement; the app asks for one that it misses."""
        key = await self._key_or_none()
        if key is None:
            return
        try:
            self.bus.publish(ack_topic(ack.id), sign(ack, key), qos=1)
        except BusError as error:
            logger.warning("Acknowledgement of %s is not sent: %s", ack.id, error)

    async def _key_or_none(self) -> bytes | None:
        try:
            key = await asyncio.to_thread(read_key, self.settings)
        except StoreError as error:
            self.degraded(f"Orders are refused: {error}; {error.hint}")
            return None
        self.degraded(self._trouble)
        return key

    def _option(self, name: str, default: float) -> float:
        given = self.options.get(name, default)
        if isinstance(given, str | bool) or not 0 <= given <= _LONGEST_DELAY_S:
            raise SettingsError(
                f"setting agents.actuator.options.{name}: is {given!r}; "
                f"give seconds from 0 to {_LONGEST_DELAY_S:g}"
            )
        return float(given)


def _unit_of(topic: str) -> str:
    return unit_of(topic.removeprefix("millwright/commands/"))

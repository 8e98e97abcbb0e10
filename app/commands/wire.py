"""Orders to actuators and their answers, signed both ways."""

from datetime import datetime

import msgspec

from app.bus.client import Bus, BusState
from app.bus.tasks import TaskClient
from app.commands.surroundings import Instances
from app.core.command import Command, CommandAck, CommandOrder
from app.core.command_signature import is_signed, sign
from app.core.errors import BusError, StoreError
from app.core.topics import command_topic

ACT, STATE = "act", "command_state"
ASK_S = 5.0
SEND_S = 5.0


class Wire:
    """Speaks to actuators; knows the key that orders and answers are signed with.

    Attributes:
        key: None until the app has read or made it.
    """

    def __init__(self, bus: Bus, registry: Instances, tasks: TaskClient) -> None:
        self._bus = bus
        self._registry = registry
        self._tasks = tasks
        self.key: bytes | None = None

    def actuator(self) -> str:
        """Return `name/instance` of the least loaded live actuator; "" if none can be reached."""
        if self._bus.state is not BusState.CONNECTED or self.key is None:
            return ""
        live = self._registry.capable(ACT)
        return f"{live[0].status.spec.name}/{live[0].status.instance}" if live else ""

    def why_none(self) -> str:
        """Return why there is no actuator to send to."""
        if self.key is None:
            return "There is no command key; see Command store on the Health page"
        if self._bus.state is not BusState.CONNECTED:
            return "The broker is away, and with it the actuators"
        return "No actuator is alive; start it on the Agents page"

    async def send(self, command: Command) -> None:
        """Send the order of a dispatched command to its actuator; return when the broker has it.

        Raises:
            BusError: Not confirmed in time: it may arrive all the same, or not at all.
            StoreError: There is no key.
        """
        order = CommandOrder(
            command.id, command.tag, command.value, command.actuator, command.expires_at
        )
        signed = sign(order, self._key())
        await self._bus.publish_confirmed(command_topic(command.tag), signed, timeout_s=SEND_S)

    async def ask(self, command: Command, sent_at: datetime) -> CommandAck | None:
        """Return what the journal of a command's actuator says, None if it is away.

        Raises:
            BusError: It did not answer in time, or not with a right signature.
        """
        name, _, instance = command.actuator.partition("/")
        if not any(
            each.is_live and each.status.instance == instance for each in self._registry.find(name)
        ):
            return None
        wanted: dict[str, object] = {"id": command.id, "sent_at": msgspec.to_builtins(sent_at)}
        result = await self._tasks.request(name, instance, STATE, wanted, ASK_S)
        if result.output is None:
            raise BusError(f"Actuator {command.actuator}: {result.error}")
        try:
            ack = msgspec.convert(result.output, CommandAck)
        except msgspec.ValidationError as error:
            raise BusError(f"Actuator {command.actuator} answered nonsense: {error}") from error
        if ack.id != command.id or not self.is_believed(ack):
            raise BusError(f"Actuator {command.actuator} answered without a right signature")
        return ack

    def check_key(self) -> None:
        """See that there is a key to judge signatures by.

        Raises:
            StoreError: There is none.
        """
        self._key()

    def is_believed(self, ack: CommandAck) -> bool:
        """Tell whether an acknowledgement bears the signature of our key."""
        return self.key is not None and is_signed(ack, self.key)

    def sign(self, ack: CommandAck) -> CommandAck:
        """Return an answer of ours with our signature.

        Raises:
            StoreError: There is no key.
        """
        return sign(ack, self._key())

    def _key(self) -> bytes:
        if self.key is None:
            raise StoreError("There is no command key", hint="See Command store on the Health page")
        return self.key

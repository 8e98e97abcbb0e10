"""How the plant is reached: a driver writes and reads tags; the one here asks another agent."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from app.core.errors import AgentError, BusError, ConflictError
from app.core.task import TaskFailure, TaskResult

WRITE, READ = "write_tag", "read_tag"
_REFUSALS = {TaskFailure.INPUT, TaskFailure.NOT_FOUND, TaskFailure.CONFLICT}

Ask = Callable[[str, dict[str, object], float], Awaitable[TaskResult]]


class Driver(Protocol):
    """Writes and reads tags of the plant."""

    async def write(self, tag: str, value: float) -> None:
        """Set a tag.

        Raises:
            ConflictError, NotFoundError: The plant refuses; nothing was changed.
            BusError: Nobody knows whether it was done.
        """
        ...

    async def read(self, tag: str) -> float:
        """Return what the plant holds.

        Raises:
            MillwrightError: It does not say.
        """
        ...


class _Held(msgspec.Struct):
    value: float


class PeerDriver:
    """Asks the live agent that offers `write_tag` and `read_tag`: in the demo, the simulator."""

    def __init__(self, ask: Ask, timeout_s: float) -> None:
        self._ask = ask
        self._timeout_s = timeout_s

    async def write(self, tag: str, value: float) -> None:
        """Set a tag; a task that is late is refused by the agent, so it is never done afterwards.

        Raises:
            ConflictError, NotFoundError: Refused, or no live agent offers it; nothing was changed.
            BusError: It did not answer, or failed at it.
        """
        result = await self._ask(WRITE, {"tag": tag, "value": value}, self._timeout_s)
        if result.output is not None:
            return
        if result.failure in _REFUSALS:
            raise ConflictError(result.error)
        raise BusError(f"Agent {result.agent}: {result.error}")

    async def read(self, tag: str) -> float:
        """Return the value the agent holds.

        Raises:
            NotFoundError: No live agent offers it.
            BusError: No answer in time.
            AgentError: It answered with no number.
        """
        result = await self._ask(READ, {"tag": tag}, self._timeout_s)
        try:
            return msgspec.convert(result.output, _Held).value
        except msgspec.ValidationError as error:
            raise AgentError(f"Agent {result.agent}: {result.error or error}") from error

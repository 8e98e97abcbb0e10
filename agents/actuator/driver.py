"""How the plant is reached: a driver writes and reads tags; the one here asks another agent."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from app.core.command import CommandOrder
from app.core.command_check import is_near
from app.core.errors import AgentError, BusError, ConflictError, NotFoundError
from app.core.task import TaskFailure, TaskResult

WRITE, READ = "write_tag", "read_tag"
_REFUSALS = {TaskFailure.INPUT, TaskFailure.NOT_FOUND, TaskFailure.CONFLICT}

Ask = Callable[[str, dict[str, object], float], Awaitable[TaskResult]]
Find = Callable[[str], object]
"""Raises NotFoundError when no live agent offers the capability."""


class Driver(Protocol):
    """Writes and reads tags of the plant."""

    def why_away(self) -> str:
        """Return why nobody can be asked to write now, "" if somebody can."""
        ...

    async def write(self, order: CommandOrder) -> None:
        """Set a tag as a signed order says.

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

    def __init__(self, ask: Ask, find: Find, timeout_s: float) -> None:
        self._ask = ask
        self._find = find
        self._timeout_s = timeout_s

    def why_away(self) -> str:
        """Return why nobody can be asked to write now, "" if somebody can."""
        try:
            self._find(WRITE)
        except NotFoundError as error:
            return str(error)
        return ""

    async def write(self, order: CommandOrder) -> None:
        """Hand the order on whole: the agent at the plant checks its signature once more.

        A task that is late is refused by the agent, so it is never done afterwards.

        Raises:
            ConflictError, NotFoundError: Refused, or no live agent offers it; nothing was changed.
            BusError: It did not answer, failed at it, or holds another value after it.
        """
        given: dict[str, object] = {"order": msgspec.to_builtins(order)}
        result = await self._ask(WRITE, given, self._timeout_s)
        if result.failure in _REFUSALS:
            raise ConflictError(result.error)
        try:
            held = msgspec.convert(result.output, _Held).value
        except msgspec.ValidationError as error:
            raise BusError(f"Agent {result.agent}: {result.error or error}") from error
        if not is_near(order.value, held, 0.0):
            raise BusError(f"Agent {result.agent} says that it holds {held:g}")

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

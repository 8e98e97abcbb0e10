"""Asking live agents, ours and those run elsewhere, to do what they offer."""

from collections.abc import Callable, Sequence
from typing import assert_never

from app.bus.tasks import TaskClient
from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.core.errors import (
    AgentAwayError,
    AgentError,
    ConflictError,
    FieldsError,
    InputError,
    MillwrightError,
    NotFoundError,
)
from app.core.task import TaskFailure, TaskResult

TASK_S = 10.0


class AgentCalls:
    """Finds the live instance of an agent and hands it a task."""

    def __init__(self, tasks: TaskClient, rows: Callable[[], Sequence[AgentRow]]) -> None:
        self._tasks = tasks
        self._rows = rows

    def name(self, name: str) -> str:
        """Return the agent a seed name stands for, or the name itself."""
        aliases = {alias: row.name for row in self._rows() for alias in row.aliases}
        return aliases.get(name, name)

    async def predict(self, agent: str, features: dict[str, object]) -> dict[str, object]:
        """Ask an agent's model about one set of features.

        Raises:
            NotFoundError: No agent of that name offers predictions.
            AgentError, BusError, ConflictError, InputError: As `ask`.
        """
        name = self.name(agent)
        offered = (each for row in self._rows() if row.name == name for each in row.capabilities)
        capability = next((each for each in offered if each.startswith("predict")), None)
        if capability is None:
            raise NotFoundError(f'No agent "{agent}" that predicts is known; see GET /api/agents')
        return await self.ask(name, capability, features)

    async def ask(
        self, agent: str, capability: str, given: dict[str, object], *, timeout_s: float = TASK_S
    ) -> dict[str, object]:
        """Let a live instance do a task; return its output.

        Raises:
            AgentAwayError: No instance lives; the message says what it does instead.
            BusError: The live instance did not answer in time.
            ConflictError, NotFoundError, InputError: The agent refuses.
            FieldsError: Fields are wrong or missing; its `details` name each.
            AgentError: The agent could not do it.
        """
        rows = [row for row in self._rows() if row.name == agent]
        row = next((row for row in rows if row.connected), None)
        if row is None:
            raise _away(agent, rows)
        result = await self._tasks.request(agent, row.instance, capability, given, timeout_s)
        if result.output is None:
            raise _error(result)
        return result.output


def _away(agent: str, rows: Sequence[AgentRow]) -> AgentAwayError:
    soon = "Ask again in a few seconds; its state and log are on the Agents page"
    words, hint = f'Agent "{agent}" is not heard', "Start it on the Agents page"
    for row in rows:
        match row.state:
            case AgentState.STOPPED | AgentState.STOPPING | AgentState.OFFLINE:
                words = f'Agent "{agent}" is stopped'
            case AgentState.FAILED:
                words = f'Agent "{agent}" has failed and is not started again by itself'
            case AgentState.BACKING_OFF:
                words, hint = f'Agent "{agent}" has failed and is about to start again', soon
            case AgentState.STARTING:
                words, hint = f'Agent "{agent}" is starting', soon
            case AgentState.RUNNING | AgentState.DEGRADED:
                words, hint = f'Agent "{agent}" runs, but its messages do not arrive', soon
            case _:
                assert_never(row.state)
        words += f": {row.reason}" if row.reason else ""
    return AgentAwayError(words, hint)


def _error(result: TaskResult) -> MillwrightError:
    if result.details:
        return FieldsError(result.error, result.details)
    match result.failure:
        case TaskFailure.INPUT:
            return InputError(result.error)
        case TaskFailure.NOT_FOUND:
            return NotFoundError(result.error)
        case TaskFailure.CONFLICT | TaskFailure.NONE:  # an older agent gives no word
            return ConflictError(result.error)
        case TaskFailure.UNABLE | TaskFailure.EXPIRED | TaskFailure.FAULT:
            hint = "Its state and log are on the Agents page; then try again"
            return AgentError(f"Agent {result.agent}: {result.error}", hint)
        case _:
            assert_never(result.failure)

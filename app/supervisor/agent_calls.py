"""Asking live agents, ours and those run elsewhere, to do what they offer."""

from collections.abc import Callable, Sequence

from app.bus.tasks import TaskClient
from app.core.agent_row import AgentRow
from app.core.errors import BusError, ConflictError, FieldsError, NotFoundError

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
            BusError, ConflictError, FieldsError: As `ask`.
        """
        name = self.name(agent)
        offered = (each for row in self._rows() if row.name == name for each in row.capabilities)
        capability = next((each for each in offered if each.startswith("predict")), None)
        if capability is None:
            raise NotFoundError(f'No agent "{agent}" that predicts is known; see GET /api/agents')
        return await self.ask(name, capability, features)

    async def ask(self, agent: str, capability: str, given: dict[str, object]) -> dict[str, object]:
        """Let a live instance do a task; return its output.

        Raises:
            BusError: No live instance answered in time.
            ConflictError: The agent refuses.
            FieldsError: Fields are wrong or missing; its `details` name each.
        """
        live = (row for row in self._rows() if row.name == agent and row.connected)
        row = next(live, None)
        if row is None:
            raise BusError(
                f'No live instance of agent "{agent}" answers', hint="Start it on the Agents page"
            )
        result = await self._tasks.request(agent, row.instance, capability, given, TASK_S)
        if result.details:
            raise FieldsError(result.error, result.details)
        if result.output is None:
            raise ConflictError(result.error)
        return result.output

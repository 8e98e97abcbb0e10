"""A real broker that a test may kill, and buses that are stopped when it ends."""

import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from app.bus.broker_engine import argv, config_text, find_engine
from app.bus.client import Bus, Outgoing, Received
from app.clock import SystemClock
from app.core.clock import Clock
from app.settings import BrokerSettings, Settings
from tests.ports import free_port

MakeBus = Callable[..., Bus]


class KillableBroker:
    """A nats-server process that a test kills and starts again on the same port and store."""

    def __init__(self, folder: Path) -> None:
        self.settings = BrokerSettings(port=free_port(), engine="nats", ack_wait_s=1)
        engine = find_engine("nats")
        assert engine
        config = folder / "nats.conf"
        config.write_text(config_text(engine, self.settings, folder / "store"))
        self._command = argv(engine, config)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def hang(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Inbox:
    """A handler that keeps what it is given."""

    def __init__(self) -> None:
        self.received: list[Received[Any]] = []

    def __call__(self, batch: Sequence[Received[Any]]) -> None:
        self.received.extend(batch)

    async def durable(self, batch: Sequence[Received[Any]]) -> None:
        self(batch)

    @property
    def messages(self) -> list[Any]:
        return [received.message for received in self.received]


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[KillableBroker]:
    broker = KillableBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
async def make_bus(connected_settings: Settings) -> AsyncIterator[MakeBus]:
    async with AsyncExitStack() as stack:

        def make(
            client_id: str,
            settings: Settings = connected_settings,
            clock: Clock | None = None,
            *,
            persistent: bool = False,
            will: Outgoing | None = None,
        ) -> Bus:
            bus = Bus(settings, client_id, clock or SystemClock(), persistent=persistent, will=will)
            stack.push_async_callback(bus.stop)
            return bus

        yield make

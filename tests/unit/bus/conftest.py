"""A real broker that a test may kill, and buses that are stopped when it ends."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from app.bus.client import Bus, Outgoing, Received
from app.clock import SystemClock
from app.core.clock import Clock
from app.settings import Settings
from tests.broker_process import BrokerProcess

MakeBus = Callable[..., Bus]


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
def killable(tmp_path: Path) -> Iterator[BrokerProcess]:
    broker = BrokerProcess(tmp_path)
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

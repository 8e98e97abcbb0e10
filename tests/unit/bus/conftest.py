"""A real broker for the bus tests: nats-server with MQTT on a free port."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import BrokerSettings, Settings

NATS = Path(sys.executable).parent / "nats-server"


class RealBroker:
    """A nats-server process that a test may kill and start again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "nats.conf"
        self._config.write_text(
            f"""server_name: test
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{folder}/store" }}
mqtt {{ listen: "127.0.0.1:{self.port}", ack_wait: "1s", max_ack_pending: 1000 }}
"""
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [NATS, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    @property
    def settings(self) -> Settings:
        return Settings(broker=BrokerSettings(url=f"mqtt://127.0.0.1:{self.port}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RealBroker]:
    broker = RealBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()

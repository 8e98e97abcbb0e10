"""Starts the whole app as a process of its own, on free ports and an empty data folder."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil

from app.core.errors import MillwrightError

START_S = 60.0
STOP_S = 15.0
POLL_S = 0.1
_PORTS = range(15_000, 32_000)
"""Below those of outgoing connections, which begin at 32768 on Linux and at 49152 elsewhere."""
_TRIES = 100
_random = random.SystemRandom()  # benchmarks side by side must not draw the same


class AppProcess(NamedTuple):
    """A running app.

    Attributes:
        process: Its main process.
        url: Where it answers.
        broker_port: MQTT port of its embedded broker.
        first_values_s: From start to the first 100 good tags, s.
    """

    process: psutil.Process
    url: str
    broker_port: int
    first_values_s: float

    def family(self) -> list[psutil.Process]:
        """Return the app's process and all processes below it."""
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def app_process(
    environment: dict[str, str] | None = None, data: Path | None = None
) -> Generator[AppProcess]:
    """Run the demo plant until the block ends; everything it started is stopped then.

    Args:
        environment: Settings beside those of this process.
        data: Data folder; an empty one that is deleted again if none is named.

    Raises:
        MillwrightError: No live values within START_S.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        began = time.monotonic()
        with started_app(data or Path(folder), environment) as running:
            _wait_for_values(running, began + START_S)
            yield running._replace(first_values_s=time.monotonic() - began)


@contextmanager
def started_app(data: Path, environment: dict[str, str] | None = None) -> Generator[AppProcess]:
    """Run the demo plant from the moment its process is made; it may not answer yet."""
    port, broker_port = free_port(), free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port), "--data", str(data)],
        cwd=Path(__file__).parent.parent.parent,
        env={
            **os.environ,
            "MILLWRIGHT_BROKER__PORT": str(broker_port),
            **(environment or {}),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process = psutil.Process(child.pid)
        yield AppProcess(process, f"http://127.0.0.1:{port}", broker_port, 0.0)
    finally:
        _stop(child)


def free_port() -> int:
    """Return a loopback port that nobody listens on and that no outgoing connection takes.

    One of the system's choice may be such a connection's before the app binds it.

    Raises:
        MillwrightError: None of those that were tried is free.
    """
    for port in _random.sample(_PORTS, _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise MillwrightError(
        f"None of {_TRIES} ports from {_PORTS.start} to {_PORTS.stop} is free on 127.0.0.1"
    )


def get_json(url: str) -> object:
    """Return the decoded JSON answer of a GET.

    Raises:
        OSError: No answer, or an error status.
    """
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  loopback http only
        decoded: object = msgspec.json.decode(answer.read())
        return decoded


def _wait_for_values(running: AppProcess, deadline: float) -> None:
    while time.monotonic() < deadline and running.process.status() != psutil.STATUS_ZOMBIE:
        with suppress(urllib.error.URLError, OSError):
            if str(get_json(f"{running.url}/api/tags")).count("'quality': 'good'") >= 100:
                return
        time.sleep(POLL_S)
    raise MillwrightError(f"The app showed no live values within {START_S:g} s")


def _stop(child: subprocess.Popen[bytes]) -> None:
    family = psutil.Process(child.pid).children(recursive=True) if child.poll() is None else []
    child.terminate()
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for process in family:
        if process.is_running():
            process.kill()

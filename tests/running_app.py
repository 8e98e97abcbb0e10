"""Starts the real app as a process of its own and asks it over HTTP."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from tests.clean_environment import clean_environment
from tests.ports import free_port

POLL_S = 0.1
ANSWER_S = 30.0  # on a busy machine; nobody asks here how fast it is


class RunningApp:
    """The app, its address and its family of processes."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, broker_port: int) -> None:
        self.process = process
        self.port = port
        self.broker_port = broker_port
        self.url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        """Return the JSON answer, or an empty list while the app does not answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=ANSWER_S) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            return []

    def post(self, path: str, **body: object) -> Any:
        """Post a JSON body and return the JSON answer."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return json.load(answer)

    def good_tags(self) -> int:
        """Return how many tags have a good value now."""
        return sum(1 for tag in self.get("/api/tags") if tag["quality"] == "good")

    def newer_tags(self, than: datetime) -> int:
        """Return how many tags have a good value that a source gave later than that."""
        good = [tag for tag in self.get("/api/tags") if tag["quality"] == "good"]
        return sum(1 for tag in good if datetime.fromisoformat(tag["source_time"]) > than)

    def newest_source_time(self) -> str:
        """Return the newest source time of all tags, ISO 8601 in UTC."""
        return max((tag["source_time"] or "" for tag in self.get("/api/tags")), default="")

    def agent(self, name: str) -> dict[str, Any]:
        """Return the row of an agent, empty if unknown."""
        rows = [row for row in self.get("/api/agents") if row["name"] == name]
        return rows[0] if rows else {}

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run, empty while the app does not answer."""
        return self.get(f"/api/runs/{run_id}") or {}

    def component(self, name: str) -> dict[str, Any]:
        """Return a component of the health, empty while the app does not answer."""
        found = self.get("/api/health")
        parts: list[dict[str, Any]] = found["components"] if found else []
        named = [part for part in parts if part["name"] == name]
        return named[0] if named else {}

    def history(self, tag: str) -> list[dict[str, Any]]:
        """Return the points of a tag since the beginning of the test."""
        found = self.get(f"/api/tags/{tag}/history?points=2000")
        return found["points"] if found else []

    def family(self) -> list[psutil.Process]:
        """Return all child processes, grandchildren too."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def wait_until(self, condition: Callable[[], object], within_s: float) -> None:
        """Poll until `condition` holds.

        Raises:
            AssertionError: It did not hold in time, or the app ended.
        """
        deadline = time.monotonic() + within_s
        while not condition():
            assert self.process.poll() is None, "the app ended"
            assert time.monotonic() < deadline, f"not within {within_s} s"
            time.sleep(POLL_S)

    def kill_everything(self) -> None:
        """End the app and all it started."""
        family = self.family() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait(10)
        for process in family:
            if process.is_running():
                process.kill()
        psutil.wait_procs(family, timeout=5)


def start_app(data: Path, port: int = 0, broker_port: int = 0, *options: str) -> RunningApp:
    """Start the app on free ports with its data in `data`."""
    port, broker_port = port or free_port(), broker_port or free_port()
    process = app_process(data, port, broker_port, *options)
    return RunningApp(process, port, broker_port)


def app_process(
    data: Path, port: int, broker_port: int, *options: str, stderr: int | None = None
) -> subprocess.Popen[bytes]:
    """Start the app and return its process alone."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port), "--data", str(data), *options],
        env={**clean_environment(), "MILLWRIGHT_BROKER__PORT": str(broker_port)},
        stderr=stderr,
    )

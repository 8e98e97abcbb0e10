"""Chromium and a server that the test feeds."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.bench.live_browser import FLAGS
from tests.chromium import find_chromium
from tests.clean_environment import clean_environment
from tests.ports import free_port

START_S = 90.0
EXPECT_MS = 20_000  # on a busy machine; what must be quick is measured by its test


class LiveServer:
    """The pages in a process that can be fed, killed and started again on the same port."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.live_server", str(self._port), str(self._data)],
            stdin=subprocess.PIPE,
            env=clean_environment(),
        )
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, f"the server does not answer within {START_S} s"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def feed(self, **values: float | str | None) -> None:
        """Send values by the last segment of their tag, or `alarm` with a message ("" ends it)."""
        unit = "riverside/utilities/cooling/pump-101"
        told = {key if key == "alarm" else f"{unit}/{key}": value for key, value in values.items()}
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None


def until(page: Page, condition: Callable[[], object]) -> None:
    """Let the browser go on until something holds that no locator can tell.

    Raises:
        AssertionError: It did not hold in time.
    """
    deadline = time.monotonic() + EXPECT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline, f"not within {EXPECT_MS} ms"
        page.wait_for_timeout(50)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    running = LiveServer(tmp_path_factory.mktemp("live") / "data")
    try:
        running.start()
        yield running
    finally:
        running.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=EXPECT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages_url(server: LiveServer) -> str:
    """Where the pages are; a module with an app of its own overrides it."""
    return server.url


@pytest.fixture(scope="module")
def browsing(chromium: Browser, pages_url: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=pages_url)
    yield context
    context.close()


@pytest.fixture
def page(browsing: BrowserContext) -> Iterator[Page]:
    page = browsing.new_page()
    page.set_viewport_size({"width": 1366, "height": 768})
    page.set_default_timeout(EXPECT_MS)
    yield page
    page.evaluate("localStorage.clear()")
    page.close()

"""An app that a test starts cannot tell anybody: the developer's accounts do not reach it."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

OUTSIDE = {
    "TWILIO_ACCOUNT_SID": "AC0",
    "TWILIO_AUTH_TOKEN": "secret",
    "TWILIO_FROM_NUMBER": "+15005550006",
    "TWILIO_TO_NUMBER": "+15005550009",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
LONG_S = 90.0


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningApp]:
    for name, text in OUTSIDE.items():
        monkeypatch.setenv(name, text)
    running = start_app(tmp_path / "data", 0, 0, "--no-demo")
    yield running
    running.kill_everything()


def test_neither_app_nor_agents_have_the_developers_accounts(app: RunningApp):
    app.wait_until(lambda: app.agent("notifier").get("note"), within_s=LONG_S)
    processes = [psutil.Process(app.process.pid), *app.family()]
    seen = {name for process in processes for name in process.environ()}
    assert "PATH" in seen
    assert seen & OUTSIDE.keys() == set()
    assert app.agent("notifier")["note"] == "no route is configured"

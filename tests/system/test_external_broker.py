"""The app on a Mosquitto that is not ours: started late, stopped, started again."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.running_app import RunningApp, start_app

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/sbin")
LONG_S = 90.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
]


class Mosquitto:
    """A broker on a fixed loopback port with its store in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
            f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
            "max_queued_messages 0\nset_tcp_nodelay true\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)])

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    yield broker
    broker.stop()


@pytest.fixture
def app(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[RunningApp]:
    running = start_app(
        tmp_path / "data", 0, 0, "--demo", "--broker", f"mqtt://127.0.0.1:{mosquitto.port}"
    )
    yield running
    running.kill_everything()


def test_a_broker_that_is_not_there_is_named_with_its_remedy(app: RunningApp):
    app.wait_until(lambda: app.component("Bus").get("remedy"), within_s=LONG_S)
    said = app.component("Bus")
    assert said["state"] != "ok"
    assert "broker.url" in said["remedy"]


def test_values_flow_when_mosquitto_comes_late_and_again_after_it_was_away(
    app: RunningApp, mosquitto: Mosquitto
):
    app.wait_until(lambda: app.component("Bus").get("reason"), within_s=LONG_S)
    mosquitto.start()
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    mosquitto.stop()
    app.wait_until(lambda: app.component("Bus").get("state") != "ok", within_s=LONG_S)
    seen = app.newest_source_time()
    mosquitto.start()
    app.wait_until(lambda: app.newest_source_time() > seen, within_s=LONG_S)


def test_a_row_from_mosquitto_pub_is_stored_once(app: RunningApp, mosquitto: Mosquitto):
    publisher = shutil.which("mosquitto_pub")
    if publisher is None:
        pytest.skip("mosquitto-clients is not installed")
    mosquitto.start()
    app.wait_until(lambda: app.component("Bus").get("state") == "ok", within_s=LONG_S)
    at = datetime.now(UTC).replace(microsecond=0)
    command = [publisher, "-h", "127.0.0.1", "-p", str(mosquitto.port), "-q", "1"]
    for row in (row_of(at, 42.5), row_of(at, 42.5), row_of(at + timedelta(seconds=1), 43.5)):
        subprocess.run([*command, "-t", "sensors/factory/data", "-m", row], check=True, timeout=20)
    app.wait_until(lambda: stored(app)[-1:] == [43.5], within_s=LONG_S)
    assert stored(app) == [42.5, 43.5]


def row_of(at: datetime, torque: float) -> str:
    return json.dumps({"Machine_ID": "M7", "Timestamp": at.isoformat(), "Torque [Nm]": torque})


def stored(app: RunningApp) -> list[float]:
    return [point["v"] for point in app.history("factory/floor/line/M7/Torque_Nm")]

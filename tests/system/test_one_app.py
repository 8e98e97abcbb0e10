"""A second app beside the first, and an app that is stopped before it has started."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port
from tests.running_app import POLL_S, RunningApp, app_process, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

LONG_S = 90.0
GONE_S = 20.0


def test_a_second_app_on_the_same_data_is_refused_in_one_line(tmp_path: Path):
    first = start_app(tmp_path / "data")
    try:
        first.wait_until(lambda: first.get("/healthz"), within_s=LONG_S)
        second = subprocess.run(
            [sys.executable, "-m", "app", "--port", "1", "--data", str(tmp_path / "data")],
            capture_output=True,
            text=True,
            timeout=LONG_S,
            check=False,
        )
        assert (second.returncode, second.stderr.count("\n")) == (2, 1)
        assert f"in use by Millwright at {first.url}" in second.stderr
    finally:
        first.kill_everything()


def test_a_second_app_with_the_same_broker_port_leaves_the_first_alone(tmp_path: Path):
    first = start_app(tmp_path / "a")
    first.wait_until(lambda: first.good_tags() >= 150, within_s=LONG_S)
    second = start_app(tmp_path / "b", broker_port=first.broker_port)
    try:
        second.wait_until(
            lambda: "used by another program" in second.component("Broker").get("reason", ""),
            within_s=LONG_S,
        )
        seen = first.newest_source_time()
        first.wait_until(lambda: first.newest_source_time() > seen, within_s=LONG_S)
        assert second.get("/api/tags") == []
        assert [row["name"] for row in second.get("/api/agents") if row.get("pid")] == []
        assert {row.get("restarts", 0) for row in first.get("/api/agents")} == {0}
        assert first.component("Bus")["state"] == "ok"
        first.kill_everything()
        second.wait_until(lambda: second.good_tags() >= 150, within_s=LONG_S)
    finally:
        second.kill_everything()
        first.kill_everything()


@pytest.mark.parametrize("after_s", [0.1, 0.7, 1.7, 2.7, 4.2, 5.7])
def test_a_stop_in_the_middle_of_the_start_leaves_nothing(tmp_path: Path, after_s: float):
    app = app_process(tmp_path / "data", free_port(), free_port(), stderr=subprocess.PIPE)
    wait_until_it_loads(app)
    with pytest.raises(subprocess.TimeoutExpired):
        app.wait(after_s)
    family = psutil.Process(app.pid).children(recursive=True)
    app.send_signal(signal.SIGINT)
    _, errors = app.communicate(timeout=GONE_S)
    assert app.returncode in {0, 1}, errors.decode()[-2000:]
    assert b"Traceback" not in errors
    assert b"cut short" not in errors
    _, alive = psutil.wait_procs(family, timeout=GONE_S)
    assert alive == []


def test_a_second_ctrl_c_cuts_no_stop_short(tmp_path: Path):
    port, broker_port = free_port(), free_port()
    app = app_process(tmp_path / "data", port, broker_port, stderr=subprocess.PIPE)
    running = RunningApp(app, port, broker_port)
    running.wait_until(lambda: running.get("/healthz"), within_s=LONG_S)
    for _ in range(2):
        app.send_signal(signal.SIGINT)
        time.sleep(POLL_S)  # two at once would count as one
    _, errors = app.communicate(timeout=GONE_S)
    assert app.returncode == 0, errors.decode()[-2000:]
    assert b"millwright: stopping, which takes at most" in errors
    assert b"Traceback" not in errors
    assert b"not stored" not in errors


def wait_until_it_loads(app: subprocess.Popen[bytes]) -> None:
    """Wait until Python itself has started and loads what the command needs."""
    deadline = time.monotonic() + LONG_S
    while not any("pydantic_core" in each.path for each in psutil.Process(app.pid).memory_maps()):
        assert time.monotonic() < deadline, "the app loads nothing"
        time.sleep(POLL_S)

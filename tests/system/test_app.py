"""The whole product as its two commands start it: real processes, broker, agents, files."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest

from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

FORWARDED = "X-Forwarded-For"
LONG_S = 90.0  # on a busy machine; how fast it really is stands in docs/benchmarks.md
GONE_S = 20.0  # what is not killed with the app lives on for as long as it likes


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    running = start_app(tmp_path / "data")
    yield running
    running.kill_everything()


def test_values_of_the_whole_demo_plant_are_live_after_the_start(app: RunningApp):
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)


def test_ctrl_c_stops_everything_within_ten_seconds(app: RunningApp):
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    family = app.family()
    app.process.send_signal(signal.SIGINT)
    assert app.process.wait(10) == 0
    assert [process for process in family if process.is_running()] == []


def test_nothing_is_left_after_kill_9_of_the_app(app: RunningApp):
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    family = app.family()
    app.process.kill()
    _, alive = psutil.wait_procs(family, timeout=GONE_S)
    assert alive == []


def test_history_and_alarms_survive_kill_9_and_restart(app: RunningApp, tmp_path: Path):
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    app.post("/api/orchestrator/alert", level="high", type="leak", source="test", details="oil")
    tag = app.get("/api/tags")[0]["path"]
    app.wait_until(lambda: len(app.history(tag)) >= 5, within_s=LONG_S)
    before = app.history(tag)
    count = batches(app)
    app.wait_until(lambda: batches(app) >= count + 2, within_s=LONG_S)  # one was under way
    app.process.kill()
    app.process.wait(5)
    again = start_app(tmp_path / "data", app.port, app.broker_port)
    try:
        again.wait_until(lambda: again.good_tags() >= 150, within_s=LONG_S)
        again.wait_until(lambda: again.history(tag), within_s=LONG_S)  # it opens meanwhile
        kept = {point["t"] for point in again.history(tag)}
        assert [point for point in before if point["t"] not in kept] == []
        assert "leak" in json.dumps(again.get("/api/alarms"))
    finally:
        again.kill_everything()


def batches(app: RunningApp) -> float:
    """Return how many batches of readings are committed."""
    lines = httpx.get(f"{app.url}/metrics", timeout=LONG_S).text.splitlines()
    (line,) = [each for each in lines if each.startswith("millwright_history_flushes_total ")]
    return float(line.split()[1])


def test_an_agent_killed_comes_back_and_says_so(app: RunningApp):
    app.wait_until(lambda: app.agent("vibration").get("connected"), within_s=LONG_S)
    pid = app.agent("vibration")["pid"]
    os.kill(pid, signal.SIGKILL)
    app.wait_until(lambda: app.agent("vibration").get("restarts") == 1, within_s=LONG_S)
    app.wait_until(
        lambda: (row := app.agent("vibration")).get("connected") and row["pid"] != pid,
        within_s=LONG_S,
    )


def test_the_broker_killed_comes_back_and_values_flow_again(app: RunningApp):
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    broker = next(child for child in app.family() if "nats-server" in child.name())
    broker.kill()
    psutil.wait_procs([broker], timeout=GONE_S)
    killed = datetime.now(UTC)
    app.wait_until(lambda: app.newer_tags(killed) >= 150, within_s=LONG_S)


def test_a_busy_port_is_one_clear_line(app: RunningApp, tmp_path: Path):
    app.wait_until(lambda: app.good_tags() >= 1, within_s=LONG_S)
    second = subprocess.run(
        [sys.executable, "-m", "app", "--port", str(app.port), "--data", str(tmp_path / "b")],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    assert (second.returncode, second.stderr.count("\n")) == (2, 1)
    assert "server.port" in second.stderr


def test_a_foreign_host_is_refused_with_the_reason(tmp_path: Path):
    refused = subprocess.run(
        [sys.executable, "-m", "app", "--host", "0.0.0.0", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    assert refused.returncode == 2
    assert "server.host" in refused.stderr
    assert "no login yet" in refused.stderr


def test_a_header_of_proxies_gives_no_caller_a_rate_of_its_own(tmp_path: Path):
    slow = tmp_path / "slow.toml"
    slow.write_text("[server]\nqueries_per_s = 0.1\nburst_s = 10\n")  # one in ten seconds
    app = start_app(tmp_path / "data", 0, 0, "--settings", str(slow))
    try:
        app.wait_until(lambda: app.get("/healthz"), within_s=LONG_S)
        with httpx.Client(base_url=app.url, timeout=LONG_S) as caller:
            answers = [
                caller.get("/api/vibration/history", headers={FORWARDED: f"10.0.0.{n}"})
                for n in range(20)
            ]
    finally:
        app.kill_everything()
    assert answers[0].status_code != 429
    assert 429 in {answer.status_code for answer in answers[1:]}


def test_a_history_is_refused_soon_until_it_is_open_and_then_read(app: RunningApp):
    app.wait_until(lambda: app.get("/healthz"), within_s=LONG_S)
    refused: list[httpx.Response] = []

    def is_read() -> bool:
        answer = httpx.get(f"{app.url}/api/tags/a/b/c/d/e/history", timeout=LONG_S)
        if answer.status_code == 503:
            refused.append(answer)
        return answer.status_code == 404

    app.wait_until(is_read, within_s=LONG_S)
    assert {answer.headers.get("Retry-After") for answer in refused} <= {"2"}

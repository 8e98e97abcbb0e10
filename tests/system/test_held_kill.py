"""A message that waits for quiet starts its run after kill -9 of the app, and once."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.mqtt_peer import peer
from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONG_S = 90.0
QUIET_S = 20
WORKFLOW = f"""
name = "wash"

[inputs.n]
kind = "number"

[[triggers]]
on = "mqtt"
topic = "line/+/done"
debounce_s = {QUIET_S}
[triggers.input]
n = "${{event.payload.n}}"

[[steps]]
id = "one"
do = "wait"
with = {{ seconds = 0.01 }}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    (made / "workflows").mkdir(parents=True)
    (made / "workflows" / "wash.toml").write_text(WORKFLOW, encoding="utf-8")
    return made


@pytest.fixture
def lives() -> Iterator[list[RunningApp]]:
    started: list[RunningApp] = []
    yield started
    for app in started:
        app.kill_everything()


def live(data: Path, lives: list[RunningApp]) -> RunningApp:
    app = start_app(data, 0, 0, "--no-demo")
    lives.append(app)
    app.wait_until(lambda: app.component("Workflows").get("state") == "ok", within_s=LONG_S)
    app.wait_until(lambda: app.component("Broker").get("state") == "ok", within_s=LONG_S)
    return app


def held(data: Path) -> int:
    file = next(data.rglob("runs.sqlite"))
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as found:
        return int(found.execute("SELECT count(*) FROM held_events").fetchone()[0])


def runs(app: RunningApp) -> list[float]:
    found = app.get("/api/runs?workflow=wash")
    return [run["input"]["n"] for run in found] if found else []


async def test_a_message_that_waits_for_quiet_outlives_kill_9(data: Path, lives: list[RunningApp]):
    app = live(data, lives)
    with peer(app.broker_port, "line") as outside:
        await outside.connected()
        said_s = time.monotonic()
        await outside.publish("line/1/done", b'{"n": 1}')
        await outside.publish("line/1/done", b'{"n": 2}')
        await outside.publish("line/2/done", b'{"n": 3}')
        app.wait_until(lambda: held(data) == 2, within_s=LONG_S)
    was_quiet_s = time.monotonic() - said_s
    app.kill_everything()
    assert was_quiet_s < QUIET_S, "the machine was too slow to kill it in time"

    again = live(data, lives)
    again.wait_until(lambda: len(runs(again)) == 2, within_s=LONG_S)
    again.wait_until(lambda: held(data) == 0, within_s=LONG_S)
    assert sorted(runs(again)) == [2, 3]

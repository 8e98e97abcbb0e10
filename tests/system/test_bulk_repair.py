"""Many runs repaired at once over HTTP, on the real app: mixed outcomes, reasons, and a crash."""

import json
import urllib.error
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONG_S = 90.0
WHY = "the line was washed"
BULK = "/api/runs/bulk"
ASK = """
name = "ask"

[[steps]]
id = "first"
do = "approve"
with = { question = "Go on?" }
"""
FAIL = """
name = "fail"

[[steps]]
id = "sure"
do = "wait"
with = { seconds = 0.01 }

[[steps]]
id = "broken"
do = "wait"
needs = ["sure"]
with = { until = "1 / 0 > 1" }
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    running = started(tmp_path_factory.mktemp("bulk") / "data")
    yield running
    running.kill_everything()


def started(data: Path) -> RunningApp:
    (data / "workflows").mkdir(parents=True, exist_ok=True)
    for name, text in (("ask", ASK), ("fail", FAIL)):
        (data / "workflows" / f"{name}.toml").write_text(text, encoding="utf-8")
    running = start_app(data, 0, 0, "--no-demo")
    running.wait_until(lambda: is_ready(running), within_s=LONG_S)
    return running


def is_ready(app: RunningApp) -> bool:
    return bool(app.component("Workflows").get("state") == "ok" and app.get("/api/workflows"))


def begin(app: RunningApp, name: str, state: str) -> str:
    """Start a run and return its id once it is in a state."""
    run_id: str = app.post(f"/api/workflows/{name}/runs")["id"]
    app.wait_until(lambda: state_of(app, run_id) == state, within_s=LONG_S)
    return run_id


def state_of(app: RunningApp, run_id: str) -> str:
    run = app.get(f"/api/runs/{run_id}")
    return run["state"] if run else ""


def bulk(app: RunningApp, action: str, *ids: str, **more: object) -> dict[str, dict[str, Any]]:
    """Ask for an action on many runs and return each one's outcome, in the order of the answer."""
    found = app.post(BULK, ids=list(ids), action=action, **{"why": WHY, **more})
    return {each["id"]: each for each in found}


def refused(app: RunningApp, **body: object) -> tuple[int, str]:
    """Return status and message of what is not accepted at all."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        app.post(BULK, **body)
    return caught.value.code, str(json.load(caught.value)["message"])


def test_each_run_has_its_own_outcome_whatever_became_of_the_others(app: RunningApp):
    bad, asks, seen = begin(app, "fail", "failed"), begin(app, "ask", "waiting"), "0" * 16
    repeated = bulk(app, "retry", bad, asks, seen, bad)
    again = bulk(app, "retry", bad)
    over = bulk(app, "cancel", asks, bad, seen)
    app.wait_until(lambda: state_of(app, asks) == "cancelled", within_s=LONG_S)
    reviewed = bulk(app, "review", asks, bad, repeated[bad]["run"])

    assert {run: each["ok"] for run, each in repeated.items()} == {
        bad: True, asks: False, seen: False,
    }  # fmt: skip
    assert "is not over; cancel it first" in repeated[asks]["message"]
    assert "no run" in repeated[seen]["message"]
    assert f"already, by run {repeated[bad]['run']}" in again[bad]["message"]
    assert {run: each["ok"] for run, each in over.items()} == {
        asks: True, bad: False, seen: False,
    }  # fmt: skip
    assert "is over already: it is failed" in over[bad]["message"]
    assert (reviewed[asks]["ok"], reviewed[bad]["ok"]) == (False, True)
    assert "only a failure is seen to" in reviewed[asks]["message"]


def test_what_was_repeated_or_seen_to_is_no_dead_letter_any_more(app: RunningApp):
    repeated, seen, left = (begin(app, "fail", "failed") for _ in range(3))
    fresh = bulk(app, "retry", repeated, begin="stopped")[repeated]["run"]
    app.wait_until(lambda: state_of(app, fresh) == "failed", within_s=LONG_S)
    bulk(app, "review", seen)
    steps = app.get(f"/api/runs/{fresh}")["steps"]

    dead = {each["id"] for each in app.get("/api/dead-letters/runs")}
    assert dead & {repeated, seen, left, fresh} == {fresh, left}
    assert [each["carried"] for each in steps] == [True, False]


def test_without_a_reason_nothing_is_done_and_every_one_done_stands_in_the_audit(app: RunningApp):
    bad, asks = begin(app, "fail", "failed"), begin(app, "ask", "waiting")
    wanted = {"ids": [bad, asks], "action": "cancel"}
    without = refused(app, **wanted)
    empty = refused(app, **wanted, why="  ")
    unknown = refused(app, ids=[bad], action="delete", why=WHY)
    before = state_of(app, asks)
    bulk(app, "cancel", bad, asks)
    found = app.get("/api/audit?action=cancel+run")["items"]
    rows = [row for row in found if row["target"] in {bad, asks}]

    assert [status for status, _ in (without, empty, unknown)] == [422, 422, 422]
    assert ("why" in without[1], "why" in empty[1], "action" in unknown[1]) == (True, True, True)
    assert before == "waiting"
    assert {(row["target"], row["why"], row["outcome"]) for row in rows} == {
        (bad, WHY, "refused"), (asks, WHY, "done"),
    }  # fmt: skip


def test_what_was_answered_before_a_crash_is_so_after_it(tmp_path: Path):
    with ExitStack() as ending:
        app = started(tmp_path)
        ending.callback(app.kill_everything)
        bad = [begin(app, "fail", "failed") for _ in range(3)]
        asks = [begin(app, "ask", "waiting") for _ in range(3)]
        repeated = bulk(app, "retry", *bad)
        cancelled = bulk(app, "cancel", *asks[:2])
        app.kill_everything()
        again = started(tmp_path)
        ending.callback(again.kill_everything)
        wanted = {each["run"]: "failed" for each in repeated.values()}
        wanted |= dict.fromkeys(asks[:2], "cancelled") | {asks[2]: "waiting"}
        again.wait_until(lambda: {run: state_of(again, run) for run in wanted} == wanted, LONG_S)
        by_old = {each: again.get(f"/api/runs/{each}")["retried_by"] for each in bad}

    assert all(each["ok"] for each in (*repeated.values(), *cancelled.values()))
    assert by_old == {run: each["run"] for run, each in repeated.items()}

"""The real app with workflows of a test's own, and runs of them."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.running_app import RunningApp, start_app

START_S = 60.0
LONG_S = 30.0
ASK = """
name = "ask"
title = "Ask before going on"
[inputs.unit]
required = true
[[steps]]
id = "choose"
title = "Go on?"
do = "approve"
with = { question = "Go on with ${input.unit}?" }
"""
PAUSE = """
[[steps]]
id = "pause"
title = "Wait a moment"
needs = ["choose"]
do = "wait"
with = { seconds = 1 }
"""


@contextmanager
def app_with(data: Path, flows: Mapping[str, str], *options: str) -> Generator[RunningApp]:
    """Run the app without the demo plant and with these workflows, by name."""
    folder = data / "workflows"
    folder.mkdir(parents=True)
    for name, text in flows.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    running = start_app(data, 0, 0, "--no-demo", *options)
    try:
        running.wait_until(
            lambda: flows.keys() <= {flow["name"] for flow in running.get("/api/workflows")},
            START_S,
        )
        yield running
    finally:
        running.kill_everything()


def started(app: RunningApp, workflow: str, unit: str, state: str) -> dict[str, Any]:
    """Start a run, wait until it came to a state and return it as it was at the start."""
    run: dict[str, Any] = app.post(f"/api/workflows/{workflow}/runs", input={"unit": unit})
    await_state(app, run, state)
    return run


def asking(app: RunningApp, unit: str) -> dict[str, Any]:
    """Start a run of `ask` and wait until it asks."""
    return started(app, "ask", unit, "waiting")


def cancel(app: RunningApp, run: Mapping[str, Any]) -> None:
    """Cancel a run over HTTP, with a reason that pages show."""
    app.post(f"/api/runs/{run['id']}/cancel", why="trial is over")


def await_state(app: RunningApp, run: Mapping[str, Any], state: str) -> None:
    """Wait until a run came to a state."""
    app.wait_until(lambda: app.run(run["id"]).get("state") == state, LONG_S)

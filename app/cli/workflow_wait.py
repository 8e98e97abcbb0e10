"""Follows a run to its end from outside, telling each step as it ends."""

from collections.abc import Callable

from app.cli.workflow_client import WorkflowClient
from app.cli.workflow_words import step_line
from app.clock import SystemClock
from app.core.run import OVER, SETTLED, RunState, WorkflowRun

_POLL_S = 0.3


async def follow(
    client: WorkflowClient, run: WorkflowRun, say: Callable[[str], None]
) -> WorkflowRun:
    """Return a run once it is over.

    Raises:
        NotFoundError: The app does not answer any more; the run goes on with it.
    """
    clock = SystemClock()
    told: set[tuple[str, int]] = set()
    waits = ""
    while True:
        run = client.run(run.id)
        for step in run.steps:
            place = (step.step, step.round)
            if step.state in SETTLED and place not in told:
                told.add(place)
                say(step_line(step))
        if run.state is RunState.WAITING and run.reason != waits:
            say(f"  waits for {run.reason}")
        waits = run.reason
        if run.state in OVER:
            return run
        await clock.sleep(_POLL_S)

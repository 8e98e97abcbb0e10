"""A notify step over the real notifier: what it says when it reaches nobody."""

import asyncio
from pathlib import Path

import pytest

from agents.notifier.agent import NotifierAgent
from app.core.actor import Actor
from app.core.run import OVER, RunChange, RunState, StepRun, StepState, WorkflowRun
from app.plant import Plant
from app.settings import Settings
from app.settings_notify import NotifySettings
from tests.agents_at_work import plant_with
from tests.http_stub import http_stub

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ANNA = Actor("anna", "ui")
LONG_S = 40.0  # on a busy machine
STEP = """
name = "tell"
[[steps]]
id = "tell"
do = "notify"
with = {{ title = "Strainer", message = "Clean it", priority = 1{more} }}
"""


def with_workflow(settings: Settings, more: str = "") -> None:
    folder = Path(settings.data.dir) / "workflows"
    folder.mkdir(parents=True)
    (folder / "tell.toml").write_text(STEP.format(more=more))


async def ended(plant: Plant) -> tuple[WorkflowRun, StepRun]:
    """Start the workflow and return its run and step when it is over."""
    is_over = asyncio.Event()

    def hear(change: RunChange) -> None:
        if change.run.state in OVER:
            is_over.set()

    plant.workflows.on_change(hear)
    started = await plant.start_workflow("tell", {}, ANNA)
    async with asyncio.timeout(LONG_S):
        await is_over.wait()
    run = await plant.workflows.run(started.id)
    return run, run.steps[0]


async def test_without_a_route_the_run_completes_and_its_step_says_that_nobody_is_told(
    connected_settings: Settings,
):
    with_workflow(connected_settings)
    async with plant_with(connected_settings, NotifierAgent) as plant:
        run, step = await ended(plant)

    said = "Nobody is told: no route for priority 1 is configured; add [[notify.routes]]"
    assert (run.state, step.state) == (RunState.COMPLETED, StepState.DONE)
    assert step.output["warning"] == said


async def test_a_named_route_that_does_not_exist_fails_the_step_and_names_those_that_do(
    connected_settings: Settings,
):
    with_workflow(connected_settings, ', route = "nope"')
    with http_stub() as stub:
        routes = [{"name": "shift", "url": f"json://{stub.address}/shift"}]
        notify = NotifySettings.model_validate({"routes": routes})
        settings = connected_settings.model_copy(update={"notify": notify})
        async with plant_with(settings, NotifierAgent) as plant:
            run, step = await ended(plant)

    assert (run.state, step.state) == (RunState.FAILED, StepState.FAILED)
    assert 'no usable route "nope"; usable are shift' in step.error
    assert stub.requests == []

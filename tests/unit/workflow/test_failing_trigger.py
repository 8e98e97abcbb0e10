"""A schedule that can never come: it is not saved, and an old one on the disk stops nothing."""

from collections.abc import AsyncGenerator

import pytest

from app.core.actor import Actor, Role
from app.core.health import Health
from app.core.run import RunState, StartedBy
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow
from app.plant import Plant
from app.settings import Settings
from tests.unit.api.flows import client_of, ended, working_plant

NEVER = """
name = "feb31"
[[triggers]]
on = "schedule"
cron = "0 0 31 2 *"
[[steps]]
id = "rest"
do = "wait"
with = { seconds = 0.01 }
"""
AFTER_QUICK = """
name = "after_quick"
[[triggers]]
on = "workflow"
workflow = "quick"
[[steps]]
id = "rest"
do = "wait"
with = { seconds = 0.01 }
"""


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    async with working_plant(settings) as made:
        yield made


async def test_it_is_not_saved_and_the_answer_names_the_line(plant: Plant):
    async with client_of(plant) as client:
        answer = await client.put("/api/workflows/feb31", json={"text": NEVER})
        assert answer.status_code == 422
        assert "line 5" in answer.text
        assert "never comes" in answer.text
        assert (await client.get("/api/workflows/feb31")).status_code == 404


async def follow(plant: Plant) -> list[str]:
    """Carry `quick` out and return the workflows that ran after it."""
    await plant.workflows.save("after_quick", AFTER_QUICK, "", Actor("ann", "ui", Role.ENGINEER))
    run = await plant.workflows.start("quick", {}, StartedBy("click", "ann"), Role.OPERATOR)
    await ended(plant, run.id)
    await plant.workflows.tick()
    (begun,) = await plant.workflows.runs(workflow="after_quick")
    assert await ended(plant, begun.id) == RunState.COMPLETED
    await plant.workflows.tick()
    return [entry.name for entry in plant.workflows.catalogue() if entry.last]


async def test_one_that_another_version_saved_is_broken_and_the_others_start(
    plant: Plant, settings: Settings
):
    (settings.data.dir / "workflows" / "feb31.toml").write_text(NEVER, encoding="utf-8")
    await plant.workflows.tick()

    assert await follow(plant) == ["after_quick", "quick"]
    assert plant.workflows.entry("feb31").workflow is None
    assert plant.workflows.status.state is Health.DEGRADED
    assert "feb31" in plant.workflows.status.reason


async def test_a_trigger_that_fails_is_named_on_health_and_the_others_start(plant: Plant):
    follow_on = Trigger(TriggerKind.WORKFLOW, workflow="quick")
    steps = (Step("rest", ActionKind.WAIT, with_={"seconds": 0.01}),)
    feb31 = Workflow("feb31", steps, triggers=(Trigger(TriggerKind.SCHEDULE, cron="0 0 31 2 *"),))
    await plant.workflows.triggers.use([feb31, Workflow("ask", steps, triggers=(follow_on,))])

    run = await plant.workflows.start("quick", {}, StartedBy("click", "ann"), Role.OPERATOR)
    await ended(plant, run.id)
    await plant.workflows.tick()  # counts and prunes, too

    assert len(await plant.workflows.runs(workflow="ask")) == 1
    assert plant.workflows.entry("quick").last is not None
    assert plant.workflows.status.state is Health.DEGRADED
    assert plant.workflows.status.reason.startswith("Triggers that fail: feb31, trigger 1: ")


async def test_an_event_that_starts_no_run_is_told_in_the_catalogue(plant: Plant):
    wrong = Trigger(TriggerKind.WORKFLOW, workflow="quick", input={"count": "${event.state}"})
    steps = (Step("rest", ActionKind.WAIT, with_={"seconds": 0.01}),)
    await plant.workflows.triggers.use([Workflow("quick", steps, triggers=(wrong,))])

    for _ in range(2):
        run = await plant.workflows.start("quick", {}, StartedBy("click", "ann"), Role.OPERATOR)
        await ended(plant, run.id)
        await plant.workflows.tick()

    assert len(await plant.workflows.runs(workflow="quick")) == 2
    async with client_of(plant) as client:
        (told,) = (await client.get("/api/workflows/quick")).json()["refused"]
        assert (await client.get("/api/workflows/ask")).json()["refused"] == []
    assert told["count"] == 2
    assert "count" in told["why"]
    assert told["at"].startswith(f"{plant.clock.now():%Y-%m-%d}")

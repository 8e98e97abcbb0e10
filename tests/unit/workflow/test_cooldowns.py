"""A cooldown holds after the app was killed: the store knows what each trigger began."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from app.clock import SystemClock
from app.core.actor import Actor, Role
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.trigger_rules import Event, event_run_id, mark_of, was_begun_by
from app.core.workflow import Trigger, TriggerKind
from app.plant import Plant
from app.settings import Settings
from tests.unit.api.flows import ended

NOW = datetime(2026, 6, 1, 11, 58, 30, tzinfo=UTC)
AT = NOW.isoformat()
ENG = Actor("ann", "ui", Role.ENGINEER)
STEPS = '[[steps]]\nid = "rest"\ndo = "wait"\nwith = { seconds = 0.01 }\n'
QUICK = f'name = "quick"\n[inputs.pump]\n{STEPS}'
AFTER = f"""
name = "after_quick"
[[triggers]]
on = "workflow"
workflow = "quick"
key = "${{event.input.pump}}"
cooldown_s = 600
{STEPS}
"""
BY_MESSAGE = Trigger(TriggerKind.MQTT, topic="line/+/done")


@asynccontextmanager
async def life(settings: Settings) -> AsyncGenerator[Plant]:
    """Live with what an earlier life left on the disk."""
    plant = Plant(settings, SystemClock())
    plant.audit.open()
    await plant.workflows.open()
    try:
        yield plant
    finally:
        await plant.workflows.stop()
        plant.audit.close()


async def finish(plant: Plant, pump: str) -> int:
    """Carry `quick` out; return how many runs have followed it so far."""
    by = StartedBy("click", "ann")
    run = await plant.workflows.start("quick", {"pump": pump}, by, Role.OPERATOR)
    await ended(plant, run.id)
    await plant.workflows.tick()
    return len(await plant.workflows.runs(workflow="after_quick"))


async def test_the_same_key_does_not_run_again_after_a_restart_and_another_does(
    settings: Settings,
):
    async with life(settings) as plant:
        for name, text in (("quick", QUICK), ("after_quick", AFTER)):
            await plant.workflows.save(name, text, "", ENG)
        assert await finish(plant, "p1") == 1
        assert await finish(plant, "p1") == 1

    async with life(settings) as plant:
        assert await finish(plant, "p1") == 1
        assert await finish(plant, "p2") == 2


async def test_a_run_that_a_person_began_cools_nothing_after_a_restart(settings: Settings):
    async with life(settings) as plant:
        for name, text in (("quick", QUICK), ("after_quick", AFTER)):
            await plant.workflows.save(name, text, "", ENG)
        by = StartedBy("click", "ann")
        await ended(plant, (await plant.workflows.start("after_quick", {}, by, Role.OPERATOR)).id)

    async with life(settings) as plant:
        assert await finish(plant, "p1") == 2


def begun(kind: str, event: Any, run_id: str = "r1") -> WorkflowRun:
    by = StartedBy(kind, "system", event)
    return WorkflowRun(run_id, "demo", "v", RunState.COMPLETED, NOW, {}, by)


@pytest.mark.parametrize(
    ("kind", "event", "is_by"),
    [
        ("mqtt", {"topic": "line/1/done", "payload": 1}, True),
        ("mqtt", {"topic": "line/1/begun", "payload": 1}, False),
        ("mqtt", {"topic": "other", "payload": 1}, False),
        ("mqtt", None, False),  # a person's request over MQTT
        ("schedule", {"at": AT}, False),
    ],
)
def test_a_run_is_of_the_trigger_whose_filter_fits(kind: str, event: Any, *, is_by: bool):
    assert was_begun_by(BY_MESSAGE, 0, begun(kind, event)) is is_by


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        (TriggerKind.ALARM, {"alarm": "a1", "raised_at": AT, "equipment": "e"}),
        (TriggerKind.FINDING, {"alarm": "a1", "raised_at": AT, "equipment": "e"}),
        (TriggerKind.SCHEDULE, {"at": AT}),
        (TriggerKind.WORKFLOW, {"run": "first", "at": AT, "depth": 1}),
    ],
)
def test_a_run_is_of_the_trigger_that_gave_it_its_id(kind: TriggerKind, event: Event):
    run = begun(kind.value, event, event_run_id("demo", 1, mark_of(kind, event), NOW))

    assert was_begun_by(Trigger(kind), 1, run)
    assert not was_begun_by(Trigger(kind), 0, run)
    assert not was_begun_by(Trigger(kind), 1, begun("retry", event, run.id))


def test_a_run_within_a_run_is_of_no_trigger():
    child = begun("workflow", {"run": "parent"})

    assert not was_begun_by(Trigger(TriggerKind.WORKFLOW), 0, child)

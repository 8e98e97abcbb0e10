"""What is done with many runs from a page: where each begins again, and what is refused."""

from collections.abc import AsyncGenerator

import pytest

from app.core.actor import Actor, Role
from app.core.errors import ConflictError, NotFoundError
from app.core.run import WorkflowRun
from app.plant import Plant
from app.settings import Settings
from pages.run_acts import Bulk, carry_out
from tests.unit.api.flows import asking, ended, working_plant

ANNA = Actor("anna", "ui", Role.OPERATOR)
WHY = "the host is back"
ASK_AND_FAIL = """
name = "ask_and_fail"

[[steps]]
id = "first"
do = "approve"
with = { question = "Go on?" }

[[steps]]
id = "broken"
do = "wait"
needs = ["first"]
with = { until = "1 / 0 > 1" }
"""


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    async with working_plant(settings) as made:
        yield made


async def failed(plant: Plant, name: str = "fail") -> str:
    run = await plant.start_workflow(name, {}, ANNA)
    assert await ended(plant, run.id) == "failed"
    return run.id


async def repeated(plant: Plant, run_id: str) -> WorkflowRun:
    again = (await plant.workflows.run(run_id)).retried_by
    await ended(plant, again)
    return await plant.workflows.run(again)


async def test_many_start_again_where_each_failed_with_what_was_done_before(plant: Plant):
    ids = [await failed(plant), await failed(plant)]
    done, refusals = await carry_out(plant, Bulk("retry", ids), WHY, ANNA)
    fresh = [await repeated(plant, each) for each in ids]

    assert (done, refusals) == (2, [])
    assert [[step.carried for step in run.steps] for run in fresh] == [[True, False]] * 2
    assert {run.started_by.why for run in fresh} == {WHY}


async def test_a_person_who_has_answered_is_not_asked_again(plant: Plant):
    await plant.save_workflow("ask_and_fail", ASK_AND_FAIL, ANNA)
    run = await plant.start_workflow("ask_and_fail", {}, ANNA)
    await asking(plant, run.id)
    await plant.decide(f"{run.id}:first", True, ANNA)
    await ended(plant, run.id)
    await carry_out(plant, Bulk("retry", [run.id]), WHY, ANNA)
    fresh = await repeated(plant, run.id)

    assert [step.carried for step in fresh.steps] == [True, False]
    assert await plant.workflows.approvals() == []


async def test_a_cancelled_run_starts_again_where_it_was_cancelled(plant: Plant):
    run = await plant.start_workflow("ask_twice", {}, ANNA)
    await asking(plant, run.id, 2)
    await plant.decide(f"{run.id}:first", True, ANNA)
    await asking(plant, run.id, 1)
    await plant.cancel_run(run.id, ANNA, "not now")
    await ended(plant, run.id)
    await carry_out(plant, Bulk("retry", [run.id]), WHY, ANNA)
    again = (await plant.workflows.run(run.id)).retried_by
    await asking(plant, again, 1)
    questions = [each.id for each in await plant.workflows.approvals()]

    assert questions == [f"{again}:second"]


async def test_what_is_refused_stops_nothing_else(plant: Plant):
    bad, over = await failed(plant), await failed(plant)
    await plant.retry_run(over, ANNA, "by hand")
    waits = await plant.start_workflow("ask", {}, ANNA)
    await asking(plant, waits.id)
    wanted = Bulk("retry", ["gone", waits.id, over, bad])
    done, refusals = await carry_out(plant, wanted, WHY, ANNA)

    assert done == 1
    assert [type(each) for each in refusals] == [NotFoundError, ConflictError, ConflictError]
    assert (await repeated(plant, bad)).retry_of == bad

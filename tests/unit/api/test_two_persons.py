"""A tag that two persons must agree to gets two, whatever runs stand between them and it."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from app.clock import SystemClock
from app.core.actor import Actor
from app.core.errors import InputError
from app.core.reading import Quality, Reading
from app.core.workflow import ActionKind
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually
from tests.unit.api.flows import client_of, ended, working_plant
from tests.unit.commands.rig import FREE, LOCKED, SPEED, TWO, pump

PROGRAM = Actor("mqtt", "mqtt")
"""A program that does not say who it is."""
STEP = """
[[steps]]
id = "{id}"
do = "{do}"
{needs}
[steps.with]
{given}
"""


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    async with working_plant(settings) as made:
        made.tags.declare(pump())
        now = made.clock.now()
        shown = ((LOCKED, 0.0), (SPEED, 1000.0), (TWO, 1.0), (FREE, 0.0))
        made.tags.apply([Reading(tag, value, Quality.GOOD, now, now) for tag, value in shown])
        yield made


def who(name: str) -> dict[str, str]:
    return {"X-Actor": name}


def ask(name: str, *needs: str) -> str:
    return written(name, "approve", needs, question=f"{name}?")


def sets(tag: str, *needs: str) -> str:
    return written("set", "command", needs, tag=tag, value=2)


def rests(*needs: str) -> str:
    return written("rest", "wait", needs, seconds=0.01)


def calls(name: str, *needs: str) -> str:
    return written("k", "workflow", needs, name=name)


def written(id_: str, do: str, needs: tuple[str, ...], **given: object) -> str:
    """Return one step as TOML; Python writes these values as TOML does."""
    after = f"needs = {list(needs)}" if needs else ""
    lines = "\n".join(f"{key} = {value!r}" for key, value in given.items())
    return STEP.format(id=id_, do=do, needs=after, given=lines)


async def save(client: httpx.AsyncClient, name: str, *steps: str, after: str = "") -> None:
    """Save a workflow; one that comes `after` another begins as a run of that ends."""
    trigger = f'\n[[triggers]]\non = "workflow"\nworkflow = "{after}"\n' if after else ""
    text = f'name = "{name}"\n{trigger}{"".join(steps)}'
    answer = await client.put(f"/api/workflows/{name}", json={"text": text})
    assert answer.status_code == 201, answer.text


async def begun(client: httpx.AsyncClient, name: str, actor: str, **body: object) -> str:
    answer = await client.post(f"/api/workflows/{name}/runs", json=body, headers=who(actor))
    assert answer.status_code == 201, answer.text
    run_id: str = answer.json()["id"]
    return run_id


async def first(client: httpx.AsyncClient, plant: Plant, path: str) -> dict[str, Any]:
    """Return the first of a list once it has one; the app looks about meanwhile."""
    async with asyncio.timeout(40):
        while not (found := (await client.get(path)).json()):
            await plant.workflows.tick()
            await asyncio.sleep(0.01)
    row: dict[str, Any] = found[0]
    return row


async def follower(client: httpx.AsyncClient, plant: Plant, name: str) -> dict[str, Any]:
    """Return the first run of a workflow once the end of another has begun it."""
    return await first(client, plant, f"/api/runs?workflow={name}")


async def waiting(client: httpx.AsyncClient, plant: Plant, tag: str = TWO) -> dict[str, Any]:
    """Return the command to a tag that waits for a person."""
    return await first(client, plant, f"/api/commands?state=awaiting_approval&tag={tag}")


async def approval(client: httpx.AsyncClient, command: dict[str, Any], actor: str) -> int:
    answer = await client.post(f"/api/commands/{command['id']}/approve", headers=who(actor))
    return answer.status_code


async def decide(
    client: httpx.AsyncClient, plant: Plant, run_id: str, *answers: tuple[str, str, str]
) -> None:
    """Answer questions of a run as they come: step, approve or reject, and by whom."""
    for step, word, actor in answers:
        await eventually(lambda step=step: asks(plant, run_id, step))
        body = {"note": "seen", "step": step}
        path = f"/api/runs/{run_id}/{word}"
        answer = await client.post(path, json=body, headers=who(actor))
        assert answer.status_code == 200, answer.text


def asks(plant: Plant, run_id: str, step: str) -> bool:
    runner = plant.workflows.engine.live(run_id)
    return bool(runner) and any(each.step == step and each.waiting_for for each in runner.steps)


async def test_who_started_a_run_is_no_second_person_for_the_run_that_follows_its_end(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "first", rests())
    await save(client, "second", rests(), after="first")
    await save(client, "third", sets(TWO), after="second")
    await begun(client, "first", "anna")
    await follower(client, plant, "second")
    run = await follower(client, plant, "third")
    command = await waiting(client, plant)

    assert (command["requested_by"], run["started_by"]["name"]) == ("anna", "anna")
    assert await approval(client, command, "Anna") == 409
    assert await approval(client, command, "boris") == 202


async def test_who_agreed_last_in_a_run_of_nobody_is_no_second_person_after_its_end(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "first", ask("one"), ask("two", "one"))
    await save(client, "second", sets(TWO), after="first")
    run_id = (await plant.operations.start_workflow("first", {}, PROGRAM)).id
    await decide(client, plant, run_id, ("one", "approve", "anna"), ("two", "approve", "boris"))
    await follower(client, plant, "second")
    command = await waiting(client, plant)

    assert command["requested_by"] == "boris"
    assert await approval(client, command, "boris") == 409
    assert await approval(client, command, "anna") == 202


async def test_the_end_of_a_run_counts_for_its_person_also_after_a_restart(
    settings: Settings,
):
    async with working_plant(settings) as plant, client_of(plant) as client:
        await save(client, "first", rests())
        await save(client, "second", ask("one"), after="first")
        await ended(plant, await begun(client, "first", "anna"))
    again = Plant(settings, SystemClock())
    again.audit.open()
    await again.workflows.open()
    try:
        async with client_of(again) as client:
            run = await follower(client, again, "second")
    finally:
        await again.workflows.stop()
        again.audit.close()

    assert (run["started_by"]["kind"], run["started_by"]["name"]) == ("workflow", "anna")


async def test_where_nobody_stands_behind_the_run_that_ended_the_next_has_nobody_either(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "first", rests())
    await save(client, "second", sets(TWO), after="first")
    await plant.operations.start_workflow("first", {}, PROGRAM)
    await follower(client, plant, "second")

    assert (await waiting(client, plant))["requested_by"] == "workflow second"


async def test_a_no_to_the_last_question_takes_an_earlier_yes_back(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", ask("one"), ask("two", "one"), sets(SPEED, "two"))
    run_id = await begun(client, "kid", "anna")
    await decide(client, plant, run_id, ("one", "approve", "boris"), ("two", "reject", "carl"))
    command = await waiting(client, plant, SPEED)

    assert (command["requested_by"], command.get("approved_by", "")) == ("anna", "")


async def test_who_agreed_before_a_no_is_still_no_second_person(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", ask("one"), ask("two", "one"), sets(TWO, "two"))
    run_id = (await plant.operations.start_workflow("kid", {}, PROGRAM)).id
    await decide(client, plant, run_id, ("one", "approve", "boris"), ("two", "reject", "carl"))
    command = await waiting(client, plant)

    assert command["requested_by"] == "boris"
    assert await approval(client, command, "boris") == 409


async def test_a_cancelled_run_leaves_a_persons_command_of_its_step_s_id_alone(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", ask("one"), sets(TWO, "one"))
    wish = {"tag": TWO, "value": 2, "why": "too hot", "id": "T2-set"}
    await client.post("/api/commands", json=wish, headers=who("boris"))
    run_id = await begun(client, "kid", "anna", id="T2")
    await decide(client, plant, run_id, ("one", "approve", "carl"))
    await ended(plant, run_id)
    actions = plant.workflows._actions  # pyright: ignore[reportPrivateUsage]  as after a restart
    assert actions
    await actions.withdraw(ActionKind.COMMAND, "T2:set")

    assert (await waiting(client, plant))["id"] == "T2-set"


async def test_a_run_within_a_run_is_none_that_a_person_asks_for(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", rests())
    await save(client, "mum", calls("kid"))
    await ended(plant, await begun(client, "mum", "anna", id="T1"))
    answer = await client.post("/api/workflows/kid/runs", json={"id": "T1-k"}, headers=who("boris"))

    assert answer.status_code == 409
    assert "begun by T1:k; choose another id" in answer.json()["message"]


async def test_a_yes_after_a_no_counts(client: httpx.AsyncClient, plant: Plant):
    await save(client, "kid", ask("one"), ask("two", "one"), sets(SPEED, "two"))
    run_id = await begun(client, "kid", "anna")
    await decide(client, plant, run_id, ("one", "reject", "boris"), ("two", "approve", "carl"))
    command = await first(client, plant, f"/api/commands?tag={SPEED}")

    assert (command["state"], command["approved_by"]) == ("requested", "carl")


@pytest.mark.parametrize("name", ["system", "System", "mqtt", "compensation", "workflow kid"])
async def test_nobody_acts_over_http_under_a_name_of_the_app(
    client: httpx.AsyncClient, plant: Plant, name: str
):
    await save(client, "kid", sets(TWO))
    started = await client.post("/api/workflows/kid/runs", json={}, headers=who(name))
    wish = {"tag": FREE, "value": 1, "why": "too hot"}
    asked = await client.post("/api/commands", json=wish, headers=who(name))
    await begun(client, "kid", "anna")
    command = await waiting(client, plant)

    assert await approval(client, command, name) == 422
    assert [each.status_code for each in (started, asked)] == [422, 422]
    assert started.json()["message"] == f'"{name}" is a name of the app itself; use your own'
    assert (await client.get("/api/commands")).json() == [command]


@pytest.mark.parametrize("name", ["system", "mqtt", "Workflow kid"])
async def test_nor_at_a_page(client: httpx.AsyncClient, plant: Plant, name: str):
    await save(client, "kid", sets(TWO))

    with pytest.raises(InputError, match="is a name of the app itself"):
        await plant.operations.start_workflow("kid", {}, Actor(name, "ui"))
    with pytest.raises(InputError, match="is a name of the app itself"):
        await plant.commands.request(TWO, 2, Actor(name, "ui"), "too hot")


async def test_a_command_that_a_person_asked_for_is_not_the_doing_of_a_step(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", sets(FREE))
    wish = {"tag": FREE, "value": 2, "why": "too hot", "id": "T2-set"}
    await client.post("/api/commands", json=wish, headers=who("boris"))
    run_id = await begun(client, "kid", "anna", id="T2")

    assert await ended(plant, run_id) == "failed"
    assert (await client.get(f"/api/runs/{run_id}")).json()["reason"] == (
        f'set: The id "T2-set" stands for a command that no run asked for: {FREE} = 2; '
        "choose another id for the run"
    )


async def test_a_command_of_a_step_is_none_of_a_person(client: httpx.AsyncClient, plant: Plant):
    await save(client, "kid", sets(TWO))
    await begun(client, "kid", "anna", id="T2")
    await waiting(client, plant)
    wish = {"tag": TWO, "value": 2, "why": "too hot", "id": "T2-set"}
    answer = await client.post("/api/commands", json=wish, headers=who("boris"))

    assert answer.status_code == 409
    assert "stands for the command of T2:set" in answer.json()["message"]


@pytest.mark.parametrize("other", ["kid", "stranger"])
async def test_a_run_that_a_person_started_is_no_run_within_a_run(
    client: httpx.AsyncClient, plant: Plant, other: str
):
    await save(client, "kid", rests())
    await save(client, "stranger", rests())
    await save(client, "mum", calls("kid"))
    await ended(plant, await begun(client, other, "boris", id="T1-k"))
    run_id = await begun(client, "mum", "anna", id="T1")

    assert await ended(plant, run_id) == "failed"
    reason = (await client.get(f"/api/runs/{run_id}")).json()["reason"]
    assert reason.startswith(f"k: Run T1-k stands in the way: it is one of {other}")


async def test_a_run_that_stands_in_the_way_is_not_cancelled_with_the_step(
    client: httpx.AsyncClient, plant: Plant
):
    await save(client, "kid", ask("one"))
    own = await begun(client, "kid", "boris", id="T1-k")
    await eventually(lambda: asks(plant, own, "one"))
    await plant.workflows.children.cancel(own)

    assert (await client.get(f"/api/runs/{own}")).json()["state"] == "waiting"

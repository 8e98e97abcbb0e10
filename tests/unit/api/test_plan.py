"""The action plan over HTTP, made by the real planner."""

import httpx

from agents.planner.agent import PlannerAgent
from app.api.mount import api
from app.core.actor import Actor
from app.plant import Plant
from app.settings import Settings
from tests.agents_at_work import at_work, plan_of, plant_with
from tests.processes import eventually

NIGHT = Actor("night", "http")


def client_of(plant: Plant) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api(plant), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_without_a_planner_the_answer_says_so(client: httpx.AsyncClient):
    answer = await client.get("/api/plan")

    assert answer.status_code == 200
    assert answer.json() == {
        "plan": None,
        "is_current": False,
        "age_s": None,
        "problem": "The planner does not run, so nothing is planned",
        "remedy": "Start it on the Agents page",
    }


async def test_the_last_plan_of_a_stopped_planner_is_marked(
    plant: Plant, client: httpx.AsyncClient
):
    plant.plans.plan = plan_of(plant)

    told = (await client.get("/api/plan")).json()

    assert (told["plan"]["items"], told["is_current"]) == ([], False)
    assert "may be out of date" in told["problem"]


async def test_the_plan_follows_the_alarms(connected_settings: Settings):
    async with plant_with(connected_settings, PlannerAgent) as plant, client_of(plant) as client:
        await eventually(lambda: plant.plan().is_current)
        calm = (await client.get("/api/plan")).json()
        await plant.raise_alert("critical", "smoke", "hall 2", "Smoke in hall 2", NIGHT)
        await eventually(lambda: bool(plant.plan().plan and plant.plan().plan.items))  # pyright: ignore[reportOptionalMemberAccess]  the same plan twice
        told = (await client.get("/api/plan")).json()

    assert calm["plan"]["items"] == []
    assert [item["priority"] for item in told["plan"]["items"]] == [1]


async def test_a_planner_that_stops_is_told(connected_settings: Settings):
    async with plant_with(connected_settings) as plant, client_of(plant) as client:
        async with at_work(plant, PlannerAgent):
            await eventually(lambda: plant.plan().is_current)
        told = (await client.get("/api/plan")).json()

    assert not told["is_current"]
    assert told["plan"] is not None

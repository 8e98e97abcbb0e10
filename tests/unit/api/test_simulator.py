"""Scenarios over HTTP: done by the real simulator, journalled with who asked."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.api.mount import api
from app.plant import Plant
from app.settings import Settings
from tests.simulated_plant import PUMP, simulated_plant

PATH = "/api/simulator/scenarios"


@asynccontextmanager
async def client_of(plant: Plant) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(api(plant), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@asynccontextmanager
async def simulator(settings: Settings) -> AsyncGenerator[tuple[httpx.AsyncClient, Plant]]:
    async with simulated_plant(settings) as plant, client_of(plant) as client:
        yield client, plant


async def test_a_scenario_is_started_listed_and_stopped(connected_settings: Settings):
    async with simulator(connected_settings) as (client, _):
        wanted = {"equipment": PUMP, "scenario": "imbalance", "severity": 0.4}
        started = (await client.post(PATH, json=wanted)).json()
        listed = (await client.get(PATH)).json()
        stopped = (await client.post(f"{PATH}/stop", json={"equipment": PUMP})).json()

    assert (started["scenario"], started["severity"], started["active"]) == ("imbalance", 0.4, True)
    assert PUMP in {unit["path"] for unit in listed["units"]}
    assert [one["scenario"] for one in listed["running"]] == ["imbalance"]
    assert [one["active"] for one in stopped["stopped"]] == [False]


async def test_the_journal_tells_which_way_a_call_came(connected_settings: Settings):
    wanted = {"equipment": PUMP, "scenario": "imbalance"}
    async with simulator(connected_settings) as (client, plant):
        await client.post(PATH, json=wanted)
        await client.post(f"{PATH}/stop", json=wanted, headers={"X-Actor-Source": "cli"})
        rows = plant.audit_rows(2)

    assert [(row.action, row.actor, row.source) for row in rows] == [
        ("stop scenario", "operator", "cli"),
        ("start scenario", "operator", "http"),
    ]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"equipment": PUMP, "scenario": "fire"}, 422, "scenario"),
        ({"equipment": "pump-101", "scenario": "imbalance"}, 422, "equipment"),
        ({"equipment": PUMP, "scenario": "imbalance", "severity": 7}, 422, "severity"),
        ({"equipment": PUMP, "scenario": "imbalance", "tag": "flow"}, 422, "tag"),
        ({"equipment": PUMP}, 422, "scenario"),
        ({"equipment": "x" * 201, "scenario": "imbalance"}, 422, "equipment"),
        ({"equipment": PUMP, "scenario": "imbalance", "colour": "red"}, 422, "colour"),
    ],
)
async def test_what_cannot_be_started_is_named(
    connected_settings: Settings, body: dict[str, object], status: int, named: str
):
    async with simulator(connected_settings) as (client, _):
        answer = await client.post(PATH, json=body)
    assert answer.status_code == status
    assert named in answer.json()["message"]


async def test_what_does_not_run_cannot_be_stopped(connected_settings: Settings):
    async with simulator(connected_settings) as (client, _):
        answer = await client.post(f"{PATH}/stop", json={"equipment": PUMP})
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_way_that_does_not_exist_is_refused(plant: Plant, client: httpx.AsyncClient):
    wanted = {"equipment": PUMP, "scenario": "imbalance"}
    answer = await client.post(PATH, json=wanted, headers={"X-Actor-Source": "system"})
    assert answer.status_code == 422
    assert plant.audit_rows(1) == []


async def test_without_a_simulator_it_says_what_to_do(client: httpx.AsyncClient):
    answer = await client.get(PATH)
    assert answer.status_code == 503
    assert "Agents page" in answer.json()["hint"]

"""Maintenance orders over HTTP, kept by the real agent, noted with who asked."""

import httpx
import pytest

from agents.backlog.agent import BacklogAgent
from app.api.mount import api
from app.plant import Plant
from app.settings import Settings
from tests.agents_at_work import plant_with
from tests.simulated_plant import PUMP

PATH = "/api/orders"
WISH: dict[str, object] = {"equipment": PUMP, "title": "Change the bearing"}
VIEWER = {"people": {"roles": {"guest": "viewer"}}}


def client_of(plant: Plant) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(api(plant), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_an_order_is_made_listed_and_closed(connected_settings: Settings):
    async with plant_with(connected_settings, BacklogAgent) as plant, client_of(plant) as client:
        made = (await client.post(PATH, json={**WISH, "priority": 2, "due_hours": 8})).json()
        is_open = (await client.get(PATH, params={"state": "open"})).json()
        note = {"note": "Bearing changed"}
        closed = (await client.post(f"{PATH}/{made['id']}/close", json=note)).json()
        still_open = (await client.get(PATH, params={"state": "open"})).json()
        listed = (await client.get(PATH)).json()

    assert (made["state"], made["priority"], made["equipment"]) == ("open", 2, PUMP)
    assert [each["id"] for each in is_open] == [made["id"]]
    assert (closed["state"], closed["note"]) == ("closed", "Bearing changed")
    assert still_open == []
    assert listed == [closed]


async def test_who_made_and_closed_an_order_is_on_record(connected_settings: Settings):
    headers = {"X-Actor": "anna", "X-Actor-Source": "cli"}
    async with plant_with(connected_settings, BacklogAgent) as plant, client_of(plant) as client:
        await client.post(PATH, json=WISH, headers=headers)
        await client.post(f"{PATH}/MO-1/close", json={"note": "Done"})
        rows = plant.audit_rows(2)

    assert [(row.action, row.target, row.actor, row.source) for row in rows] == [
        ("close order", "MO-1", "operator", "http"),
        ("create order", PUMP, "anna", "cli"),
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"title": "x"}, "equipment"),
        ({"equipment": PUMP}, "title"),
        ({**WISH, "title": ""}, "title"),
        ({**WISH, "equipment": "riverside/none/of/these"}, "equipment"),
        ({**WISH, "priority": 5}, "priority"),
        ({**WISH, "due_hours": 0}, "due_hours"),
        ({**WISH, "due_hours": 1e9}, "due_hours"),
        ({**WISH, "details": "x" * 20_001}, "details"),
        ({**WISH, "state": "closed"}, "state"),
    ],
)
async def test_a_wrong_order_is_refused_by_field(
    client: httpx.AsyncClient, body: dict[str, object], named: str
):
    answer = await client.post(PATH, json=body)

    assert answer.status_code == 422
    assert named in answer.json()["message"]


@pytest.mark.parametrize("body", [{}, {"note": ""}, {"note": "  "}, {"note": "x" * 20_001}])
async def test_an_order_is_not_closed_without_saying_what_was_done(
    client: httpx.AsyncClient, body: dict[str, object]
):
    answer = await client.post(f"{PATH}/MO-1/close", json=body)

    assert answer.status_code == 422
    assert "note" in answer.json()["message"]


@pytest.mark.parametrize("order_id", ["MO-7", "MO-x", "7x", "MO-²"])
async def test_an_order_that_does_not_exist_is_not_closed(
    connected_settings: Settings, order_id: str
):
    async with plant_with(connected_settings, BacklogAgent) as plant, client_of(plant) as client:
        answer = await client.post(f"{PATH}/{order_id}/close", json={"note": "Done"})
        (row,) = plant.audit_rows(1)

    assert answer.status_code == 404
    assert (row.action, row.outcome) == ("close order", "refused")


async def test_an_order_is_closed_once(connected_settings: Settings):
    async with plant_with(connected_settings, BacklogAgent) as plant, client_of(plant) as client:
        await client.post(PATH, json=WISH)
        await client.post(f"{PATH}/MO-1/close", json={"note": "Done"})
        answer = await client.post(f"{PATH}/MO-1/close", json={"note": "Again"})
        (order,) = (await client.get(PATH)).json()

    assert answer.status_code == 409
    assert order["note"] == "Done"


@pytest.mark.parametrize("query", [{"state": "late"}, {"limit": 0}, {"limit": 501}])
async def test_a_wrong_choice_is_refused(client: httpx.AsyncClient, query: dict[str, str | int]):
    assert (await client.get(PATH, params=query)).status_code == 422


async def test_without_the_agent_nothing_is_listed_or_made(client: httpx.AsyncClient):
    answers = [
        await client.get(PATH),
        await client.post(f"{PATH}/MO-1/close", json={"note": "Done"}),
    ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert "Agents page" in answers[0].json()["hint"]
